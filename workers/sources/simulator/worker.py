"""The simulated floor as a source: what its ACD reports goes into the stream as it happens."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.core.simulation.campaign import Campaign
from app.core.simulation.plan import Span
from app.core.simulation.simulation import Simulation
from app.errors import NotDurable
from app.ports import Clock
from app.services.ingest import Ingest
from app.services.sources import Sources
from workers.sources.worker import deliver, pause

SOURCE = "demo-acd"
FEEDS_PER_WALL_SECOND = 20
MAX_BATCH = 1000


class SimulatorWorker:
    """Advances a simulation with the clock and feeds what happened, in small batches, many times a second.

    silences: while one lasts nothing is fed. Contact events follow late, as from a source that reconnects; nobody can
    ask afterwards how many agents there were.
    """

    name = "simulator"

    def __init__(
        self, simulation: Simulation, clock: Clock, ingest: Ingest, sources: Sources, silences: Sequence[Span] = ()
    ) -> None:
        self._simulation, self._clock, self._ingest, self._sources = simulation, clock, ingest, sources
        begin = simulation.now
        self._silences = [
            (begin + timedelta(seconds=span.start), begin + timedelta(seconds=span.end)) for span in silences
        ]
        self._waiting: list[ContactEvent | Observation] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Feed until `stop` is set."""
        while not stop.is_set():
            await self.feed(self._clock.now())
            await pause(1 / FEEDS_PER_WALL_SECOND, stop)

    async def feed(self, now: datetime) -> None:
        """Send what happened up to `now`, unless the feed is silent. What cannot be written is kept for next time."""
        if self._silent(now):
            self._sources.working(SOURCE, self.name, "silent", now)
            return
        self._waiting += (each for each in self._simulation.advance(now) if self._told(each))
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

    def _told(self, each: ContactEvent | Observation) -> bool:
        return isinstance(each, ContactEvent) or not self._silent(each.observed_at)

    def _silent(self, at: datetime) -> bool:
        return any(begin <= at < end for begin, end in self._silences)
