"""One session with an Asterisk: what is due is asked, what comes is taken in and sent on."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from workers.sources.asterisk_ami.client import Answer, Heard, Session
from workers.sources.asterisk_ami.held import Held
from workers.sources.asterisk_ami.translate import stamped
from workers.sources.listening import listen
from workers.sources.worker import Surroundings

KIND = "asterisk-ami"
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
        self._polled_at = self._listed_at = self._pinged_at = time.monotonic()
        self._confirmed = False
        self._pings: deque[datetime] = deque()  # when those were sent, by our clock, that are not answered yet
        self._pong: float | None = None
        self._lists = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop` is set. Raises SourceFault when the session is over or makes no sense."""
        self._held.begin()
        self._list()
        await listen(self, self._session, self._around, stop, self._following.poll_seconds)

    def ask_what_is_due(self) -> None:
        """Ask for everything now and then, and more often whether anything was missed."""
        now = time.monotonic()
        if self._held.missed or now - self._listed_at >= self._following.list_seconds:
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

    def take_one(self, heard: Heard) -> Sequence[ContactEvent]:
        """Take in an event or an answer. Raises SourceFault when it makes no sense."""
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

    def is_confirmed(self) -> bool:
        """Return whether Asterisk has confirmed what is held, since this was asked last."""
        confirmed, self._confirmed = self._confirmed, False
        return confirmed

    def observe(self, now: datetime) -> Sequence[Observation]:
        """Return how all queues stand."""
        return self._held.observe(now)

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

    def report(self) -> None:
        """Say in the source's health how it goes."""
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
