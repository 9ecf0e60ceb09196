"""What happened, as the API tells it; the changes are made through the API, too."""

from typing import Any

import pytest

from app.core.event import EventType
from tests.support.whole import POLICY, a_whole


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as made:
        yield made


async def told(whole, **filters):
    """Return the events that fit, oldest first."""
    async with whole.client("read") as client:
        answered = await client.get("/api/v1/events", params={name: str(value) for name, value in filters.items()})
    assert answered.status_code == 200, answered.text
    return list(reversed(answered.json()["items"]))


async def the_one(whole, kind):
    (event,) = await told(whole, type=kind)
    return event


async def test_who_made_and_deleted_a_gate_is_told(whole):
    async with whole.client("policies") as client:
        assert (await client.post("/api/v1/gates", json={"name": "spring"})).status_code == 201
        await client.put("/api/v1/gates/spring/policy", params={"reason": "to begin with"}, json=POLICY)
        assert (await client.delete("/api/v1/gates/spring")).status_code == 204
    made, saved, deleted = await told(whole, subject="gate/spring", actor=await key_id(whole, "key for policies"))
    assert [event["type"] for event in (made, saved, deleted)] == ["gate.created", "policy.saved", "gate.deleted"]
    assert saved["actor"]["name"] == "key for policies"
    assert (saved["reason"], saved["before"], saved["gate"]) == ("to begin with", None, "spring")
    assert saved["after"] == deleted["before"] == {"version": 1, "policy": POLICY}


async def key_id(whole, name):
    return next(key.id for key in await whole.services.keys.all() if key.name == name)


async def test_who_changed_and_retired_a_queue_is_told(whole):
    async with whole.client("policies") as client:
        await client.put("/api/v1/queues/orders-voice", json={"title": "Orders"})
        await client.put("/api/v1/queues/orders-voice", json={"title": "Orders"})
        await client.delete("/api/v1/queues/orders-voice")
    changed, retired = await told(whole, type="queue.changed")
    assert (changed["subject"], changed["before"], changed["after"]["title"]) == ("queue/orders-voice", None, "Orders")
    assert (retired["reason"], retired["before"]["retired_at"]) == ("retired", None)
    assert retired["after"]["retired_at"] is not None


async def test_keys_are_told_without_their_secrets(whole):
    async with whole.client("admin") as client:
        made = (await client.post("/api/v1/keys", json={"name": "mailer", "scopes": ["readiness"]})).json()
        await client.delete(f"/api/v1/keys/{made['id']}")
        await client.delete(f"/api/v1/keys/{made['id']}")
    created, revoked = await told(whole, subject=f"key/{made['id']}")
    assert created["after"] == {"name": "mailer", "scopes": ["readiness"], "env": "live", "expires_at": None}
    assert (revoked["type"], revoked["actor"]["name"]) == ("key.revoked", "key for admin")
    assert made["key"].rpartition("_")[2] not in str(await told(whole, limit=500))


async def test_a_refused_change_is_no_event(whole):
    before = len(await told(whole, limit=500))
    async with whole.client("policies") as client:
        assert (await client.post("/api/v1/gates", json={"name": "default"})).status_code == 409
        refused = await client.put("/api/v1/gates/default/policy", headers={"If-Match": '"1"'}, json=POLICY)
        assert refused.status_code == 412
    keys_made = 2  # one to ask and one to look
    assert len(await told(whole, limit=500)) == before + keys_made


async def test_a_gate_that_changes_tells_of_it_once(whole):
    whole.clock.move(1)
    await whole.slam()
    await whole.evaluate(1)
    held = await the_one(whole, EventType.DECISION_HOLD)
    assert (held["before"], held["after"]["state"]) == ({"state": "send"}, "hold")
    assert held["after"]["reasons"] == ["backlog_high"]
    assert (held["actor"]["id"], held["subject"], held["gate"]) == ("holdfire", "gate/default", "default")
    async with whole.client("read") as client:
        row = (await client.get(f"/api/v1/decisions/{held['after']['decision_id']}")).json()
    assert (row["state"], row["at"], row["summary"]) == ("hold", held["at"], held["reason"])


async def test_lost_data_is_told_and_its_return_too(whole):
    await whole.evaluate(300)
    stale = await the_one(whole, EventType.FEED_STALE)
    assert stale["after"]["state"] == "unknown"
    assert [reason["code"] for reason in stale["after"]["reasons"]] == ["data_stale"]
    assert await told(whole, type=EventType.FEED_RECOVERED) == []
    await whole.quiet()
    recovered = await the_one(whole, EventType.FEED_RECOVERED)
    assert recovered["seq"] > stale["seq"]
    assert recovered["after"]["state"] == "send"
    await the_one(whole, EventType.FEED_STALE)


async def test_a_new_gate_has_not_lost_data_that_it_never_had(whole):
    async with whole.client("policies") as client:
        await client.post("/api/v1/gates", json={"name": "spring"})
        await client.put("/api/v1/gates/spring/policy", json=POLICY | {"queues": ["nobody"]})
    await whole.evaluate(1)
    assert [event["type"] for event in await told(whole, gate="spring")] == [
        "gate.created",
        "policy.saved",
        "decision.unknown",
    ]
    assert await told(whole, type=EventType.FEED_STALE) == []


async def test_an_answer_is_an_event_when_its_row_begins_and_not_each_time_it_is_given(whole):
    async with whole.client("readiness") as client:
        for _ in range(3):
            answered = (await client.get("/api/v1/readiness?gate=default&audience=70&campaign=spring")).json()
            await whole.services.asks.write()
    asked = await the_one(whole, EventType.DECISION_ASKED)
    assert (asked["actor"]["name"], asked["campaign"]) == ("key for readiness", "spring")
    assert asked["subject"] == f"decision/{answered['decision_id']}"
    told_to = {name: asked["after"][name] for name in ("state", "status", "allow", "requested")}
    assert told_to == {"state": "send", "status": 200, "allow": 70, "requested": 70}
    assert len(asked["after"]["inputs_sha256"]) == len(asked["after"]["sha256"]) == 64


async def test_events_come_newest_first_in_pages_with_a_link_to_the_next(whole):
    async with whole.client("read") as client:
        everything = (await client.get("/api/v1/events?limit=500")).json()
        found: list[dict[str, Any]] = []
        path: str | None = "/api/v1/events?limit=2"
        while path:
            page = await client.get(path)
            found += page.json()["items"]
            path = page.links["next"]["url"] if page.links else None
        assert found == everything["items"]
        assert everything["next_cursor"] is None
        assert [event["seq"] for event in found] == list(range(len(found), 0, -1))
        assert (await client.get(f"/api/v1/events/{found[0]['seq']}")).json() == found[0]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/events/999", 404),
        ("/api/v1/events/0", 422),
        ("/api/v1/events/one", 422),
        ("/api/v1/events?type=nothing.happened", 422),
        ("/api/v1/events?from=yesterday", 422),
        ("/api/v1/events?cursor=bad", 422),
        ("/api/v1/events?limit=0", 422),
        ("/api/v1/events?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk", 200),
    ],
)
async def test_questions_about_events_are_checked(whole, path, status):
    async with whole.client("read") as client:
        assert (await client.get(path)).status_code == status


async def test_events_need_the_scope_read(whole):
    async with whole.client("readiness") as client:
        assert (await client.get("/api/v1/events")).status_code == 403
        assert (await client.get("/api/v1/events/1")).status_code == 403
