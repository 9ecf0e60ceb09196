"""One session with an Asterisk: what is due is asked, what comes is taken in and sent on."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.floor.contact import ContactEvent
from app.ports.stream import Payload
from workers.sources.asterisk_ami.client import Answer, Heard, Session
from workers.sources.asterisk_ami.held import Held
from workers.sources.asterisk_ami.translate import stamped
from workers.sources.worker import Surroundings, deliver_surely
from workers.systems.faults import SourceFault

KIND = "asterisk-ami"
WAKE_SECONDS = 0.5
OBSERVE_SECONDS = 1.0  # between two observations that events give rise to
CLOSING_SECONDS = 1.0
CLOCK_WRONG_SECONDS = 5.0

_CHANGES = frozenset({"FullyBooted", "Reload"})  # heard only with `read = system` too; a summary tells as well


@dataclass(frozen=True, slots=True)
class Following:
    """How to follow: which queues, as which channel, whom to count as available, and how often to look.

    poll_seconds: between two looks whether anything was missed. list_seconds: between two lists of everything.
    """

    queues: Sequence[str] = ("*",)
    channel: str = "voice"
    unknown_is_free: bool = False
    wrap_up_seconds: float = 0.0
    poll_seconds: float = 10.0
    list_seconds: float = 60.0


class Follower:
    """One session's loop: what is due is asked, what comes is taken in and sent on."""

    def __init__(
        self, around: Surroundings, *, name: str, following: Following, session: Session, held: Held, sessions: int
    ) -> None:
        self._around, self._name, self._following = around, name, following
        self._session, self._held, self._sessions = session, held, sessions
        self._polled_at = self._listed_at = self._observed_at = self._pinged_at = time.monotonic()
        self._confirmed = self._stirred = False
        self._pings: deque[datetime] = deque()  # when those were sent, by our clock, that are not answered yet
        self._pong: float | None = None
        self._lists = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop` is set. Raises SourceFault when the session is over or makes no sense."""
        self._held.begin()
        self._list()
        try:
            while not stop.is_set():
                self._ask_what_is_due()
                heard = await self._session.hear(min(WAKE_SECONDS, self._following.poll_seconds))
                fault, payloads = self._take(heard)
                await deliver_surely(self._around.ingest, payloads, stop)
                if fault is not None:
                    raise fault
                if self._confirmed or payloads:
                    self._confirmed = False
                    self._report()
        finally:
            self._session.close()

    def _ask_what_is_due(self) -> None:
        now = time.monotonic()
        if now - self._listed_at >= self._following.list_seconds:
            self._list()
        if now - self._polled_at >= self._following.poll_seconds and not self._session.awaits("QueueSummary"):
            self._polled_at = now
            self._ping()
            self._session.ask("QueueSummary")
        elif self._held.stays.closing and now - self._pinged_at >= CLOSING_SECONDS:
            self._ping()  # whose answer says up to when all has been heard

    def _ping(self) -> None:
        self._pinged_at = time.monotonic()
        self._pings.append(self._around.clock.now())
        self._session.ask("Ping")

    def _list(self) -> None:
        """Ask for everything, and for Asterisk's time right before: a list tells how long callers have waited."""
        if not self._session.awaits("QueueStatus"):
            self._listed_at = time.monotonic()
            self._ping()
            self._held.asking()
            self._session.ask("QueueStatus")

    def _take(self, heard: Sequence[Heard]) -> tuple[SourceFault | None, list[Payload]]:
        """Return what was heard as payloads, up to a fault where there is one: what is held must have been sent."""
        payloads: list[Payload] = []
        for each in heard:
            try:
                payloads += self._take_one(each)
            except SourceFault as fault:
                return fault, payloads
        self._stirred = self._stirred or bool(heard)
        since = time.monotonic() - self._observed_at
        if self._confirmed or (self._stirred and since >= OBSERVE_SECONDS):
            self._stirred, self._observed_at = False, time.monotonic()
            payloads += self._held.observe(self._around.clock.now())
        if self._held.missed:
            self._list()
        return None, payloads

    def _take_one(self, heard: Heard) -> Sequence[ContactEvent]:
        if not isinstance(heard, Answer):
            if heard.get("event") in _CHANGES:
                self._list()
            return self._held.event(heard, self._around.clock.now())
        match heard.question:
            case "Ping":
                self._take_pong(stamped(heard.first))
                return self._held.heard_until(self._asterisks_time())
            case "QueueSummary" if self._held.agrees(heard.listed()):
                self._confirmed = True
            case "QueueSummary":
                self._list()
            case "QueueStatus":
                events = self._held.listed(heard.listed(), self._asterisks_time())
                self._confirmed, self._lists = True, self._lists + 1
                return events
        return ()

    def _take_pong(self, stamp: float | None) -> None:
        """Learn how far Asterisk's clock is from ours: as little as the two instants around its answer allow."""
        self._pong, asked = stamp, self._pings.popleft().timestamp()
        if stamp is not None:
            answered = self._around.clock.now().timestamp()
            self._held.offset_seconds = min(0.0, stamp - asked) + max(0.0, stamp - answered)

    def _asterisks_time(self) -> float:
        if self._pong is not None:
            return self._pong
        return self._around.clock.now().timestamp() + self._held.offset_seconds

    def _report(self) -> None:
        held, now = self._held, self._around.clock.now()
        self._around.sources.clock(self._name, None if self._pong is None else round(held.offset_seconds, 1))
        self._around.sources.working(
            self._name,
            KIND,
            _status(held),
            now,
            system=self._session.banner,
            queues=len(held.queues),
            absent_queues=held.absent,
            doubted_queues=held.doubted,
            clock_ahead_seconds=round(held.offset_seconds, 1),
            sessions=self._sessions,
            lists=self._lists,
            events=held.events,
            malformed=held.tally.malformed,
            faults=[fault.reason for fault in held.tally.faults],
        )


def _status(held: Held) -> str:
    """Return how it goes, worst first."""
    ahead = held.offset_seconds
    if not held.queues:
        return "answers, and names no queue" if held.listed_once else "connected"
    if held.deaf:
        return 'polling: events do not come; give the manager user "read = agent"'
    if held.doubted:
        return f"following, without {len(held.doubted)} queues whose data make no sense"
    if held.absent:
        return f"following; Asterisk does not list {', '.join(held.absent)}"
    if abs(ahead) > CLOCK_WRONG_SECONDS:
        return f"following; its clock is {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} ours"
    return "following"
