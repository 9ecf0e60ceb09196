"""Overrides over HTTP: what they make of answers, what is refused, what stays in the list."""

from datetime import timedelta

import pytest

from tests.support.whole import a_whole

ASK = "/api/v1/readiness?audience=1000&campaign=spring"
OVERRIDES = "/api/v1/gates/default/overrides"
HOLD = {"effect": "hold", "comment": "phones are down", "created_by": "Ann", "duration_minutes": 60}
ALLOW = {"effect": "allow", "comment": "the backlog is a test", "created_by": "Bob", "duration_minutes": 60}


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as whole:
        yield whole


@pytest.fixture
async def client(whole):
    async with whole.client("admin") as client:
        yield client


async def make(client, override, **changes):
    answer = await client.post(OVERRIDES, json=override | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def transitions(whole, client):
    """Return the changes of what everybody is told, newest first."""
    await whole.services.evaluator.flush()
    found = (await client.get("/api/v1/decisions?kind=transition")).json()["items"]
    return [(each["before"], each["state"], each["at"]) for each in found]


# --- what it makes of answers ---


async def test_a_hold_counts_when_its_answer_comes_and_says_who_and_why(whole, client):
    assert (await client.get(ASK)).status_code == 200
    made = await make(client, HOLD)
    answer = await client.get(ASK)
    body = answer.json()
    assert (answer.status_code, body["decision"], body["proceed"], body["allow"]) == (429, "hold", False, 0)
    assert body["override"] == {
        "id": made["id"],
        "effect": "hold",
        "created_by": "Ann",
        "comment": "phones are down",
        "ends_at": "2026-11-21T16:00:00Z",
    }
    assert body["reasons"][0]["code"] == "override_hold"
    assert body["summary"] == "held by Ann until 16:00 (UTC): phones are down"
    assert 1 <= body["retry_after_seconds"] <= 300
    whole.clock.move(3600)
    await whole.quiet()
    assert (await client.get(ASK)).json()["override"] is None


async def test_a_hold_that_begins_later_holds_from_its_very_instant_on(whole, client):
    begins = whole.clock.now() + timedelta(seconds=10)
    await make(client, HOLD, starts_at=begins.isoformat())
    await whole.quiet()
    before = await client.get(ASK)
    assert (before.status_code, before.json()["valid_until"]) == (200, "2026-11-21T15:00:10Z")
    whole.clock.move(10)  # and nothing is evaluated meanwhile
    assert (await client.get(ASK)).json()["reasons"][0]["code"] == "override_hold"


async def test_an_allow_ends_at_its_very_instant_though_nothing_was_evaluated_since(whole, client):
    whole.clock.move(1)
    await whole.slam()
    await make(client, ALLOW, duration_minutes=1)
    await whole.evaluate(50)
    await whole.slam()
    assert (await client.get(ASK)).status_code == 200
    whole.clock.move(10)
    assert (await client.get(ASK)).status_code == 429


async def test_an_allow_lets_a_held_gate_send_and_tells_what_it_lifted(whole, client):
    whole.clock.move(1)
    await whole.slam()
    made = await make(client, ALLOW)
    body = (await client.get(ASK)).json()
    assert (body["decision"], body["proceed"], body["allow"]) == ("send", True, 1000)
    assert body["override"]["id"] == made["id"]
    assert body["summary"] == "allowed by Bob until 16:01 (UTC): the backlog is a test"
    assert [(each["code"], each["binding"]) for each in body["reasons"]] == [
        ("override_allow", True),
        ("backlog_high", False),
    ]


async def test_an_allow_does_not_lift_missing_data_unless_it_says_so(whole, client):
    await make(client, ALLOW)
    await whole.evaluate(500)
    assert (await client.get(ASK)).status_code == 503
    await make(client, ALLOW, even_without_data=True)
    body = (await client.get(ASK)).json()
    assert (body["decision"], body["reasons"][1]["code"]) == ("send", "data_stale")


async def test_an_override_with_matchers_touches_only_asks_that_fit(client):
    await make(client, HOLD, matchers=[{"name": "campaign", "value": "spring|summer.*", "is_regex": True}])
    assert (await client.get(ASK)).status_code == 429
    assert (await client.get("/api/v1/readiness?campaign=spring-2")).status_code == 200
    assert (await client.get("/api/v1/readiness?campaign=summer-2")).status_code == 429
    assert (await client.get("/api/v1/gates/default")).json()["decision"] == "send"


async def test_everybody_sees_an_override_without_matchers_as_the_gates_own_decision(whole, client):
    whole.clock.move(1)
    await make(client, HOLD)
    gate = (await client.get("/api/v1/gates/default")).json()
    assert (gate["state"], gate["reasons"][0]["code"]) == ("hold", "override_hold")
    assert gate["since"] == "2026-11-21T15:00:01Z"
    assert (await transitions(whole, client))[0] == ("send", "hold", "2026-11-21T15:00:01Z")


async def test_what_everybody_is_told_is_remembered_over_a_restart(tmp_path):
    async with a_whole(tmp_path) as whole, whole.client("admin") as client:
        await make(client, HOLD)
        told = await transitions(whole, client)
        assert ("hold", "2026-11-21T15:00:00Z") in {each[1:] for each in told}
    async with a_whole(tmp_path) as again, again.client("admin") as client:
        await again.evaluate(30)
        gate = (await client.get("/api/v1/gates/default")).json()
        assert (gate["state"], gate["since"]) == ("hold", "2026-11-21T15:00:00Z")
        assert await transitions(again, client) == told
        again.clock.move(3600)
        await again.quiet()
        gate = (await client.get("/api/v1/gates/default")).json()
        assert (gate["state"], gate["since"]) == ("send", "2026-11-21T16:00:30Z")


async def test_each_answer_it_touched_is_counted_and_each_decision_names_it(whole, client):
    made = await make(client, HOLD)
    for _ in range(3):
        decision_id = (await client.get(ASK)).json()["decision_id"]
    await whole.services.asks.write()
    seen = (await client.get(f"{OVERRIDES}/{made['id']}")).json()
    assert (seen["used_count"], seen["last_used_at"]) == (3, "2026-11-21T15:00:00Z")
    row = await whole.store.decisions.decision(decision_id)
    assert (row.override_id, row.count) == (made["id"], 3)


async def test_a_permit_that_it_let_go_is_counted_too(whole, client):
    whole.clock.move(1)
    await whole.slam()
    made = await make(client, ALLOW)
    permit = await client.post("/api/v1/permits", json={"gate": "default", "audience": 10})
    assert (permit.status_code, permit.json()["override"]["id"]) == (200, made["id"])
    await whole.services.asks.write()
    assert (await client.get(f"{OVERRIDES}/{made['id']}")).json()["used_count"] == 1
    assert (await client.get(f"/api/v1/decisions/{permit.json()['decision_id']}")).json()["override_id"] == made["id"]


# --- ending ---


async def test_ending_one_counts_at_once_and_it_stays_in_the_list(whole, client):
    made = await make(client, HOLD)
    whole.clock.move(5)
    ended = (await client.delete(f"{OVERRIDES}/{made['id']}?reason=phones+work")).json()
    assert (ended["status"]["state"], ended["ends_at"]) == ("expired", "2026-11-21T15:00:05Z")
    assert (await client.get(ASK)).status_code == 200
    assert (await client.delete(f"{OVERRIDES}/{made['id']}")).json() == ended
    assert (await client.get(OVERRIDES)).json()["items"] == [ended]
    assert (await client.get(f"{OVERRIDES}?open=true")).json()["items"] == []


async def test_the_list_comes_in_pages_newest_first(whole, client):
    ids = []
    for _ in range(3):
        ids.append((await make(client, HOLD))["id"])
        whole.clock.move(1)
    first = (await client.get(f"{OVERRIDES}?limit=2")).json()
    second = (await client.get(f"{OVERRIDES}?limit=2&cursor={first['next_cursor']}")).json()
    assert [each["id"] for each in [*first["items"], *second["items"]]] == ids[::-1]
    assert second["next_cursor"] is None


async def test_a_deleted_gate_leaves_no_override_to_a_new_one_of_its_name(whole, client):
    await make(client, HOLD)
    await client.delete("/api/v1/gates/default")
    await client.post("/api/v1/gates", json={"name": "default"})
    await whole.policy()
    assert (await client.get(ASK)).status_code == 200


# --- refused ---


async def test_all_that_is_wrong_is_told_where_it_is_and_nothing_changes(client):
    matchers = [{"name": "queue", "value": "orders"}, {"name": "campaign", "value": "(a+)+", "is_regex": True}]
    given = HOLD | {"comment": " ", "duration_minutes": 9_999, "matchers": matchers}
    answer = await client.post(OVERRIDES, json=given)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [
        *("/duration_minutes", "/comment", "/matchers/0/name", "/matchers/1/value"),
    ]
    assert (await client.get(OVERRIDES)).json()["items"] == []


@pytest.mark.parametrize(
    ("changes", "pointer", "says"),
    [
        ({"ends_at": "2026-11-21T16:00:00"}, "/ends_at", "no time zone"),
        ({"duration_minutes": 0}, "/duration_minutes", "greater than 0"),
        ({"comment": None}, "/comment", "string"),
        ({"effect": "stop"}, "/effect", "'hold' or 'allow'"),
        ({"reason": "x"}, "/reason", "unknown field"),
    ],
)
async def test_what_is_no_override_at_all_is_refused(client, changes, pointer, says):
    answer = await client.post(OVERRIDES, json=HOLD | changes)
    assert answer.status_code == 422
    faults = {fault["pointer"]: fault["detail"] for fault in answer.json()["errors"]}
    assert says in faults[pointer]


async def test_a_policy_can_keep_overrides_shorter(whole, client):
    await whole.policy(max_override_minutes=30)
    answer = await client.post(OVERRIDES, json=HOLD)
    assert "30 that the gate's policy allows" in answer.json()["errors"][0]["detail"]
    assert (await client.post(OVERRIDES, json=HOLD | {"duration_minutes": 30})).status_code == 201


async def test_so_many_at_once_are_refused_but_not_so_many_over_time(whole, client):
    whole.clock.move(0)
    for _ in range(100):
        await make(client, HOLD, duration_minutes=1)
    assert (await client.post(OVERRIDES, json=HOLD)).status_code == 422
    whole.clock.move(60)
    await whole.services.overrides.look()
    assert (await client.post(OVERRIDES, json=HOLD)).status_code == 201


async def test_what_is_not_there_is_not_found(client):
    made = await make(client, HOLD)
    await client.post("/api/v1/gates", json={"name": "spring"})
    for path in (
        "/api/v1/gates/nowhere/overrides",
        f"/api/v1/gates/spring/overrides/{made['id']}",
        f"{OVERRIDES}/ovr_nothing",
    ):
        assert (await client.get(path)).status_code == 404, path
    assert (await client.post("/api/v1/gates/nowhere/overrides", json=HOLD)).status_code == 404
    assert (await client.delete(f"/api/v1/gates/spring/overrides/{made['id']}")).status_code == 404


async def test_reading_does_not_let_anybody_override(whole):
    async with whole.client("read", "readiness", "campaigns") as reader:
        assert (await reader.post(OVERRIDES, json=HOLD)).status_code == 403
        assert (await reader.get(OVERRIDES)).status_code == 200
    async with whole.client("policies") as writer:
        made = await make(writer, HOLD)
        assert (await writer.get(OVERRIDES)).status_code == 403
        assert (await writer.delete(f"{OVERRIDES}/{made['id']}")).status_code == 200
