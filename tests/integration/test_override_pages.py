"""The overrides' page over HTTP: what people hold or allow by hand binds at once, is seen everywhere, and ends."""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx2
import pytest

from app.core.access import Role
from tests.support.people import signed_in, visiting
from tests.support.server import Server, a_server

SEE_OTHER = 303
POLICY = {"queues": ["*"], "time_zone": "UTC", "rules": [{"metric": "backlog", "hold_above": 10}]}
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("overrides")) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    with closing(visiting(server)) as opened:
        yield opened


@pytest.fixture
def gate(client: httpx2.Client) -> str:
    name = f"g{next(_NUMBERS)}"
    client.post("/api/v1/gates", json={"name": name}).raise_for_status()
    client.put(f"/api/v1/gates/{name}/policy", json=POLICY).raise_for_status()
    return name


def at(minutes: float) -> str:
    """Return the center's wall clock some minutes from now, as a browser sends it."""
    return f"{datetime.now(UTC) + timedelta(minutes=minutes):%Y-%m-%dT%H:%M}"


def make(client: httpx2.Client, gate: str, **fields: str) -> httpx2.Response:
    sent = {"effect": "hold", "ends": at(61), "reason": "launch freeze"} | fields
    return client.post("/overrides", params={"gate": gate}, data=sent)


def made_id(answer: httpx2.Response) -> str:
    assert answer.status_code == SEE_OTHER, answer.text
    return answer.headers["location"].partition("made=")[2]


def shown(client: httpx2.Client, gate: str, override_id: str) -> Any:
    return client.get(f"/api/v1/gates/{gate}/overrides/{override_id}").json()


def test_a_hold_by_hand_binds_says_who_and_why_and_is_in_the_audit_log(client, gate):
    override = made_id(make(client, gate))
    saved = shown(client, gate, override)
    assert (saved["effect"], saved["comment"], saved["created_by"]) == ("hold", "launch freeze", "anonymous")
    assert not saved["even_without_data"]
    answer = client.get("/api/v1/readiness", params={"gate": gate})
    assert answer.status_code == 429
    assert answer.json()["override"]["id"] == override
    page = client.get("/overrides", params={"gate": gate}).text
    assert "“launch freeze” – anonymous" in page  # noqa: RUF001  as it is printed
    (event,) = client.get("/api/v1/events", params={"type": "override.created", "gate": gate}).json()["items"]
    assert (event["reason"], event["actor"]["name"]) == ("launch freeze", "anonymous")


def test_it_is_seen_on_every_page_of_every_gate(client, gate):
    override = made_id(make(client, gate, reason="storm <b>"))
    for path in ("/", "/plan", "/thresholds", "/decisions"):
        page = client.get(path).text
        for _ in range(600):
            if override in page:
                break
            time.sleep(0.1)  # the evaluator looks ten times a second
            page = client.get(path).text
        (line,) = re.findall(rf'<li class="is-hold" id="overriding-{override}">(.*?)</li>', page)
        assert f"at gate {gate}" in line
        assert "storm &lt;b&gt;" in line
        assert 'data-until="' in line


def test_an_allow_reaches_over_missing_data_only_where_that_is_said(client, gate):
    plain = made_id(make(client, gate, effect="allow"))
    assert client.get("/api/v1/readiness", params={"gate": gate}).status_code == 503
    client.post(f"/overrides/{plain}/end", params={"gate": gate}, data={"reason": "not enough"})
    made_id(make(client, gate, effect="allow", blind="yes"))
    assert client.get("/api/v1/readiness", params={"gate": gate}).status_code == 200


def test_it_can_be_for_some_sends_only(client, gate):
    override = made_id(make(client, gate, campaign="spring", traffic="service"))
    assert [(each["name"], each["value"]) for each in shown(client, gate, override)["matchers"]] == [
        ("campaign", "spring"),
        ("traffic_class", "service"),
    ]
    assert "campaign spring and traffic class service" in client.get("/overrides", params={"gate": gate}).text


def test_one_is_ended_with_a_reason_and_stays_in_the_list(client, gate):
    override = made_id(make(client, gate))
    where = {"gate": gate}
    refused = client.post(f"/overrides/{override}/end", params=where, data={"reason": " "})
    assert refused.status_code == 422
    assert f'id="end-{override}-fault"' in refused.text
    assert shown(client, gate, override)["status"]["state"] == "active"
    assert client.post(f"/overrides/{override}/end", params=where, data={"reason": "over"}).status_code == SEE_OTHER
    assert shown(client, gate, override)["status"]["state"] == "expired"
    page = client.get("/overrides", params=where).text
    assert "launch freeze" in page[page.index('id="past"') :]
    (event,) = client.get("/api/v1/events", params={"type": "override.ended", "gate": gate}).json()["items"]
    assert event["reason"] == "over"


def test_the_list_of_past_ones_can_begin_at_one_of_them(client, gate):
    where = {"gate": gate}
    first, second = (made_id(make(client, gate, reason=f"number {number}")) for number in range(2))
    for override in (first, second):
        client.post(f"/overrides/{override}/end", params=where, data={"reason": "over"})
    rows = {
        asked: re.findall(r'<tr id="(ovr_\w+)">', client.get("/overrides", params=where | asked_for).text)
        for asked, asked_for in {"all": {}, "first": {"one": first}, "older": {"before": second}}.items()
    }
    assert rows == {"all": [second, first], "first": [first], "older": [first]}


def test_one_that_is_not_there_cannot_be_ended(client, gate):
    answer = client.post("/overrides/ovr_none/end", params={"gate": gate}, data={"reason": "over"})
    assert answer.status_code == 404


def test_one_to_come_can_be_taken_back(client, gate):
    override = made_id(make(client, gate, starts=at(30), ends=at(60)))
    page = client.get("/overrides", params={"gate": gate}).text
    assert "To come" in page
    assert client.get("/api/v1/readiness", params={"gate": gate}).json()["override"] is None
    client.post(f"/overrides/{override}/end", params={"gate": gate}, data={"reason": "no need"})
    assert "To come" not in client.get("/overrides", params={"gate": gate}).text


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"ends": ""}, "ends"),
        ({"ends": "2020-01-01T00:00"}, "ends"),
        ({"ends": at(60 * 9)}, "ends"),
        ({"starts": "2020-01-01T00:00"}, "starts"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"effect": "maybe"}, "effect"),
        ({"traffic": "family"}, "traffic"),
        ({"effect": "hold", "blind": "yes"}, "blind"),
    ],
)
def test_what_is_refused_is_said_and_changes_nothing(client, gate, fields, field):
    answer = make(client, gate, **fields)
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert client.get(f"/api/v1/gates/{gate}/overrides").json()["items"] == []
    kept = fields.get("reason", "launch freeze")[:501]
    assert f'id="reason" name="reason" type="text" value="{kept}"' in answer.text


def test_nobody_signs_with_another_name(client, gate):
    override = made_id(make(client, gate, created_by="Bob"))
    assert shown(client, gate, override)["created_by"] == "anonymous"


def test_all_of_them_can_be_had_as_files(client, gate):
    made_id(make(client, gate, reason="=1+1"))
    rows = client.get("/overrides", params={"gate": gate, "format": "json"}).json()
    assert [(row["reason"], row["state"], row["for"]) for row in rows] == [("=1+1", "active", "all sends")]
    assert ",'=1+1," in client.get("/overrides", params={"gate": gate, "format": "csv"}).text


def test_a_gate_that_is_not_there_has_none(client):
    assert client.get("/overrides", params={"gate": "nowhere"}).status_code == 404
    assert make(client, "nowhere").status_code == 404


def test_everybody_sees_them_and_only_who_sets_policies_makes_or_ends_one(tmp_path):
    with a_server(tmp_path, auth="on") as guarded:
        with closing(signed_in(guarded, Role.WORKFORCE)) as planner:
            override = made_id(make(planner, "default"))
        with closing(signed_in(guarded, Role.VIEWER)) as viewer:
            page = viewer.get("/overrides").text
            assert "launch freeze" in page
            assert "Put it in force" not in page
            assert "End it now" not in page
            assert make(viewer, "default").status_code == 403
            assert viewer.post(f"/overrides/{override}/end", data={"reason": "mine"}).status_code == 403
        with guarded.client() as stranger:
            assert "launch freeze" not in stranger.get("/sign-in").text
