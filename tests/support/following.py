"""A source's worker on a vendor's double, over a stream in memory, and the floor that what it sends makes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest

from app.core.floor.contact import ContactEvent
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from app.core.floor.state import Floor
from app.ports.sources import SourceHealth
from app.services.ingest import Ingest
from app.services.sources import Sources
from tests.support.memory import MemoryStream, SteppedClock
from tests.support.vendors.wire import Truth
from workers.sources.worker import Factory, Surroundings

PATIENCE_SECONDS = 60
TICK = timedelta(microseconds=1)

SLACK_SECONDS = 1.5
SHOWN = (
    Metric.BACKLOG,
    Metric.OLDEST_WAIT_SECONDS,
    Metric.CONTACTS_IN_PROGRESS,
    Metric.AGENTS_STAFFED,
    Metric.AGENTS_AVAILABLE,
    Metric.AGENTS_BUSY,
)


class TickingClock(SteppedClock):
    """A clock that a test moves, and that never shows the same instant twice."""

    def now(self) -> datetime:
        self._now += TICK
        return self._now


class Followed:
    """A worker, and what came of it. Its stream may go on from an earlier one's: a start after a stop."""

    def __init__(self, factory: Factory, clock: SteppedClock, stream: MemoryStream | None = None) -> None:
        self.clock, self.stream, self.sources = clock, stream or MemoryStream(clock), Sources()
        self.worker = factory(Surroundings(Ingest(self.stream, clock, self.sources), self.sources, clock))
        self._floor, self._position = Floor(keep_seconds=86_400), 0

    @property
    def health(self) -> SourceHealth:
        health = self.sources.find(self.worker.name)
        assert health is not None
        return health

    def events(self) -> list[ContactEvent]:
        return [record.payload for record in self.stream.records if isinstance(record.payload, ContactEvent)]

    def observations(self) -> list[Observation]:
        return [record.payload for record in self.stream.records if isinstance(record.payload, Observation)]

    def told(self) -> set[tuple[str, str]]:
        """Return which events of which contacts were sent."""
        return {(event.contact_id, str(event.event)) for event in self.events()}

    def value(self, queue: str, metric: Metric, window_seconds: float | None = None) -> float | None:
        """Return what the floor says of a queue now; None: unknown."""
        for record in self.stream.records[self._position :]:
            self._floor.apply(record.payload, record.received_at)
        self._position = len(self.stream.records)
        reading = self._floor.view(self.clock.now()).reading(queue, metric, window_seconds)
        return None if reading is None else reading.value


@asynccontextmanager
async def following(followed: Followed) -> AsyncIterator[Followed]:
    """Run the worker for as long as the context lasts."""
    stop = asyncio.Event()
    running = asyncio.create_task(followed.worker.run(stop))
    try:
        yield followed
    finally:
        stop.set()
        await asyncio.wait_for(running, PATIENCE_SECONDS)


async def seen(condition: Callable[[], object]) -> None:
    """Return once a condition holds, which nothing signals."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


class Scripted(Protocol):
    """A scripted system; `at` is its clock."""

    @property
    def at(self) -> float: ...
    def truth(self, queue: str) -> Truth: ...


def floor_of(followed: Followed, queues: Iterable[str]) -> dict[str, dict[Metric, float | None]]:
    """Return what the floor shows of each queue."""
    return {queue: {metric: followed.value(queue, metric) for metric in SHOWN} for queue in queues}


def truth_of(system: Scripted, queues: Iterable[str]) -> dict[str, dict[Metric, Any]]:
    """Return what is true of each queue; waits may be off by a little, because lists tell them in whole seconds."""
    found = {}
    for queue in queues:
        truth = system.truth(queue)
        oldest = 0.0 if truth.oldest_joined is None else system.at - truth.oldest_joined
        waited = pytest.approx(oldest, abs=SLACK_SECONDS)
        true = truth.backlog, waited, truth.in_progress, truth.staffed, truth.available, truth.busy
        found[queue] = dict(zip(SHOWN, true, strict=True))
    return found
