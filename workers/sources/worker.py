"""What every source worker is, and what it is given."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.errors import NotDurable
from app.ports.clock import Clock
from app.ports.stream import Payload
from app.services.ingest import Ingest, IngestResult
from app.services.sources import Sources
from workers.sources.lot import Lot

BATCH = 5_000
RETRY_SECONDS = 1.0

Got = TypeVar("Got")


class Worker(Protocol):
    """Anything with a name that runs until it is told to stop."""

    @property
    def name(self) -> str:
        """What health and logs call it."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Raises Invalid when its configuration can never work; anything else is retried."""


class SourceWorker(Worker, Protocol):
    """A worker that brings in what a contact center's system says, and can be tried without it."""

    async def sample(self) -> Lot:
        """Return one reading: connect, translate, let go; nothing is stored or changed. Raises SourceFault."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a source worker may use."""

    ingest: Ingest
    sources: Sources
    clock: Clock


Factory = Callable[[Surroundings], SourceWorker]


async def deliver(ingest: Ingest, payloads: Sequence[Payload]) -> IngestResult:
    """Return what became of a mixed batch, events first. Raises NotDurable; sending the same again is safe."""
    events = [payload for payload in payloads if isinstance(payload, ContactEvent)]
    observations = [payload for payload in payloads if isinstance(payload, Observation)]
    results = [await ingest.contacts(events)] if events else []
    if observations:
        results.append(await ingest.observations(observations))
    return _sum(results)


async def deliver_surely(ingest: Ingest, payloads: Sequence[Payload], stop: asyncio.Event) -> IngestResult:
    """Return what became of all of it. Tries again while it cannot be made durable, and gives up only on `stop`."""
    results = []
    for start in range(0, len(payloads), BATCH):
        while not stop.is_set():
            try:
                results.append(await deliver(ingest, payloads[start : start + BATCH]))
            except NotDurable:  # ingest has noted it in the source's health
                await pause(RETRY_SECONDS, stop)
            else:
                break
    return _sum(results)


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Return after so many seconds of the machine's clock, or as soon as `stop` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def unless_stopped(work: Coroutine[Any, Any, Got], stop: asyncio.Event) -> Got | None:
    """Return what the work gives; None when `stop` was set before, and the work given up. Raises what it raises."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        stopping.cancel()
        working.cancel()
        await asyncio.wait((working, stopping))


async def either(*waits: Coroutine[Any, Any, object]) -> None:
    """Return as soon as one of them is done; the others are given up."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def _sum(results: Sequence[IngestResult]) -> IngestResult:
    return IngestResult(
        sum(result.accepted for result in results),
        sum(result.duplicates for result in results),
        tuple(fault for result in results for fault in result.rejected),
    )
