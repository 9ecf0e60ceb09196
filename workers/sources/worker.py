"""What every source worker is, and what it is given."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.errors import NotDurable
from app.ports.clock import Clock
from app.ports.stream import Payload
from app.services.ingest import Ingest, IngestResult
from app.services.sources import Sources

BATCH = 5_000
RETRY_SECONDS = 1.0


class Worker(Protocol):
    """Anything with a name that runs until it is told to stop."""

    @property
    def name(self) -> str:
        """What health and logs call it."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Raises Invalid when its configuration can never work; anything else is retried."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a source worker may use."""

    ingest: Ingest
    sources: Sources
    clock: Clock


Factory = Callable[[Surroundings], Worker]


async def deliver(ingest: Ingest, payloads: Sequence[Payload]) -> IngestResult:
    """Return what became of a mixed batch, events first. Raises NotDurable; sending the same again is safe."""
    events = [payload for payload in payloads if isinstance(payload, ContactEvent)]
    observations = [payload for payload in payloads if isinstance(payload, Observation)]
    results = [await ingest.contacts(events)] if events else []
    if observations:
        results.append(await ingest.observations(observations))
    return IngestResult(
        sum(result.accepted for result in results),
        sum(result.duplicates for result in results),
        tuple(fault for result in results for fault in result.rejected),
    )


async def deliver_surely(ingest: Ingest, payloads: Sequence[Payload], stop: asyncio.Event) -> None:
    """Deliver, again and again while it cannot be made durable; give up only when `stop` is set."""
    for start in range(0, len(payloads), BATCH):
        while not stop.is_set():
            try:
                await deliver(ingest, payloads[start : start + BATCH])
            except NotDurable:  # ingest has noted it in the source's health
                await pause(RETRY_SECONDS, stop)
            else:
                break


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Return after so many seconds of the machine's clock, or as soon as `stop` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def either(*waits: Coroutine[Any, Any, object]) -> None:
    """Return as soon as one of them is done; the others are given up."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
