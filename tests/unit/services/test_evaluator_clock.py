"""The evaluator under a clock that jumps: what was known under another time never looks like a go."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from app.clocks import SystemClock
from app.core.gate.decision import Verdict
from app.services.evaluator import Evaluator
from tests.support.builders import a_contact, an_event, an_observation
from tests.support.memory import MemoryEvaluationStore, MemoryGateStore, MemoryQueueStore, MemoryStream

POLICY = {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]}
JUMPS = [timedelta(minutes=1), timedelta(hours=1), timedelta(hours=5), timedelta(days=1)]


class ShiftedClock(SystemClock):
    """The machine's clock, and so much more."""

    shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift


class World:
    """Stores in memory that outlive evaluators, and a clock to be set."""

    def __init__(self) -> None:
        self.clock = ShiftedClock()
        self.stream = MemoryStream(self.clock)
        self.gates, self.queues, self.store = MemoryGateStore(), MemoryQueueStore(), MemoryEvaluationStore()

    async def evaluator(self) -> Evaluator:
        if not await self.gates.gates():
            at = datetime.now(UTC)
            await self.gates.create_gate("default", at, an_event())
            await self.gates.save_policy("default", POLICY, author="t", reason="", at=at, expected=0, event=an_event())
        evaluator = Evaluator(
            stream=self.stream, gates=self.gates, queues=self.queues, store=self.store, clock=self.clock
        )
        await evaluator.start()
        return evaluator

    async def observe(self, backlog: int) -> None:
        await self.stream.append([an_observation(observed_at=self.clock.now(), backlog=backlog)])

    async def queue(self, *contact_ids: str) -> None:
        await self.stream.append([a_contact(at=self.clock.now(), contact_id=name) for name in contact_ids])


@asynccontextmanager
async def running(evaluator: Evaluator):
    """Run an evaluator, and yield the verdicts of its default gate, one each time they change."""
    verdicts: asyncio.Queue[Verdict] = asyncio.Queue()
    last: list[Verdict] = []

    def note(published):
        verdict = published.gates["default"].decision.verdict
        if last != [verdict]:
            last[:] = [verdict]
            verdicts.put_nowait(verdict)

    unsubscribe = evaluator.subscribe(note)
    stop = asyncio.Event()
    task = asyncio.create_task(evaluator.run(stop))
    try:
        yield lambda: asyncio.wait_for(verdicts.get(), 10)
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)
        unsubscribe()


@pytest.mark.parametrize("jump", JUMPS[1:])
async def test_who_waits_is_still_counted_after_the_clock_was_far_ahead_for_a_moment(jump):
    world = World()
    evaluator = await world.evaluator()
    async with running(evaluator) as next_verdict:
        await world.queue(*map(str, range(20)))
        while await next_verdict() is not Verdict.HOLD:
            pass
        world.clock.shift = jump
        assert await next_verdict() is Verdict.UNKNOWN
        world.clock.shift = timedelta()
        await world.queue("one more")
        assert await next_verdict() is Verdict.HOLD
    assert evaluator.published.gates["default"].decision.reasons[0].observed == 21


@pytest.mark.parametrize("jump", JUMPS)
async def test_what_was_observed_under_a_clock_that_was_ahead_is_not_taken_for_newer_than_what_comes(jump):
    world = World()
    world.clock.shift = jump
    async with running(await world.evaluator()) as next_verdict:
        await world.observe(0)
        while await next_verdict() is not Verdict.SEND:
            pass
        world.clock.shift = timedelta()
        assert await next_verdict() is Verdict.UNKNOWN
        await world.observe(50)
        assert await next_verdict() is Verdict.HOLD


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_clock_set_back_between_two_runs_makes_a_gate_unknown_until_new_data_comes(jump):
    world = World()
    world.clock.shift = jump
    before = await world.evaluator()
    await world.observe(0)
    before.apply(await world.stream.read(before.position))
    assert before.tick(world.clock.now()).gates["default"].decision.verdict is Verdict.SEND
    await before.flush()
    world.clock.shift = timedelta()
    after = await world.evaluator()
    assert after.published.gates["default"].decision.verdict is Verdict.UNKNOWN
    await world.observe(50)
    after.apply(await world.stream.read(after.position))
    assert after.tick(world.clock.now()).gates["default"].decision.verdict is Verdict.HOLD


async def test_records_that_came_while_the_clock_was_ahead_do_not_pull_a_restart_into_the_future():
    world = World()
    world.clock.shift = timedelta(days=1)
    await world.queue("future")
    world.clock.shift = timedelta()
    evaluator = await world.evaluator()
    await world.queue(*map(str, range(20)))
    evaluator.apply(await world.stream.read(evaluator.position))
    published = evaluator.tick(world.clock.now())
    assert published.view.at <= world.clock.now()
    assert published.gates["default"].decision.verdict is not Verdict.SEND
