from dataclasses import replace
from hashlib import sha256
from itertools import product
from typing import Any

import pytest

from app.core.event import HOLDFIRE, Actor
from app.core.gate.decision import Verdict
from app.errors import Invalid, NotFound
from app.ports.decisions import DecisionRow, KeptInputs
from app.ports.evaluation import Checkpoint, Transition
from app.ports.keys import ApiKey
from app.store.decision_events import lasting_sha256
from tests.support.builders import NOW, after, an_event

ASKED = DecisionRow(
    id="dec_1",
    kind="asked",
    gate="default",
    at=NOW,
    verdict="hold",
    policy_version=3,
    summary="backlog 12 > 10",
    reasons=({"code": "backlog_high", "observed": 12, "since": None},),
    inputs=({"metric": "backlog", "value": 12.5},),
    asked_by="key:abc",
    campaign="spring",
    requested=500_000,
    accept_partial=True,
    allow=0,
    status=429,
    last_at=NOW,
)
CHANGE = Transition("default", NOW, Verdict.SEND, Verdict.HOLD, 3, "backlog 12 > 10", [{"code": "backlog_high"}], [])


@pytest.fixture
def log(store):
    return store.decisions


async def flush(store, *transitions):
    await store.evaluation.flush(Checkpoint(0, NOW, {}), transitions, [])


async def pages(log, limit, **filters):
    found: list[DecisionRow] = []
    while page := await log.decisions(before=(found[-1].at, found[-1].id) if found else None, limit=limit, **filters):
        assert len(page) <= limit
        found += page
    return found


async def test_a_recorded_answer_is_read_back_whole(log):
    await log.record([ASKED])
    assert await log.decision("dec_1") == ASKED
    assert await log.decisions() == [ASKED]


async def test_the_same_id_again_updates_how_often_and_until_when(log):
    await log.record([ASKED, replace(ASKED, id="dec_2")])
    await log.record([replace(ASKED, count=7, last_at=after(60), summary="ignored")])
    assert await log.decision("dec_1") == replace(ASKED, count=7, last_at=after(60))
    assert (await log.decision("dec_2")).count == 1


async def test_recording_nothing_is_fine(log):
    await log.record([])
    assert await log.decisions() == []


async def test_an_unknown_decision_is_not_found(log):
    with pytest.raises(NotFound, match="'dec_9'"):
        await log.decision("dec_9")


async def test_transitions_written_with_the_checkpoint_are_in_the_log(log, store):
    await flush(store, CHANGE, replace(CHANGE, at=after(1), before=Verdict.HOLD, after=Verdict.SEND))
    newest, oldest = await log.decisions(kind="transition")
    assert (oldest.gate, oldest.at, oldest.before, oldest.verdict) == ("default", NOW, "send", "hold")
    assert (oldest.summary, oldest.reasons, oldest.policy_version) == (CHANGE.summary, ({"code": "backlog_high"},), 3)
    assert (newest.before, newest.verdict) == ("hold", "send")
    assert await log.decision(oldest.id) == oldest


async def test_a_transition_evaluated_again_is_not_doubled(log, store):
    await flush(store, CHANGE)
    before = await log.decisions()
    await flush(store, replace(CHANGE, summary="evaluated again after a crash"), CHANGE)
    assert await log.decisions() == before


async def test_the_decisions_of_a_deleted_gate_stay(log, store):
    await flush(store, CHANGE)
    await store.gates.delete_gate("default", an_event())
    assert len(await log.decisions(gate="default")) == 1


async def test_pages_newest_first_hold_every_row_once_also_at_equal_times(log):
    rows = [replace(ASKED, id=f"dec_{n:03}", at=after(n // 4)) for n in range(50)]
    await log.record(rows)
    for limit in (1, 3, 7, 50, 1000):
        assert await pages(log, limit) == sorted(rows, key=lambda row: (row.at, row.id), reverse=True)


async def test_filters_narrow_the_pages(log):
    choices = list(product(("default", "spring"), ("asked", "transition"), ("send", "hold")))
    rows = [
        replace(ASKED, id=f"dec_{n}", at=after(n), gate=gate, kind=kind, verdict=verdict)
        for n, (gate, kind, verdict) in enumerate(choices)
    ]
    await log.record(rows)
    for gate, kind, verdict in product(("default", None), ("asked", None), ("hold", None)):
        wanted = [r for r in rows if gate in {r.gate, None} and kind in {r.kind, None} and verdict in {r.verdict, None}]
        assert await pages(log, 2, gate=gate, kind=kind, verdict=verdict) == wanted[::-1]
    assert await pages(log, 2, start=after(2), until=after(5)) == rows[2:5][::-1]


async def test_filters_by_who_asked_and_for_what_narrow_the_pages(log):
    choices = list(product(("key1", "key2", "anna"), ("spring", None)))
    rows = [
        replace(ASKED, id=f"dec_{n}", at=after(n), asked_by=who, campaign=campaign)
        for n, (who, campaign) in enumerate(choices)
    ]
    await log.record(rows)
    assert await pages(log, 2, asked_by=["key1"]) == rows[:2][::-1]
    assert await pages(log, 2, asked_by={"key1", "anna", "nobody"}) == [*rows[:2], *rows[4:]][::-1]
    assert await pages(log, 2, campaign="spring") == rows[::2][::-1]
    assert await pages(log, 1, asked_by=["anna"], campaign="spring", until=after(5)) == [rows[4]]


async def test_only_what_an_override_touched_is_found_when_that_is_wanted(log, store):
    await log.record([ASKED, replace(ASKED, id="dec_2", override_id="ovr_1")])
    overridden = FACTS | {"overrides": [{"id": "ovr_1"}]}
    await flush(
        store, replace(CHANGE, kept=KEPT, facts=FACTS), replace(CHANGE, at=after(1), kept=KEPT, facts=overridden)
    )
    found = await pages(log, 1, overridden=True)
    assert [(row.kind, row.override_id, row.at) for row in found] == [
        ("transition", None, after(1)),
        ("asked", "ovr_1", NOW),
    ]


async def test_the_page_before_one_ends_where_that_begins(log):
    rows = [replace(ASKED, id=f"dec_{n:03}", at=after(n // 4)) for n in range(20)]
    await log.record(rows)
    newest = rows[::-1]
    here = (newest[10].at, newest[10].id)
    assert await log.decisions(after=here, limit=4) == newest[6:10]
    assert await log.decisions(after=here, limit=50) == newest[:10]
    assert await log.decisions(after=here, before=(newest[2].at, newest[2].id)) == newest[3:10]
    assert await log.decisions(after=(newest[0].at, newest[0].id)) == []


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_limit_outside_its_range_is_refused(log, limit):
    with pytest.raises(Invalid, match=str(limit)):
        await log.decisions(limit=limit)


# --- what decisions were made from ---

POLICY_TEXT = KeptInputs(sha256(b'{"rules":[]}').digest(), b'{"rules":[]}')
KEPT = KeptInputs(sha256(b'{"queues":["orders"]}').digest(), b'{"queues":["orders"]}', POLICY_TEXT)
FACTS = {"decided_at": "2026-11-21T15:00:00Z", "spent": {"outstanding": 3}}


async def test_what_a_decision_was_made_from_is_read_back_with_it(log, store):
    row = replace(ASKED, inputs=(), kept=KEPT, facts=FACTS)
    await log.record([row, replace(row, id="dec_2")])
    await flush(store, replace(CHANGE, kept=KEPT, facts=FACTS))
    assert await log.decision("dec_1") == row
    assert {(found.kept, str(found.facts)) for found in await log.decisions()} == {(KEPT, str(FACTS))}


async def test_inputs_that_are_kept_are_not_kept_again_beside_the_row(log):
    await log.record([replace(ASKED, kept=KEPT)])
    assert (await log.decision("dec_1")).inputs == ()


async def test_kept_inputs_need_no_policy(log):
    alone = replace(KEPT, policy=None)
    await log.record([replace(ASKED, inputs=(), kept=alone)])
    assert (await log.decision("dec_1")).kept == alone


# --- its events ---


async def told(store, *kinds):
    """Return the events about decisions, oldest first."""
    found = [written.event for written in await store.events.events(limit=1_000)]
    return [event for event in reversed(found) if event.type.value.partition(".")[0] in (kinds or ("decision", "feed"))]


async def test_a_row_is_told_when_it_begins_and_its_count_is_not(log, store):
    await store.keys.add_key(ApiKey("abc", "mailer", frozenset({"readiness"}), b"\x07" * 32, NOW), an_event())
    await log.record([replace(ASKED, asked_by="abc", kept=KEPT), replace(ASKED, id="dec_2")])
    await log.record([replace(ASKED, asked_by="abc", kept=KEPT, count=7, last_at=after(60))])
    first, second = await told(store)
    assert (first.type, first.at, first.subject, first.reason) == (
        "decision.asked",
        NOW,
        "decision/dec_1",
        ASKED.summary,
    )
    assert (first.actor, first.gate, first.campaign) == (Actor("abc", "mailer"), "default", "spring")
    assert second.actor == Actor("key:abc", "key:abc")
    assert first.after["reasons"] == ["backlog_high"]
    assert (first.after["inputs_sha256"], second.after["inputs_sha256"]) == (KEPT.sha256.hex(), None)


async def test_an_event_is_tied_to_all_that_never_changes_of_its_row(log, store):
    await log.record([replace(ASKED, kept=KEPT, facts=FACTS)])
    (event,) = await told(store)
    row = await log.decision("dec_1")
    assert event.after["sha256"] == lasting_sha256(row) == lasting_sha256(replace(row, count=9, last_at=after(9)))
    changes: list[dict[str, Any]] = [
        {"verdict": "send"},
        {"allow": 7},
        {"summary": ""},
        {"reasons": ()},
        {"facts": None},
        {"at": after(1)},
        {"kept": POLICY_TEXT},
    ]
    assert len({lasting_sha256(row), *(lasting_sha256(replace(row, **change)) for change in changes)}) == 8


async def test_a_transition_is_told_once_also_when_it_is_evaluated_again(store):
    for _ in range(2):
        await flush(store, CHANGE)
    (event,) = await told(store)
    assert (event.type, event.at, event.actor) == ("decision.hold", NOW, HOLDFIRE)
    assert (event.before, event.after["state"], event.reason) == ({"state": "send"}, "hold", "backlog 12 > 10")


LOST = [{"code": "data_stale", "queue": "orders", "binding": True}]


async def test_data_that_was_lost_and_came_back_is_told_once_each(store):
    lost = replace(CHANGE, at=after(1), before=Verdict.SEND, after=Verdict.UNKNOWN, reasons=LOST)
    back = replace(CHANGE, at=after(2), before=Verdict.UNKNOWN, after=Verdict.SEND, reasons=[])
    await flush(store, lost)
    await flush(store, lost, back)
    assert [event.type.value for event in await told(store)] == [
        *("decision.unknown", "feed.stale", "decision.send", "feed.recovered"),
    ]
    stale, recovered = await told(store, "feed")
    assert stale.after["reasons"] == recovered.after["reasons"] == LOST


async def test_data_is_not_back_while_an_override_lets_a_gate_go_without_it(store):
    lost = replace(CHANGE, at=after(1), before=Verdict.SEND, after=Verdict.UNKNOWN, reasons=LOST)
    allowed = replace(CHANGE, at=after(2), before=Verdict.UNKNOWN, after=Verdict.SEND, reasons=LOST)
    again = replace(lost, at=after(3))
    back = replace(CHANGE, at=after(4), before=Verdict.UNKNOWN, after=Verdict.SEND, reasons=[])
    await flush(store, lost, allowed, again, back)
    assert [event.type.value for event in await told(store, "feed")] == ["feed.stale", "feed.recovered"]


async def test_a_gate_that_never_had_data_has_not_lost_it(store):
    new = replace(CHANGE, before=None, after=Verdict.UNKNOWN, reasons=[{"code": "data_missing"}])
    first = replace(CHANGE, at=after(2), before=Verdict.UNKNOWN, after=Verdict.SEND, reasons=[])
    await flush(store, new, first)
    assert await told(store, "feed") == []


async def test_gates_do_not_take_each_others_data_for_theirs(store):
    lost = replace(CHANGE, gate="one", at=after(1), before=Verdict.SEND, after=Verdict.UNKNOWN, reasons=LOST)
    other = replace(CHANGE, gate="two", at=after(2), before=Verdict.UNKNOWN, after=Verdict.SEND, reasons=[])
    await flush(store, lost, other)
    assert [event.gate for event in await told(store, "feed")] == ["one"]


async def test_turns_are_a_gates_changes_in_order_after_the_one_it_stood_at(log, store):
    changes = [replace(CHANGE, at=after(n * 60), after=(Verdict.HOLD, Verdict.SEND)[n % 2]) for n in range(6)]
    await flush(store, *changes, replace(CHANGE, gate="emea", at=after(70)))
    await log.record([replace(ASKED, at=after(150))])
    whole = [(after(n * 60), ("hold", "send")[n % 2]) for n in range(6)]
    assert await log.turns("default", after(120), after(240), 10) == whole[1:4]
    assert await log.turns("default", after(120), after(240), 2) == whole[2:4]
    assert await log.turns("default", after(0), after(1), 10) == whole[:1]
    assert await log.turns("nowhere", after(0), after(1), 10) == []
