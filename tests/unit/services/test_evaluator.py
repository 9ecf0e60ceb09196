"""The evaluator: decisions follow the stream, restarts change nothing, faults never look like a go."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.clocks import DataClock, SystemClock
from app.core.gate.decision import Verdict
from app.errors import NotDurable
from app.services.evaluator import Evaluator
from tests.support.builders import an_event, an_observation
from tests.support.memory import MemoryEvaluationStore, MemoryGateStore, MemoryQueueStore, MemoryStream

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
POLICY = {
    "queues": ["*"],
    "stale_after_seconds": 120,
    "rules": [
        {"metric": "backlog", "hold_above": 10, "resume_below": 5, "hold_for_seconds": 30, "resume_for_seconds": 300}
    ],
}


class FullableStore(MemoryEvaluationStore):
    """A notebook whose disk can be full."""

    full = False
    rollups = 0

    async def flush(self, checkpoint, transitions, rollups, flows=()):
        if self.full:
            raise NotDurable("disk full")
        await super().flush(checkpoint, transitions, rollups, flows)
        self.rollups += len(rollups)


class World:
    """Memory-backed stores that outlive evaluators, and a clock that the test moves."""

    def __init__(self, clock=None) -> None:
        self.clock = clock or DataClock(START)
        self.stream = MemoryStream(self.clock)
        self.gates, self.queues, self.store = MemoryGateStore(), MemoryQueueStore(), FullableStore()

    async def evaluator(self, policy=POLICY) -> Evaluator:
        if "default" not in await self.gates.gates():
            await self.gates.create_gate("default", START, an_event())
            await self.gates.save_policy(
                "default", policy, author="t", reason="", at=START, expected=0, event=an_event()
            )
        evaluator = Evaluator(
            stream=self.stream, gates=self.gates, queues=self.queues, store=self.store, clock=self.clock
        )
        await evaluator.start()
        return evaluator

    async def second(self, evaluator: Evaluator, backlog: int | None) -> Verdict:
        """Let a second pass in which the source says this (None: nothing); return the verdict."""
        now = self.clock.now() + timedelta(seconds=1)
        self.clock.move_to(now)
        if backlog is not None:
            await self.stream.append([an_observation(observed_at=now, backlog=backlog)])
            evaluator.apply(await self.stream.read(evaluator.position))
        return evaluator.tick(now).gates["default"].decision.verdict

    async def seconds(self, evaluator: Evaluator, backlog: int | None, count: int) -> Verdict:
        verdict = Verdict.UNKNOWN
        for _ in range(count):
            verdict = await self.second(evaluator, backlog)
        return verdict


def _standing(evaluator: Evaluator):
    decision = evaluator.published.gates["default"].decision
    return decision.verdict, decision.since, tuple((c.status, c.value, c.clears_at) for c in decision.checks)


async def test_an_empty_installation_is_unknown():
    evaluator = await World().evaluator()
    decision = evaluator.published.gates["default"].decision
    assert (decision.verdict, decision.reasons[0].code) == (Verdict.UNKNOWN, "data_no_queues")


async def test_verdicts_follow_the_floor_and_each_change_is_written_once():
    world = World()
    evaluator = await world.evaluator()
    assert await world.second(evaluator, 0) is Verdict.SEND
    assert await world.seconds(evaluator, 40, 29) is Verdict.SEND
    assert await world.seconds(evaluator, 40, 3) is Verdict.HOLD
    assert await world.seconds(evaluator, 0, 290) is Verdict.HOLD
    assert await world.seconds(evaluator, 0, 20) is Verdict.SEND
    await evaluator.flush()
    await evaluator.flush()
    told = [(change.before, change.after) for change in world.store.transitions]
    assert told == [
        (None, "unknown"),
        ("unknown", "send"),
        ("send", "hold"),
        ("hold", "send"),
    ]
    held = world.store.transitions[2]
    assert held.reasons[0]["code"] == "backlog_high"
    assert held.inputs[0]["value"] == 40


@pytest.mark.parametrize("unwritten_seconds", [0, 7, 60, 200])
async def test_a_crash_at_any_moment_leaves_the_gate_where_it_stood(unwritten_seconds):
    world = World()
    alive = await world.evaluator()
    await world.seconds(alive, 0, 5)
    await world.seconds(alive, 40, 40)
    await alive.flush()
    await world.seconds(alive, 0, unwritten_seconds)
    reborn = await world.evaluator()
    assert _standing(reborn) == _standing(alive)
    for _ in range(310 - unwritten_seconds):
        verdict = await world.second(alive, 0)
        reborn.apply(await world.stream.read(reborn.position))
        assert reborn.tick(world.clock.now()).gates["default"].decision.verdict is verdict
    assert alive.published.gates["default"].decision.verdict is Verdict.SEND


async def test_a_restart_without_any_checkpoint_evaluates_the_whole_tail():
    world = World()
    alive = await world.evaluator()
    await world.seconds(alive, 40, 60)
    reborn = await world.evaluator()
    assert _standing(reborn)[0] is Verdict.HOLD


async def test_days_of_downtime_end_unknown_and_still_remember_the_hold():
    world = World()
    alive = await world.evaluator()
    await world.seconds(alive, 40, 60)
    await alive.flush()
    world.clock.move_to(world.clock.now() + timedelta(days=9))
    reborn = await world.evaluator()
    assert _standing(reborn)[0] is Verdict.UNKNOWN
    assert await world.second(reborn, 7) is Verdict.HOLD


async def test_a_policy_that_cannot_be_read_makes_its_gate_unknown_and_no_other():
    world = World()
    await world.gates.create_gate("broken", START, an_event())
    await world.gates.save_policy("broken", {"rules": 3}, author="t", reason="", at=START, expected=0, event=an_event())
    evaluator = await world.evaluator()
    assert await world.second(evaluator, 0) is Verdict.SEND
    assert evaluator.published.gates["broken"].decision.verdict is Verdict.UNKNOWN


async def test_a_held_gate_does_not_open_because_its_rule_was_given_another_window():
    rule = {"metric": "service_level_ratio", "hold_below": 0.75, "window_seconds": 900, "hold_for_seconds": 30}
    world = World()
    evaluator = await world.evaluator(POLICY | {"rules": [rule]})
    await world.stream.append(
        [an_observation(observed_at=START, service_level_ratio=0.5, window_seconds=900, backlog=0)]
    )
    evaluator.apply(await world.stream.read(evaluator.position))
    assert evaluator.tick(START).gates["default"].decision.verdict is Verdict.HOLD
    saved = await world.gates.save_policy(
        "default",
        POLICY | {"rules": [rule | {"window_seconds": 600}]},
        author="t",
        reason="",
        at=START,
        expected=1,
        event=an_event(),
    )
    evaluator.set_policy("default", saved)
    assert await world.seconds(evaluator, None, 1) is Verdict.HOLD


async def test_a_deleted_gate_is_gone_with_the_next_tick():
    world = World()
    evaluator = await world.evaluator()
    evaluator.drop_gate("default")
    assert "default" not in evaluator.tick(START + timedelta(seconds=1)).gates


async def test_what_could_not_be_written_is_kept_for_the_next_time():
    world = World()
    evaluator = await world.evaluator()
    await world.second(evaluator, 0)
    world.store.full = True
    with pytest.raises(NotDurable):
        await evaluator.flush()
    assert world.store.transitions == []
    world.store.full = False
    await evaluator.flush()
    assert [change.after for change in world.store.transitions] == ["unknown", "send"]
    assert world.store.rollups > 0


async def test_running_it_follows_the_stream_and_writes_down_at_the_end():
    world = World(SystemClock())
    evaluator = await world.evaluator()
    stop, seen = asyncio.Event(), asyncio.Event()
    evaluator.subscribe(
        lambda published: seen.set() if published.gates["default"].decision.verdict is Verdict.SEND else None
    )
    running = asyncio.create_task(evaluator.run(stop))
    await world.stream.append([an_observation(observed_at=world.clock.now(), backlog=0)])
    await asyncio.wait_for(seen.wait(), 5)
    stop.set()
    await asyncio.wait_for(running, 60)
    written = await world.store.checkpoint()
    assert written is not None
    assert written.position == 1


async def test_a_fault_while_evaluating_leaves_the_answer_to_grow_late_and_evaluation_goes_on(caplog):
    world = World(SystemClock())
    evaluator = await world.evaluator()
    calls: list[int] = []
    again = asyncio.Event()

    def listener(published):
        calls.append(published.seq)
        if len(calls) == 1:
            raise RuntimeError("a listener broke")
        again.set()

    evaluator.subscribe(listener)
    stop = asyncio.Event()
    running = asyncio.create_task(evaluator.run(stop))
    await asyncio.wait_for(again.wait(), 10)
    stop.set()
    await asyncio.wait_for(running, 60)
    assert "evaluation_failed" in caplog.text


async def test_a_queue_that_fell_silent_long_before_a_restart_is_still_missed_after_it():
    world = World()
    alive = await world.evaluator()
    await world.second(alive, 0)
    for _ in range(10):
        world.clock.move_to(world.clock.now() + timedelta(hours=1))
        await world.stream.append([an_observation(queue="other", observed_at=world.clock.now(), backlog=0)])
        alive.apply(await world.stream.read(alive.position))
        alive.tick(world.clock.now())
    await alive.flush()
    reborn = await world.evaluator()
    for evaluator in (alive, reborn):
        decision = evaluator.published.gates["default"].decision
        assert decision.verdict is Verdict.UNKNOWN
        assert [(reason.code, reason.queue) for reason in decision.reasons] == [("data_stale", "orders-voice")]
