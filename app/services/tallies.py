"""Tallies: follows the stream and counts the contacts that name a campaign.

How far it came is written with the tallies, so that a crash loses nothing and counts nothing twice. What concerns no
campaign costs a look at each record in memory, and nothing else.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import timedelta

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.ports.clock import Clock
from app.ports.learning import Tally, TallyStore
from app.ports.stream import Stream, StreamRecord

log = logging.getLogger(__name__)

WRITE_SECONDS = 1.0
WRITE_EVENTS = 5_000
WRITE_RECORDS = 20_000
RESTART_SECONDS = 1.0
REMEMBERED = timedelta(days=60)
FORGET_EVERY = timedelta(days=1)


class Tallies:
    """Counts contacts by campaign, queue, channel, reason tag and five minutes."""

    def __init__(self, stream: Stream, store: TallyStore, clock: Clock) -> None:
        self._stream, self._store, self._clock = stream, store, clock
        self._heard = self._written = 0
        self._any_tagged = False
        self._waiting: list[ContactEvent] = []
        self._writing = asyncio.Lock()
        self._forgot_at = clock.now()

    @property
    def position(self) -> int:
        """The position in the stream up to which was heard; what is written down may lag a second behind."""
        return self._heard

    async def load(self) -> None:
        """Stand where the last run stood."""
        self._heard = self._written = await self._store.position()
        self._any_tagged = await self._store.has_tagged()

    async def of(self, campaigns: Collection[str]) -> Sequence[Tally]:
        """Return the tallies of these campaigns, with everything heard up to now in them."""
        await self.write()
        return await self._store.tallies(campaigns)

    async def catch_up(self) -> None:
        """Count everything that is in the stream now. For a process in which `run` does not follow it."""
        while records := await self._stream.read(self._heard):
            await self._hear(records)
        await self.write()

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the stream until `stop` is set. A fault is logged, and following begins anew where it was written."""
        while not stop.is_set():
            try:
                await self._follow(stop)
            except Exception:
                log.exception("tallies_failed")
                self._waiting.clear()
                self._heard = self._written
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), RESTART_SECONDS)

    async def resume(self, stop: asyncio.Event) -> None:
        """Go on where whoever wrote last stood, until `stop` is set."""
        self._waiting.clear()
        await self.load()
        await self.run(stop)

    async def _follow(self, stop: asyncio.Event) -> None:
        hearing = asyncio.create_task(self._tail(), name="tallies-tail")
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                done, _ = await asyncio.wait(
                    {hearing, stopping}, timeout=WRITE_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if hearing in done:
                    return hearing.result()
                await self.write()
                await self._forget()
        finally:
            for task in (hearing, stopping):
                task.cancel()
            await asyncio.wait({hearing, stopping})
        return await self.write()

    async def _tail(self) -> None:
        async for records in self._stream.tail(self._heard):
            await self._hear(records)

    async def _hear(self, records: Sequence[StreamRecord]) -> None:
        """Keep what concerns a campaign for the next write; write at once when that is much."""
        events = [record.payload for record in records if isinstance(record.payload, ContactEvent)]
        self._waiting += await self._concerned(events)
        self._heard = records[-1].position
        if len(self._waiting) >= WRITE_EVENTS:
            await self.write()

    async def _concerned(self, events: Sequence[ContactEvent]) -> list[ContactEvent]:
        """Return the events that name a campaign, or may say more of a contact that named one before."""
        naming = [event for event in events if event.campaign is not None]
        if not naming and not self._any_tagged:
            return naming
        self._any_tagged = True
        more = [event for event in events if event.campaign is None and _says_more(event)]
        known = await self._store.tagged_among({event.contact_id for event in more})
        known |= {event.contact_id for event in (*naming, *self._waiting)}
        return naming + [event for event in more if event.contact_id in known]

    async def write(self) -> None:
        """Write down what was heard; where no contact is concerned, only now and then how far it came."""
        async with self._writing:
            events, heard = list(self._waiting), self._heard
            if not events and heard - self._written < WRITE_RECORDS:
                return
            await self._store.count(events, heard, self._clock.now())
            del self._waiting[: len(events)]
            self._written = heard

    async def _forget(self) -> None:
        now = self._clock.now()
        if now - self._forgot_at >= FORGET_EVERY:
            self._forgot_at = now
            await self._store.forget_contacts(now - REMEMBERED)


def _says_more(event: ContactEvent) -> bool:
    return event.reason is not None or event.channel is not None or event.event is ContactEventKind.QUEUED
