"""The simulated floor as a source: what its ACD reports goes into the stream as it happens."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.core.simulation.campaign import Campaign
from app.core.simulation.plan import Span
from app.core.simulation.simulation import Simulation
from app.errors import NotDurable
from app.ports.clock import Clock
from app.services.ingest import Ingest
from app.services.sources import Sources
from workers.sources.worker import deliver, pause

Happening = ContactEvent | Observation

SOURCE = "demo-acd"
FEEDS_PER_WALL_SECOND = 20
MAX_BATCH = 1000


class SimulatorWorker:
    """Advances a simulation with the clock and feeds what happened, in small batches, many times a second.

    silences: while one lasts nothing is fed. Contact events follow late, as from a source that reconnects; nobody can
    ask afterwards how many agents there were. beside is told at each step what happened on the floor, silent or not.
    """

    name = "simulator"

    def __init__(
        self,
        simulation: Simulation,
        clock: Clock,
        ingest: Ingest,
        sources: Sources,
        silences: Sequence[Span] = (),
        *,
        beside: Callable[[datetime, Sequence[Happening]], None] | None = None,
    ) -> None:
        self._simulation, self._clock, self._ingest, self._sources = simulation, clock, ingest, sources
        self._beside = beside
        begin = simulation.now
        self._silences = [
            (begin + timedelta(seconds=span.start), begin + timedelta(seconds=span.end)) for span in silences
        ]
        self._waiting: list[Happening] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Feed until `stop` is set."""
        while not stop.is_set():
            await self.feed(self._clock.now())
            await pause(1 / FEEDS_PER_WALL_SECOND, stop)

    async def feed(self, now: datetime) -> None:
        """Send what happened up to `now`, unless the feed is silent. What cannot be written is kept for next time."""
        happened = self._simulation.advance(now)
        if self._beside is not None:
            self._beside(now, happened)
        self._waiting += (each for each in happened if self._told(each))
        if self._silent(now):
            self._sources.working(SOURCE, self.name, "silent", now)
            return
        while self._waiting:
            try:
                await deliver(self._ingest, self._waiting[:MAX_BATCH])
            except NotDurable:
                return  # ingest noted the failure with the source's health; sending it all again is harmless
            del self._waiting[:MAX_BATCH]
        self._sources.working(SOURCE, self.name, "ok", now)

    def launch(self, campaign: Campaign) -> int:
        """Send a campaign to the simulated customers now; return how many contacts it will cause."""
        return self._simulation.launch(campaign, self._clock.now())

    def mail(self, campaign: Campaign, first: int, people: int) -> int:
        """Mail a part of a campaign's list now, as Simulation.mail; return how many contacts it will cause."""
        return self._simulation.mail(campaign, first, people, self._clock.now())

    def _told(self, each: Happening) -> bool:
        return isinstance(each, ContactEvent) or not self._silent(each.observed_at)

    def _silent(self, at: datetime) -> bool:
        return any(begin <= at < end for begin, end in self._silences)
