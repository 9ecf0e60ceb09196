from dataclasses import replace
from itertools import product

import pytest

from app.core.gate.decision import Verdict
from app.errors import Invalid, NotFound
from app.ports import Checkpoint, DecisionRow, Transition
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


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_limit_outside_its_range_is_refused(log, limit):
    with pytest.raises(Invalid, match=str(limit)):
        await log.decisions(limit=limit)
