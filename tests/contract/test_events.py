from datetime import timedelta, timezone

import pytest

from app.core.event import HOLDFIRE, Actor, EventType
from app.core.floor.targets import QueueTargets
from app.errors import Conflict, HoldfireError, Invalid, NotFound
from app.ports.keys import ApiKey
from app.store.audit import verify
from tests.support.builders import NOW, after, an_event
from tests.support.databases import a_database_url, a_store

ANN, BOB = Actor("key1", "ann"), Actor("key2", "bob")
KEY = ApiKey("abc", "mailer", frozenset({"read", "ingest"}), b"\x07" * 32, NOW)


@pytest.fixture
async def log(store):
    """The log of a new installation, which begins with its default gate."""
    return store.events


async def types(log, **filters):
    return [written.event.type.value for written in reversed(await log.events(**filters))]


async def test_a_new_installation_begins_with_the_events_of_its_first_gate(log):
    assert await types(log) == ["gate.created", "policy.saved"]
    newest = (await log.events(limit=1))[0]
    assert (newest.seq, newest.event.actor, newest.event.after["version"]) == (2, HOLDFIRE, 1)


async def test_what_is_appended_is_read_back_whole(log):
    event = an_event(
        EventType.QUEUE_CHANGED,
        after(0.000007),
        subject="queue/örders",
        reason='said "so"',
        gate="default",
        campaign="spring",
        before={"title": None, "b": [1, 2.5, "ü"], "a": True},
        after={},
    )
    (written,) = await log.append([event])
    assert written.seq == 3
    assert await log.event(3) == written
    assert written.event == event


async def test_events_have_places_without_gaps_and_each_its_own_digest(log):
    for _ in range(3):
        await log.append([an_event(), an_event()])
    found = await log.events()
    assert [written.seq for written in found] == list(range(8, 0, -1))
    assert len({written.sha256 for written in found}) == 8
    assert await log.append([]) == ()


async def test_instants_in_before_and_after_are_kept_as_text(log):
    (written,) = await log.append([an_event(after={"ends_at": after(60)})])
    assert (await log.event(written.seq)).event.after == {"ends_at": "2026-11-21T15:01:00Z"}


async def test_a_place_where_nothing_is_is_not_found(log):
    with pytest.raises(NotFound, match="event 99"):
        await log.event(99)


EVENTS = [
    an_event(EventType.GATE_CREATED, after(10), subject="gate/a", gate="a"),
    an_event(EventType.POLICY_SAVED, after(20), subject="gate/a", gate="a", actor=BOB),
    an_event(EventType.CAMPAIGN_CREATED, after(15), subject="campaign/spring", gate="a", campaign="spring"),
    an_event(EventType.CAMPAIGN_PAUSED, after(30), subject="campaign/spring", gate="b", campaign="spring", actor=BOB),
]


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({"type": "policy.saved"}, [1]),
        ({"subject": "campaign/spring"}, [2, 3]),
        ({"gate": "a"}, [0, 1, 2]),
        ({"gate": "a", "actor": "key2"}, [1]),
        ({"campaign": "spring"}, [2, 3]),
        ({"actor": "key2"}, [1, 3]),
        ({"start": after(15)}, [1, 2, 3]),
        ({"start": after(15), "until": after(30)}, [1, 2]),
        ({"until": after(15)}, [0]),
        ({"gate": "a", "start": after(15)}, [1, 2]),
        ({"start": after(31), "until": after(99)}, []),
        ({"gate": "nowhere"}, []),
    ],
)
async def test_filters_choose_events(log, filters, wanted):
    await log.append(EVENTS)
    found = [written.event for written in await log.events(**filters) if written.seq > 2]
    assert found == [EVENTS[place] for place in reversed(wanted)]


async def test_pages_hold_every_event_once_newest_first(log):
    await log.append([an_event(at=after(number % 7)) for number in range(23)])
    for limit in (1, 4, 25, 1_000):
        found, before = [], None
        while page := await log.events(before=before, limit=limit):
            found += page
            before = page[-1].seq
        assert [written.seq for written in found] == list(range(25, 0, -1))


async def test_the_page_before_one_ends_where_that_begins(log):
    await log.append([an_event() for _ in range(20)])
    assert [written.seq for written in await log.events(after=10, limit=3)] == [13, 12, 11]
    assert [written.seq for written in await log.events(after=19, limit=100)] == [22, 21, 20]
    assert [written.seq for written in await log.events(after=10, before=13)] == [12, 11]
    assert await log.events(after=22) == []


@pytest.mark.parametrize("limit", [0, 1_001])
async def test_a_page_has_1_to_1_000_events(log, limit):
    with pytest.raises(Invalid, match="limit"):
        await log.events(limit=limit)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET reason = 'forged' WHERE seq = 1",
        "DELETE FROM events WHERE seq = 2",
        "INSERT INTO events SELECT 9, type, at, actor_id, actor_name, '', '', '', '', '', '', sha256 FROM events",
    ],
)
async def test_the_database_itself_refuses_to_change_what_was_written(store, statement):
    with pytest.raises(HoldfireError, match="append-only"):
        await store.database.write(lambda connection: connection.exec_driver_sql(statement))
    assert await types(store.events) == ["gate.created", "policy.saved"]


async def test_what_was_written_cannot_be_replaced_either(store, kind):
    statements = {  # each deletes a row by a way of its own, without any DELETE
        "sqlite": "INSERT OR REPLACE INTO events SELECT * FROM events WHERE seq = 1",
        "postgresql": "TRUNCATE events",
    }
    with pytest.raises(HoldfireError, match="append-only"):
        await store.database.write(lambda connection: connection.exec_driver_sql(statements[kind]))
    assert await types(store.events) == ["gate.created", "policy.saved"]


async def test_a_change_that_fails_leaves_no_event(store):
    with pytest.raises(Conflict):
        await store.gates.create_gate("default", NOW, an_event())
    with pytest.raises(Conflict):
        await store.gates.save_policy(
            "default", {}, author="ann", reason="", at=NOW, expected=7, event=an_event(EventType.POLICY_SAVED)
        )
    with pytest.raises(NotFound):
        await store.keys.revoke_key("nobody", NOW, an_event(EventType.KEY_REVOKED))
    assert await types(store.events) == ["gate.created", "policy.saved"]


async def test_a_saved_policy_is_told_with_what_was_before(store):
    document = {"queues": ["*"], "rules": []}
    await store.gates.save_policy(
        "default", document, author="ann", reason="", at=NOW, expected=1, event=an_event(EventType.POLICY_SAVED)
    )
    (saved, first) = [written.event for written in await store.events.events(type="policy.saved")]
    assert saved.before == first.after
    assert saved.after == {"version": 2, "policy": document}


async def test_a_deleted_gate_is_told_with_its_last_policy(store):
    newest = (await store.gates.policy("default")).document
    await store.gates.delete_gate("default", an_event(EventType.GATE_DELETED))
    (deleted,) = [written.event for written in await store.events.events(type="gate.deleted")]
    assert (deleted.before, deleted.after) == ({"version": 1, "policy": newest}, None)


async def test_changed_targets_are_told_once(store):
    changed = an_event(EventType.QUEUE_CHANGED)
    await store.queues.save_targets("orders", QueueTargets(title="Orders"), changed)
    await store.queues.save_targets("orders", QueueTargets(title="Orders"), changed)
    await store.queues.save_targets("orders", QueueTargets(title="Orders", retired_at=NOW), changed)
    retired, first = [written.event for written in await store.events.events(type="queue.changed")]
    assert first.before is None
    assert retired.before == first.after
    assert (first.after["title"], retired.after["retired_at"]) == ("Orders", "2026-11-21T15:00:00Z")


async def test_keys_are_told_without_secrets_and_revoked_once(store):
    await store.keys.add_key(KEY, an_event(EventType.KEY_CREATED, after={"name": KEY.name}))
    for _ in range(2):
        await store.keys.revoke_key("abc", after(5), an_event(EventType.KEY_REVOKED))
    told = await store.events.events()
    assert [written.event.type.value for written in told[:2]] == ["key.revoked", "key.created"]
    assert told[0].event.after["revoked_at"] == "2026-11-21T15:00:05Z"
    assert not any("07070707" in str(written.event) or "secret" in str(written.event) for written in told)


async def test_the_log_goes_on_after_reopening(store, kind, tmp_path):
    await store.events.append([an_event()])
    await store.close()
    async with a_store(tmp_path, kind) as again:
        assert (await again.events.append([an_event()]))[0].seq == 4
        newest = (await again.events.events(limit=1))[0]
    verified = verify(a_database_url(kind, tmp_path))
    assert (verified.count, verified.head, verified.broken) == (4, newest.sha256, None)


async def test_an_instant_in_another_zone_is_the_same_instant(log):
    elsewhere = timezone(timedelta(hours=5, minutes=30))
    (written,) = await log.append([an_event(at=after(1).astimezone(elsewhere))])
    assert (await log.event(written.seq)).event.at == after(1)


async def test_events_of_some_types_alone_and_the_last_place_of_a_gate(log):
    kinds = (EventType.POLICY_SAVED, EventType.DECISION_ASKED, EventType.WAVE_OPENED)
    await log.append([an_event(kind, gate="emea") for kind in kinds])
    wanted = [EventType.POLICY_SAVED, EventType.WAVE_OPENED]
    assert [each.event.type for each in await log.events(gate="emea", types=wanted)] == wanted[::-1]
    (newest,) = await log.events(gate="emea", limit=1)
    assert await log.last("emea") == newest.seq
    assert await log.last("nowhere") == 0
