"""Permits asked for from the planning page: once, however often it is clicked; refused with reasons; given back."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from html import unescape
from itertools import count

import httpx2
import pytest

from app.core.access import Role
from tests.support.people import signed_in, visiting
from tests.support.server import Server, a_server

SEE_OTHER = 303
CAP = 1_000
_KEYS = count(1)


def report_floor(client: httpx2.Client, backlog: int) -> None:
    """Report how many wait, and return once the gate goes by it."""
    said = {"queue": "orders-voice", "observed_at": datetime.now(UTC).isoformat(), "source": "acd", "backlog": backlog}
    assert client.post("/api/v1/observations", json=said).status_code == 200
    wanted = "send" if backlog == 0 else "hold"
    for _ in range(100):
        if client.get("/api/v1/gates/default").json()["state"] == wanted:
            return
        threading.Event().wait(0.1)
    raise AssertionError("the gate does not follow the floor")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("permits")) as started:
        rules = [{"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 0}]
        policy = {"queues": ["*"], "rules": rules, "stale_after_seconds": 3600, "max_audience_per_wave": CAP}
        with started.client() as client:
            client.put("/api/v1/gates/default/policy", json=policy, headers={"If-Match": "*"}).raise_for_status()
            report_floor(client, 0)
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    with closing(visiting(server)) as opened:
        yield opened
        for permit in live(opened):
            opened.post(f"/api/v1/permits/{permit['id']}/release")


def live(client: httpx2.Client) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get("/api/v1/permits", params={"state": "active"}).json()["items"]
    return found


def an_ask(**fields: str) -> dict[str, str]:
    """Return the form of an ask under a key of its own."""
    return {"audience": "400", "ttl": "900", "key": f"key-{next(_KEYS):06}", "back": "audience=400"} | fields


def page_of(client: httpx2.Client, answer: httpx2.Response) -> str:
    """Return the page that an answer leads to."""
    assert answer.status_code == SEE_OTHER, unescape(answer.text)
    return client.get(answer.headers["location"]).text


def test_the_page_s_form_takes_a_permit_and_shows_it(client):
    page = client.get("/plan", params={"audience": "400"}).text
    form = page[page.index('action="/plan/permits"') :]
    fields = dict(re.findall(r'<input[^>]*? name="(\w+)" value="([^"]*)"', form))
    taken = client.post(
        "/plan/permits", data={name: unescape(value) for name, value in fields.items()} | {"ttl": "900"}
    )
    assert re.fullmatch(r"/plan\?audience=400&permit=prm_\w+", taken.headers["location"])
    shown = page_of(client, taken)
    (permit,) = live(client)
    assert f"Permit <code>{permit['id']}</code>" in shown
    assert "So many may be sent now" in shown
    assert "must_stop" in shown
    assert (permit["allow"], permit["asked_by"]) == (400, "anonymous")


def test_a_second_click_and_a_page_read_again_take_nothing_more(client):
    ask = an_ask()
    with ThreadPoolExecutor(4) as clicks:
        answers = list(clicks.map(lambda _: client.post("/plan/permits", data=ask), range(4)))
    assert {answer.headers.get("location") for answer in answers} == {answers[0].headers["location"]}
    page_of(client, answers[0])
    assert [permit["allow"] for permit in live(client)] == [400]


def test_the_same_key_stands_for_one_ask_only(client):
    ask = an_ask()
    assert client.post("/plan/permits", data=ask).status_code == SEE_OTHER
    other = client.post("/plan/permits", data=ask | {"audience": "300"})
    assert other.status_code == 422
    assert "was sent before with another request" in unescape(other.text)
    assert len(live(client)) == 1


def test_fewer_are_taken_only_by_who_says_so(client):
    whole = client.post("/plan/permits", data=an_ask(audience="5,000"))
    assert whole.status_code == 429
    assert "No permit." in whole.text
    assert "The policy allows 1,000 at once." in whole.text
    assert live(client) == []
    part = page_of(client, client.post("/plan/permits", data=an_ask(audience="5,000", partial="yes")))
    assert "1,000 <small>of 5,000 asked for</small>" in part


def test_a_hold_is_shown_with_its_reasons_and_reserves_nothing(client):
    report_floor(client, 50)
    try:
        held = client.post("/plan/permits", data=an_ask())
        assert held.status_code == 429
        assert "Nothing may go now" in held.text
        assert "50 waiting, limit 10" in held.text
        assert live(client) == []
    finally:
        report_floor(client, 0)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"audience": "lots"}, "Write a whole number of recipients"),
        ({"audience": ""}, "Is required: how many messages are to go"),
        ({"ttl": "5"}, "5 must be a whole number from 10 to 86400"),
        ({"campaign": "bad\nname"}, ""),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(client, fields, said):
    refused = client.post("/plan/permits", data=an_ask(**fields))
    assert refused.status_code == 422
    assert "Nothing was done" in refused.text
    assert said in unescape(refused.text)
    assert live(client) == []


def test_an_ask_without_a_key_or_from_another_site_takes_nothing(server, client):
    bare = {name: value for name, value in an_ask().items() if name != "key"}
    assert client.post("/plan/permits", data=bare).status_code == 422
    with server.client() as stranger:
        assert (
            stranger.post("/plan/permits", data=an_ask(), headers={"Origin": "https://evil.example"}).status_code == 403
        )
    assert live(client) == []


def test_what_was_sent_is_reported_and_the_rest_given_back(client):
    page_of(client, client.post("/plan/permits", data=an_ask()))
    (permit,) = live(client)
    own = f"/plan/permits/{permit['id']}"
    reported = page_of(client, client.post(f"{own}/report", data={"sent": "150", "back": "audience=400"}))
    assert "150 reported as sent, 250 may still go" in reported
    assert client.post(f"{own}/report", data={"sent": "some"}).status_code == 422
    given_back = page_of(client, client.post(f"{own}/release", data={"back": "audience=400"}))
    assert "What was not sent was given back" in given_back
    again = client.post(f"{own}/release", data={})
    assert again.status_code == 409
    assert "Nothing was done" in again.text
    assert client.post("/plan/permits/prm_nobodys/release", data={}).status_code == 404


def test_a_live_permit_is_in_the_way_of_the_next_plan(client):
    client.post("/plan/permits", data=an_ask())
    page = client.get("/plan", params={"audience": "300"}).text
    assert "A permit of no campaign lets 400 more go until" in page
    assert "lets 1,000 go at once" not in page


def test_who_may_take_no_permits_is_offered_none_and_given_none(tmp_path):
    with a_server(tmp_path, auth="on") as guarded, closing(signed_in(guarded, Role.VIEWER)) as viewer:
        page = viewer.get("/plan", params={"audience": "400"}).text
        assert "Ask for a permit now" not in page
        assert "Make it a campaign" not in page
        assert viewer.post("/plan/permits", data=an_ask()).status_code == 403


def test_a_plan_becomes_a_campaign_by_one_button(client):
    page = client.get("/plan", params={"audience": "12,000", "kind": "offer", "start": "2031-03-03T09:00"}).text
    assert "A permit is for a send that begins now" in page
    form = page[page.index('action="/campaigns/-/new"') :]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[: form.index("</form>")]))
    made = client.post(
        "/campaigns/-/new", data=fields | {"title": "From a plan", "mode": "when-ready", "then": "schedule"}
    )
    assert made.headers["location"] == "/campaigns/from-a-plan"
    campaign = client.get("/api/v1/campaigns/from-a-plan").json()
    assert (campaign["audience"], campaign["kind"], campaign["state"]) == (12_000, "offer", "scheduled")
    assert campaign["earliest_start"] == "2031-03-03T09:00:00Z"
    assert client.post("/api/v1/campaigns/from-a-plan/cancel").status_code == 200
