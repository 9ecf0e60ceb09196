"""The board over HTTP: its notes and sends by forms, its pieces, and the reasons of the API word for word."""

import csv
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from html import unescape
from io import StringIO
from itertools import count

import httpx2
import pytest

from app.core.access import Role
from tests.browser.floor import BUSY, push, push_past, use_policy
from tests.support.people import signed_in, visiting
from tests.support.server import Server, a_server

SEE_OTHER = 303
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("now")) as started:
        with started.client() as client:
            use_policy(client, stale_after_seconds=3_600)
            push_past(client, datetime.now(UTC))
            push(client, BUSY)
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    with closing(visiting(server)) as opened:
        yield opened


def text_of(page: str) -> str:
    """Return what a page says, without its tags, in single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def a_campaign(client: httpx2.Client, *steps: str, **members: object) -> str:
    name = f"now{next(_NUMBERS)}"
    plan = {"id": name, "title": f"Sale {name}", "audience": 500, "release": {"mode": "when-ready"}}
    assert client.post("/api/v1/campaigns", json=plan | members).status_code == 201
    for step in steps:
        assert client.post(f"/api/v1/campaigns/{name}/{step}").status_code == 200
    return name


def stands(client: httpx2.Client, name: str) -> tuple[str, str]:
    found = client.get(f"/api/v1/campaigns/{name}").json()
    return found["state"], found["reason"]


# --- why --------------------------------------------------------------------------------------------------------------


def test_every_reason_of_the_api_is_on_the_page_word_for_word(client):
    push(client, BUSY)
    told = client.get("/api/v1/readiness", params={"audience": 5}).json()
    page = client.get("/").text
    why = text_of(page[page.index('aria-labelledby="why-title"') : page.index("</section>", page.index('"why-title"'))])
    assert len(told["reasons"]) >= 2
    for reason in told["reasons"]:
        assert reason["message"].casefold() in why.casefold()
    assert 'href="/api/v1/gates/default"' in page
    as_json = client.get("/api/v1/gates/default").json()
    assert [reason["code"] for reason in as_json["reasons"]] == [each["code"] for each in told["reasons"]]


def test_a_real_holdfire_has_no_day_to_compare(client):
    assert 'id="twins"' not in client.get("/").text
    assert client.get("/demo/twins").status_code == 404


def test_the_first_lines_say_why_and_when_it_will_go(client):
    push(client, BUSY)
    page = client.get("/").text
    assert re.search(r'<p class="reason">orders-voice: \d+ waiting', page)
    assert re.search(r'<p class="coming">Goes once backlog of orders-voice is ≤ 5', page)


# --- the log ----------------------------------------------------------------------------------------------------------


def test_a_note_is_written_by_a_form_and_stands_in_the_log_on_the_page(client):
    sent = client.post("/notes", data={"gate": "default", "text": "mail is out", "about": "queue/orders-voice"})
    assert (sent.status_code, sent.headers["location"]) == (SEE_OTHER, "/?gate=default#log")
    log = text_of(client.get("/partials/log?gate=default").text)
    assert "mail is out about orders-voice by anonymous" in log
    (note, *_) = client.get("/api/v1/notes").json()["items"]
    assert (note["text"], note["queue"]) == ("mail is out", "orders-voice")


def test_a_script_gets_the_log_with_the_new_note_alone(client):
    sent = client.post("/notes", data={"text": "by htmx"}, headers={"HX-Request": "true"})
    assert sent.status_code == 200
    assert sent.text.lstrip().startswith('<section class="panel log-panel" id="log"')
    assert "by htmx" in sent.text
    assert 'name="text" value=""' in sent.text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_note_that_cannot_be_taken_is_asked_for_again_and_nothing_typed_is_lost(client, headers):
    typed = "x" * 501
    refused = client.post("/notes", data={"text": typed, "about": "queue/care-chat"}, headers=headers)
    assert refused.status_code == 422
    assert "at most 500 are allowed" in refused.text
    assert typed in refused.text
    assert '<option value="queue/care-chat" selected>' in refused.text


def test_a_note_is_taken_back_and_gone_from_the_page(client):
    client.post("/notes", data={"text": "a mistake"})
    page = client.get("/partials/log").text
    (note_id,) = re.findall(r'a mistake.*?action="/notes/(note_\w+)/withdraw"', page, re.DOTALL)[:1]
    assert client.post(f"/notes/{note_id}/withdraw", data={"gate": "default"}).status_code == SEE_OTHER
    assert "a mistake" not in client.get("/partials/log").text
    assert client.post("/notes/note_none/withdraw", data={"gate": "default"}).status_code == 404


def test_what_happened_stands_between_the_notes_newest_first(client):
    client.post("/notes", data={"text": "before the offer"})
    name = a_campaign(client, "schedule")
    client.post("/notes", data={"text": "after the offer"})
    log = text_of(client.get("/partials/log").text)
    assert log.index("after the offer") < log.index(f"Sale {name} was announced") < log.index("before the offer")
    assert "Policy Version 2 was saved" in log


def test_the_log_is_a_file_too(client):
    client.post("/notes", data={"text": "=1+1"})
    rows = list(csv.DictReader(StringIO(client.get("/partials/log?format=csv").content.decode("utf-8-sig"))))
    assert rows[0]["text"] == "'=1+1"
    assert client.get("/partials/log?format=json").json()[0]["text"] == "=1+1"


def test_the_board_tells_watchers_that_the_log_has_grown(client):
    def mark() -> int:
        found = re.search(r'data-log="(\d+)"', client.get("/partials/board").text)
        assert found
        return int(found[1])

    before = mark()
    client.post("/notes", data={"text": "news"})
    assert mark() > before


# --- sends ------------------------------------------------------------------------------------------------------------


def test_a_campaign_is_paused_resumed_and_cancelled_after_a_second_look_with_a_reason(client):
    name = a_campaign(client, "schedule")
    assert f'href="/sends/campaigns/{name}/pause"' in client.get("/").text
    look = client.get(f"/sends/campaigns/{name}/pause")
    assert "Nothing more of it goes until somebody resumes it" in look.text
    assert stands(client, name)[0] != "paused"
    for step, state in (("pause", "paused"), ("resume", None), ("cancel", "cancelled")):
        done = client.post(f"/sends/campaigns/{name}/{step}", data={"reason": f"because of {step}"})
        assert (done.status_code, done.headers["location"]) == (SEE_OTHER, "/?gate=default")
        if state:
            assert stands(client, name) == (state, f"because of {step}")
    assert client.get(f"/sends/campaigns/{name}/resume").status_code == 409
    assert client.post(f"/sends/campaigns/{name}/pause", data={"reason": "again"}).status_code == 409


def test_nothing_is_stopped_without_a_reason_or_by_a_wrong_name(client):
    name = a_campaign(client, "schedule")
    refused = client.post(f"/sends/campaigns/{name}/cancel", data={"reason": "  "})
    assert refused.status_code == 422
    assert "Say why" in refused.text
    assert stands(client, name)[0] != "cancelled"
    assert client.get("/sends/campaigns/nowhere/pause").status_code == 404
    assert client.post("/sends/campaigns/nowhere/pause", data={"reason": "x"}).status_code == 404
    assert client.get("/sends/permits/prm_none/revoke").status_code == 404
    assert client.get(f"/sends/campaigns/{name}/explode").status_code == 422


def test_a_permit_is_revoked_after_a_second_look(client):
    made = client.post(
        "/api/v1/gates/default/overrides", json={"effect": "allow", "comment": "x", "duration_minutes": 5}
    )
    assert made.status_code == 201
    asked = {"gate": "default", "audience": 100}
    permit = client.post("/api/v1/permits", json=asked, headers={"Idempotency-Key": "revoke-me"}).json()["permit_id"]
    client.delete(f"/api/v1/gates/default/overrides/{made.json()['id']}")
    assert f'href="/sends/permits/{permit}/revoke"' in client.get("/").text
    assert "0 of 100 were reported as sent" in client.get(f"/sends/permits/{permit}/revoke").text
    assert client.post(f"/sends/permits/{permit}/revoke", data={"reason": ""}).status_code == 422
    assert client.post(f"/sends/permits/{permit}/revoke", data={"reason": "wrong list"}).status_code == SEE_OTHER
    assert client.get(f"/api/v1/permits/{permit}").json()["state"] == "revoked"
    assert client.post(f"/sends/permits/{permit}/revoke", data={"reason": "again"}).status_code == 409


# --- charts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", ["3h", "24h", "7d", "30d", "1y", "9y"])
def test_four_charts_come_in_one_answer_with_a_sentence_each(client, length):
    told = client.get("/partials/charts", params={"queue": "orders-voice", "range": length, "theme": "light"}).json()
    assert [chart["metric"] for chart in told["charts"]] == [
        *("speed_to_answer_seconds", "backlog", "service_level_ratio", "handle_time_seconds")
    ]
    for chart in told["charts"]:
        assert chart["caption"].endswith(".")
        assert chart["figure"]["data"]
    assert told["meanwhile"].startswith("The gate was")
    assert told["refresh_seconds"] >= 5


def test_who_asks_for_the_same_charts_gets_the_same_answer_and_a_note_is_on_the_next(client):
    query = {"queue": "care-chat", "behind": "yesterday,last-week", "zone": "Asia/Kolkata"}
    assert client.get("/partials/charts", params=query).content == client.get("/partials/charts", params=query).content
    client.post("/notes", data={"text": "shown on charts"})
    assert "shown on charts" in client.get("/partials/charts", params={"queue": "billing-voice"}).text


def test_the_history_is_a_table_and_a_file(client):
    page = client.get("/history?queue=orders-voice&metric=backlog&range=3h").text
    assert "Backlog of orders-voice" in page
    assert "Contacts waiting now" in page
    rows = client.get("/history?queue=orders-voice&metric=backlog&range=3h&format=json").json()
    assert rows == sorted(rows, key=lambda row: row["at"])
    assert set(rows[0]) == {"at", "value", "lowest", "highest", "weight"}
    assert client.get("/history?queue=nowhere&metric=backlog").text.count("There are no data in this span") == 1


def test_pieces_of_a_gate_that_is_not_there_are_not_found(client):
    for piece in ("board", "checks", "queues", "log", "asks", "charts"):
        assert client.get(f"/partials/{piece}?gate=nowhere").status_code == 404
    assert client.post("/notes", data={"gate": "nowhere", "text": "x"}).status_code == 404


# --- roles ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("guarded"), auth="on") as started:
        yield started


def test_who_may_only_look_is_offered_nothing_and_refused_everything(guarded):
    with signed_in(guarded, Role.VIEWER) as viewer:
        page = viewer.get("/").text
        assert 'action="/notes"' not in page
        assert 'data-may=""' in page
        assert viewer.post("/notes", data={"text": "x"}).status_code == 403
        assert viewer.get("/sends/campaigns/x/pause").status_code == 403
        assert viewer.get("/sends/permits/x/revoke").status_code == 403


def test_the_first_run_leads_who_may_make_keys_to_where_they_are_made(guarded):
    with signed_in(guarded, Role.ADMIN) as admin, signed_in(guarded, Role.VIEWER) as viewer:
        for person, may_make in ((admin, True), (viewer, False)):
            page = person.get("/").text
            first = page[page.index('id="first-run"') : page.index("</section>", page.index('id="first-run"'))]
            assert ('href="/settings/keys?scope=ingest"' in first) is may_make
            assert ("Whoever manages holdfire makes it" in first) is not may_make
            assert 'href="/sources#connect-title"' in first


def test_marketers_write_for_all_to_read_and_take_back_only_their_own(guarded):
    with (
        signed_in(guarded, Role.VIEWER) as viewer,
        signed_in(guarded, Role.MARKETER) as marketer,
        signed_in(guarded, Role.WORKFORCE) as planner,
        signed_in(guarded, Role.ADMIN) as admin,
    ):
        assert 'data-may="campaigns permits"' in marketer.get("/").text
        assert marketer.post("/notes", data={"text": "hello"}).status_code == SEE_OTHER
        assert marketer.get("/sends/permits/x/revoke").status_code == 403
        for person in (viewer, planner):
            log = person.get("/partials/log").text
            assert "hello" in log
            assert "/withdraw" not in log
        (withdraw,) = re.findall(r"/notes/note_\w+/withdraw", admin.get("/").text)[:1]
        assert planner.post(withdraw, data={"gate": "default"}).status_code == 403
        assert marketer.post(withdraw, data={"gate": "default"}).status_code == SEE_OTHER
        assert "hello" not in viewer.get("/partials/log").text
