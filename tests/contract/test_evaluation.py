from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.floor.metric import Metric
from app.core.floor.rollup import RollupDelta
from app.core.gate.decision import GateMemory, RuleMemory, Verdict
from app.errors import Conflict, HoldfireError
from app.ports.evaluation import Checkpoint, Transition
from tests.support.builders import NOW, after
from tests.support.databases import a_store

INSTANTS = st.datetimes(datetime(1999, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
RULES = st.builds(
    RuleMemory,
    holding=st.booleans(),
    changed_at=st.none() | INSTANTS,
    pending_since=st.none() | INSTANTS,
    frozen_at=st.none() | INSTANTS,
)
MEMORIES = st.builds(
    GateMemory,
    verdict=st.none() | st.sampled_from(Verdict),
    since=st.none() | INSTANTS,
    rules=st.dictionaries(st.tuples(st.text(), st.text()), RULES, max_size=5),
)
HELD = Transition("default", NOW, Verdict.SEND, Verdict.HOLD, 1, "held", [{"code": "backlog_high"}], [])
GAIN = RollupDelta("orders", Metric.BACKLOG, NOW, 1, 12, 12, 12, 12, NOW)


@pytest.fixture
def evaluation(store):
    return store.evaluation


async def test_a_fresh_installation_has_no_checkpoint(evaluation):
    assert await evaluation.checkpoint() is None


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    position=st.integers(0, 2**62),
    at=INSTANTS,
    memories=st.dictionaries(st.text(min_size=1), MEMORIES, max_size=4),
)
async def test_a_checkpoint_comes_back_exactly_hysteresis_included(evaluation, position, at, memories):
    written = Checkpoint(position, at, memories)
    await evaluation.flush(written, [], [])
    assert await evaluation.checkpoint() == written


async def test_restored_memories_have_the_cores_own_types(evaluation):
    memory = GateMemory(Verdict.HOLD, NOW, {("backlog", "orders"): RuleMemory(True, NOW, after(1), None)})
    await evaluation.flush(Checkpoint(7, NOW, {"default": memory}), [], [])
    restored = (await evaluation.checkpoint()).memories["default"]
    assert isinstance(restored.verdict, Verdict)
    assert restored.since.tzinfo is UTC
    assert isinstance(restored.rules["backlog", "orders"], RuleMemory)


async def test_the_last_checkpoint_survives_reopening(evaluation, store, kind, tmp_path):
    await evaluation.flush(Checkpoint(1, NOW, {}), [], [])
    await evaluation.flush(Checkpoint(2, after(5), {}), [], [])
    await store.close()
    async with a_store(tmp_path, kind) as again:
        assert await again.evaluation.checkpoint() == Checkpoint(2, after(5), {})


async def test_checkpoint_transitions_and_rollups_are_written_all_or_not_at_all(evaluation, store):
    await evaluation.flush(Checkpoint(1, NOW, {}), [], [])
    impossible = GAIN._replace(queue=None)  # type: ignore[arg-type]  # which is the point
    with pytest.raises(HoldfireError):
        await evaluation.flush(Checkpoint(2, after(5), {}), [HELD], [GAIN, impossible])
    assert await evaluation.checkpoint() == Checkpoint(1, NOW, {})
    assert await store.decisions.decisions() == []
    assert await store.history.history("orders", Metric.BACKLOG, NOW, after(60), 60) == []
    await evaluation.flush(Checkpoint(2, after(5), {}), [HELD], [GAIN])
    assert await evaluation.checkpoint() == Checkpoint(2, after(5), {})
    assert len(await store.decisions.decisions()) == 1
    assert len(await store.history.history("orders", Metric.BACKLOG, NOW, after(60), 60)) == 1


async def test_what_does_not_follow_the_last_checkpoint_is_refused_and_nothing_of_it_written(evaluation, store):
    await evaluation.flush(Checkpoint(1, NOW, {}), [], [])
    await evaluation.flush(Checkpoint(2, after(5), {}, follows=NOW), [], [])
    with pytest.raises(Conflict):
        await evaluation.flush(Checkpoint(3, after(6), {}, follows=NOW), [HELD], [GAIN])
    assert await evaluation.checkpoint() == Checkpoint(2, after(5), {})
    assert await store.decisions.decisions() == []
