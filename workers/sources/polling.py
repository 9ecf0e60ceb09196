"""A source that has to be asked: again and again, never twice at a time, with growing pauses after faults."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from app.core.floor.observation import Observation
from app.ports.sources import CLOCK_WRONG_SECONDS, clock_said
from app.services.ingest import IngestResult
from workers.sources.lot import Lot
from workers.sources.worker import Surroundings, deliver_surely, pause, unless_stopped
from workers.systems.clocks import listening
from workers.systems.faults import RateLimited, Refused, SourceFault

LONGEST_PAUSE_SECONDS = 60.0
REFUSED_PAUSE_SECONDS = 60.0  # an account that is asked too often with a wrong password gets locked
LONGEST_REFUSED_SECONDS = 900.0
LONGEST_WISH_SECONDS = 3600.0
SHORTEST_PAUSE_SECONDS = 0.01
OLD_SECONDS = 300.0
STILL_SECONDS = 15.0  # some servers write a new Date every few seconds only
_MOST_DOUBLINGS = 16

log = logging.getLogger(__name__)


class Asking(Protocol):
    """Whoever can be asked how the floor stands."""

    async def read(self, asked_at: datetime) -> Lot:
        """Return how the floor stands; asked_at is the instant of what has none of its own. Raises SourceFault."""

    async def close(self) -> None:
        """Let go of connections; the next read opens them anew."""


class Poller:
    """Asks every interval_seconds and sends on what it is told. Where nothing can be had, nothing is said.

    deadline_seconds: the longest that one asking may take, all of its requests together. idle: what health says of it
    while it is told nothing. After a fault the pauses grow from one interval to a minute, or to what the system itself
    asks for.
    """

    def __init__(
        self,
        around: Surroundings,
        *,
        name: str,
        kind: str,
        asking: Asking,
        interval_seconds: float,
        deadline_seconds: float,
        idle: str = "answers, and names no queue",
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._around, self._kind, self._asking, self._jitter = around, kind, asking, jitter
        self._interval, self._deadline = interval_seconds, deadline_seconds
        self._idle = idle
        self._faults = self._polls = 0
        self._clock_wrong = False
        self._shown: tuple[datetime | None, datetime] = None, around.clock.now()

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until `stop` is set."""
        self._around.sources.working(self.name, self._kind, "connecting", self._around.clock.now())
        try:
            while not stop.is_set():
                began = time.monotonic()
                wait = await self.poll(stop)
                since = time.monotonic() if self._faults else began  # a fault that came late is no shorter pause
                await pause(max(SHORTEST_PAUSE_SECONDS, since + wait - time.monotonic()), stop)
        finally:
            await self._asking.close()

    async def poll(self, stop: asyncio.Event) -> float:
        """Ask once; return after how many seconds to ask again, counted from the beginning of this time.

        After a fault they count from now: a system that takes long to say "ask me in 10 s" means 10 s from then.
        """
        self._polls += 1
        try:
            lot = await unless_stopped(self._read(), stop)
        except SourceFault as fault:
            self._faults += 1
            if self._faults == 1:
                log.warning("source_fails", extra={"source": self.name, "why": str(fault)})
            self._around.sources.failed(self.name, str(fault), self._around.clock.now())
            return pause_after(fault, self._faults, self._interval, self._jitter())
        if self._faults:
            log.info("source_works_again", extra={"source": self.name, "faults": self._faults})
        self._faults = 0
        if lot is not None:
            await self._send(lot, stop)
        return self._interval

    async def sample(self) -> Lot:
        """Return what one asking gives, and let go. Raises SourceFault; nothing is stored."""
        try:
            return (await self._read()).sound()
        finally:
            await self._asking.close()

    async def _read(self) -> Lot:
        try:
            async with asyncio.timeout(self._deadline):
                with listening() as shown:
                    lot = await self._asking.read(self._around.clock.now())
            self._moves(shown.at, self._around.clock.now())
            return replace(lot, clock_ahead_seconds=shown.ahead_seconds(self._around.clock.now()))
        except TimeoutError:
            raise SourceFault(f"it took longer than {self._deadline:g} s to be told how the floor stands") from None

    def _moves(self, shown_at: datetime | None, now: datetime) -> None:
        """Remember what the system's clock shows. Raises SourceFault where it has not moved since an earlier time.

        A system's clock may be wrong, and goes; an answer that is kept on the way stands still, and is said again.
        """
        before, since = self._shown
        if shown_at is None or shown_at != before:
            self._shown = shown_at, now
        elif (now - since).total_seconds() > STILL_SECONDS:
            still = (now - since).total_seconds()
            raise SourceFault(f"the Date of its answers has stood still for {still:,.0f} s: they are kept somewhere")

    async def _send(self, lot: Lot, stop: asyncio.Event) -> None:
        result = await deliver_surely(self._around.ingest, lot.payloads, stop)
        beside = {self.name} if result.accepted + result.duplicates else ()
        self._around.ingest.refused(lot.faulty(self.name), beside)
        now = self._around.clock.now()
        self._note_clock(lot.clock_ahead_seconds)
        self._around.sources.working(
            self.name,
            self._kind,
            self._status(lot, result, now),
            now,
            interval_seconds=self._interval,
            asked=self._polls,
            rows=len(lot.payloads) + len(lot.rejected),
            rejected_rows=len(lot.rejected),
        )

    def _note_clock(self, ahead: float | None) -> None:
        """Note how far the system's clock is ahead, below 0: behind; warn when it becomes wrong."""
        self._around.sources.clock(self.name, ahead)
        wrong = ahead is not None and abs(ahead) > CLOCK_WRONG_SECONDS
        if wrong and not self._clock_wrong:
            log.warning("source_clock_wrong", extra={"source": self.name, "ahead_seconds": ahead})
        self._clock_wrong = wrong

    def _status(self, lot: Lot, result: IngestResult, now: datetime) -> str:
        if not lot.payloads and not lot.rejected:
            return self._idle
        if not result.accepted + result.duplicates:
            return "answers, and nothing of it can be taken"
        ahead = lot.clock_ahead_seconds or 0.0
        if abs(ahead) > CLOCK_WRONG_SECONDS:
            return f"works, and {clock_said(ahead)}"
        newest = max((each.observed_at for each in lot.payloads if isinstance(each, Observation)), default=now)
        behind = (now - newest).total_seconds()
        if behind > OLD_SECONDS:
            return f"answers with data {behind:,.0f} s old: they stand still, or its clock is wrong"
        return "working"


def pause_after(fault: SourceFault, faults: int, interval_seconds: float, jitter: float) -> float:
    """Return how long to wait after so many faults in a row (1, 2, ...), in seconds.

    Twice as long each time: from one interval up to a minute, from a minute up to 15 where credentials are refused;
    never less than the interval, nor than the system asks for, up to an hour. jitter, 0..1, adds up to a quarter.
    """
    doubled = 2.0 ** min(faults - 1, _MOST_DOUBLINGS)
    if isinstance(fault, Refused):
        wait = min(LONGEST_REFUSED_SECONDS, REFUSED_PAUSE_SECONDS * doubled)
    else:
        wait = min(LONGEST_PAUSE_SECONDS, interval_seconds * doubled)
    wish = min(LONGEST_WISH_SECONDS, fault.retry_after_seconds) if isinstance(fault, RateLimited) else 0.0
    return max(interval_seconds, wait, wish) * (1 + jitter / 4)
