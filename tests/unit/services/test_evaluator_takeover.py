"""One of several evaluators writes down, and whoever does so next goes on exactly where it stood."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from app.clocks import SystemClock
from app.errors import Conflict, NotDurable
from app.ports.replicas import OnlyOne
from app.services.evaluator import Evaluator
from tests.support.builders import a_contact, an_event, an_observation
from tests.support.memory import MemoryEvaluationStore, MemoryGateStore, MemoryQueueStore, MemoryStream

POLICY = {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]}


class Turn(OnlyOne):
    """One among several, which leads while it is told to."""

    def __init__(self, *, is_leading: bool = True) -> None:
        self.is_leading = is_leading

    def leads(self) -> bool:
        return self.is_leading


class Notebook(MemoryEvaluationStore):
    """A notebook that can fail to say that it has written something down."""

    is_silent, refused = False, 0

    async def flush(self, checkpoint, transitions, rollups, flows=()):
        try:
            await super().flush(checkpoint, transitions, rollups, flows)
        except Conflict:
            self.refused += 1
            raise
        if self.is_silent:
            self.is_silent = False
            raise NotDurable("the database did not answer; what was asked may yet be written")

    def offered(self) -> float:
        return sum(flow.offered for flow in self.flows)

    def changes(self) -> list[str]:
        return [change.after for change in self.transitions]


class SlowTails(MemoryStream):
    """A stream whose tails take a while to begin."""

    async def tail(self, after_position):
        await asyncio.sleep(0.2)
        async for records in super().tail(after_position):
            yield records


class World:
    """Stores in memory that several evaluators share, on the machine's clock."""

    def __init__(self, stream: type[MemoryStream] = MemoryStream) -> None:
        self.clock = SystemClock()
        self.stream = stream(self.clock)
        self.gates, self.queues, self.store = MemoryGateStore(), MemoryQueueStore(), Notebook()
        self.contacts = 0

    async def evaluator(self, turn: Turn) -> Evaluator:
        if not await self.gates.gates():
            await self.gates.create_gate("default", datetime.now(UTC), an_event())
            await self.save(POLICY, 0)
        evaluator = Evaluator(
            stream=self.stream,
            gates=self.gates,
            queues=self.queues,
            store=self.store,
            clock=self.clock,
            replicas=turn,
        )
        await evaluator.start()
        return evaluator

    async def save(self, policy, expected: int) -> None:
        at = datetime.now(UTC)
        await self.gates.save_policy(
            "default", policy, author="t", reason="", at=at, expected=expected, event=an_event()
        )

    async def call(self, count: int, waiting: int = 0) -> None:
        """Let so many contacts come, each lost at once, and so many wait in another queue."""
        now = self.clock.now()
        for _ in range(count):
            self.contacts += 1
            contact = f"c-{self.contacts}"
            await self.stream.append([a_contact("queued", now, contact), a_contact("abandoned", now, contact)])
        await self.stream.append([an_observation("other", now, backlog=waiting)])

    async def until(self, found, *evaluators: Evaluator) -> None:
        """Let these evaluate as often as they can until something is so."""
        async with asyncio.timeout(30):
            while not found():
                for evaluator in evaluators:
                    evaluator.wake()
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(evaluator: Evaluator):
    stop = asyncio.Event()
    task = asyncio.create_task(evaluator.run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


@pytest.mark.parametrize("heard", [True, False], ids=["told of its checkpoint", "not told of its checkpoint"])
async def test_the_next_leader_writes_down_exactly_what_the_last_one_left(heard):
    world, first, second = World(), Turn(), Turn(is_leading=False)
    leader, follower = await world.evaluator(first), await world.evaluator(second)
    async with running(follower):
        async with running(leader):
            await world.call(5)
            await world.until(lambda: "send" in world.store.changes(), leader)
            if heard:
                await follower.agree()
            written = world.store.offered()
            first.is_leading = False
            await world.call(4)
            await world.until(lambda: leader.position == follower.position == 20, leader, follower)
        assert written == 5 == world.store.offered()
        second.is_leading = True
        await world.until(lambda: follower._is_settled, follower)  # it may write down from then on
    assert world.store.offered() == 9
    assert world.store.changes() == ["unknown", "send"]


async def test_who_takes_over_never_answers_from_less_than_it_knew_before():
    world, first, second = World(SlowTails), Turn(), Turn(is_leading=False)
    leader, follower = await world.evaluator(first), await world.evaluator(second)
    await world.call(1)
    leader.apply(await world.stream.read(0))
    leader.tick(world.clock.now())
    await leader.flush()
    positions: list[int] = []
    follower.subscribe(lambda _: positions.append(follower.position))
    async with running(follower):
        await world.until(lambda: follower.position == 3, follower)
        second.is_leading = True
        await world.until(lambda: follower._successor is not None, follower)  # it prepares
        await world.until(lambda: follower._successor is None or follower._successor.done())
        await world.call(1, waiting=50)
        await world.until(lambda: follower.position == 6, follower)
        await world.until(lambda: follower._is_settled, follower)
    assert positions == sorted(positions)
    assert world.store.changes() == ["unknown", "send", "hold"]


async def test_who_leads_from_the_start_writes_all_down_once_though_nobody_wrote_before():
    world, turn = World(), Turn(is_leading=False)
    await world.call(3)
    evaluator = await world.evaluator(turn)
    async with running(evaluator):
        turn.is_leading = True
        await world.until(lambda: world.store.offered() == 3, evaluator)
    assert world.store.offered() == 3


async def test_what_was_written_though_it_seemed_to_fail_is_not_written_twice():
    world = World()
    evaluator = await world.evaluator(Turn())
    await world.call(5)
    async with running(evaluator):
        await world.until(lambda: "send" in world.store.changes(), evaluator)
        world.store.is_silent = True
        await world.call(4, waiting=50)
        await world.until(lambda: world.store.offered() == 9, evaluator)
        await world.until(lambda: world.store.refused == 1, evaluator)
        await world.call(2, waiting=50)
        await world.until(lambda: evaluator._is_settled, evaluator)  # it may write down again
    assert world.store.offered() == 11
    assert world.store.changes() == ["unknown", "send", "hold"]


async def test_a_gate_that_was_deleted_and_made_anew_elsewhere_decides_by_its_new_policy():
    world = World()
    evaluator = await world.evaluator(Turn(is_leading=False))
    await world.gates.delete_gate("default", an_event())
    await world.gates.create_gate("default", datetime.now(UTC), an_event())
    await world.save(POLICY | {"stale_after_seconds": 33}, 0)
    assert await evaluator.reload_policies() == {"default"}
    evaluator.evaluate_now()
    policy = evaluator.published.gates["default"].policy
    assert policy is not None
    assert policy.stale_after_seconds == 33
    assert await evaluator.reload_policies() == set()


async def test_a_policy_of_a_newer_version_leaves_its_gate_unknown_and_the_others_as_they_are():
    world = World()
    evaluator = await world.evaluator(Turn(is_leading=False))
    await world.gates.create_gate("other", datetime.now(UTC), an_event())
    await world.save(POLICY | {"rules": [{"metric": "not known yet"}]}, 1)
    assert await evaluator.reload_policies() == {"default", "other"}
    evaluator.evaluate_now()
    assert [state.policy for state in evaluator.published.gates.values()] == [None, None]
