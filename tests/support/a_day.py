"""A day in the life of a source that is asked: a floor that fills and empties, faults in between, and the gate beside.

The clock runs as fast as the asking goes. Whatever happens, the gate may say "go" only on what the source told lately.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from app.core.floor.metric import Metric
from tests.support.whole import Whole
from workers.sources.polling import Poller
from workers.sources.worker import Factory, Surroundings

STEP_SECONDS = 30
LIMIT = 10
STALE_AFTER_SECONDS = 120
QUEUE = "day-voice"


@dataclass
class Day:
    """What was seen: per step whether the gate said go, and how many times it rightly did not."""

    went: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    in_the_dark: list[int] = field(default_factory=list)


def backlog_at(step: int) -> int:
    """Return the true backlog: quiet, a rush, quiet, a longer rush, quiet."""
    rush = 10 <= step < 16 or 56 <= step < 68
    return 40 if rush else step % 5


async def live_through(
    whole: Whole,
    factory: Factory,
    tell: Callable[[int], None],
    happenings: Mapping[int, Callable[[], None]],
    steps: int,
) -> Day:
    """Return what a day of a source that is asked came to; fails at the first wrong go.

    tell: sets the floor's backlog in the fake system; happenings: what else happens, by step.
    """
    services = whole.services
    poller = factory(Surroundings(services.ingest, services.sources, whole.clock))
    assert isinstance(poller, Poller)
    stop, due = asyncio.Event(), whole.clock.now()

    async def happen(step: int) -> None:
        nonlocal due
        if happening := happenings.get(step):
            happening()
        tell(backlog_at(step))
        if whole.clock.now() >= due:
            due = whole.clock.now() + timedelta(seconds=await poller.poll(stop))

    async with closing_asking(poller):
        return await live(whole, happen, steps)


async def live(whole: Whole, happen: Callable[[int], Awaitable[None]], steps: int) -> Day:
    """Return what a day of so many steps of 30 s came to; fails at the first wrong go. happen: what a step brings."""
    await whole.policy(
        queues=[QUEUE],
        rules=[{"metric": "backlog", "hold_above": LIMIT, "resume_below": LIMIT, "resume_for_seconds": 60}],
        stale_after_seconds=STALE_AFTER_SECONDS,
    )
    day = Day()
    async with whole.client("readiness") as client:
        for step in range(steps):
            whole.clock.move(STEP_SECONDS)
            await happen(step)
            await whole.evaluate()
            status = (await client.get("/api/v1/readiness?gate=default")).status_code
            _judge(whole, day, step, went=status == 200)
    return day


@asynccontextmanager
async def closing_asking(poller: Poller) -> AsyncIterator[None]:
    """Let go of the poller's connections at the end."""
    try:
        yield
    finally:
        await poller._asking.close()


def _judge(whole: Whole, day: Day, step: int, *, went: bool) -> None:
    """Note a step; fail when the gate went though it had been told of a backlog, or nothing lately."""
    reading = whole.services.evaluator.published.view.reading(QUEUE, Metric.BACKLOG)
    age = (whole.clock.now() - reading.observed_at).total_seconds() if reading else float("inf")
    if age >= STALE_AFTER_SECONDS:
        day.in_the_dark.append(step)
        assert not went, f"step {step}: went on data {age:g} s old"
    elif reading is not None and reading.value is not None and reading.value > LIMIT:
        day.held.append(step)
        assert not went, f"step {step}: went with {reading.value:g} waiting"
    elif went:
        day.went.append(step)
    if age < STEP_SECONDS:
        assert reading is not None
        assert reading.value == backlog_at(step), f"step {step}: told {reading.value}, and {backlog_at(step)} wait"
