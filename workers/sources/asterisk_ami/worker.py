"""Follows the queues of an Asterisk over its manager interface for as long as it is told to."""

import asyncio
import random
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from app.core.floor.contact import ContactEvent
from app.ports.stream import Payload
from workers.sources.asterisk_ami.agents import Agents
from workers.sources.asterisk_ami.client import Account, Answer, Heard, Session
from workers.sources.asterisk_ami.held import Held
from workers.sources.asterisk_ami.stays import STAY_LIMIT_SECONDS
from workers.sources.asterisk_ami.translate import stamped
from workers.sources.faults import SourceFault
from workers.sources.lot import Lot
from workers.sources.polling import pause_after
from workers.sources.table import Table
from workers.sources.worker import Factory, Surroundings, deliver_surely, pause, unless_stopped

RETRY_SECONDS = 1.0
WAKE_SECONDS = 0.5
OBSERVE_SECONDS = 1.0  # between two observations that events give rise to
SOUND_SECONDS = 60.0  # a session that lasted so long was well: its end counts as the first fault again
SAMPLE_SECONDS = 20.0
CLOSING_SECONDS = 1.0
CLOCK_WRONG_SECONDS = 5.0

_KIND = "asterisk-ami"
_PORT, _TLS_PORT = 5038, 5039
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


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of a {type="asterisk-ami", host, username, secret, ...}. Raises Invalid."""
    tls = _tls(table) if table.flag("tls", default=False) else None
    poll_seconds = table.seconds("poll_seconds", 10.0, 0.02, 60.0)
    account = Account(
        host=table.text("host"),
        port=table.whole("port", _PORT if tls is None else _TLS_PORT, 1, 65_535),
        username=table.text("username"),
        secret=table.secret("secret"),
        plain=table.choice("auth", ("md5", "plain"), "md5") == "plain",
        tls=tls,
        silence_seconds=table.seconds("silence_seconds", max(30.0, 2 * poll_seconds), 0.2, 300.0),
    )
    following = Following(
        queues=table.texts("queues", ("*",)),
        channel=table.name("channel", "voice"),
        unknown_is_free=table.flag("unknown_devices_available", default=False),
        wrap_up_seconds=table.seconds("wrap_up_seconds", 0.0, 0.0, 3600.0),
        poll_seconds=poll_seconds,
        list_seconds=table.seconds("list_seconds", 60.0, 0.02, 3600.0),
    )
    if account.silence_seconds < poll_seconds:
        said = f"{account.silence_seconds:g} is less than poll_seconds, which is {poll_seconds:g}"
        raise table.fault("silence_seconds", said, "give twice that at least")
    return partial(AmiWorker, name=name, account=account, following=following)


class AmiWorker:
    """Sends contact events as they happen, and observations of all queues whenever Asterisk confirms what is held.

    Each session begins with a list of everything; a summary asked for every poll_seconds tells whether anything was
    missed since, and what is not confirmed is not observed: a connection that is lost lets the readings grow old.
    """

    def __init__(
        self,
        around: Surroundings,
        *,
        name: str,
        account: Account,
        following: Following,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._around, self._account, self._following, self._jitter = around, account, following, jitter

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop` is set; while nothing can be had, say so in the source's health and try again."""
        clock = self._around.clock
        self._around.sources.working(self.name, _KIND, "connecting", clock.now(), address=self._account.address)
        begun = clock.now() - timedelta(seconds=STAY_LIMIT_SECONDS)
        held = self._held(await self._around.ingest.left_open(self.name, begun))
        faults = sessions = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                if session := await unless_stopped(Session.open(self._account), stop):
                    sessions += 1
                    follower = _Follower(
                        self._around,
                        name=self.name,
                        following=self._following,
                        session=session,
                        held=held,
                        sessions=sessions,
                    )
                    await follower.run(stop)
            except SourceFault as fault:
                self._around.sources.failed(self.name, str(fault), clock.now())
                faults = 1 if time.monotonic() - began > SOUND_SECONDS else faults + 1
                await pause(pause_after(fault, faults, RETRY_SECONDS, self._jitter()), stop)

    async def sample(self) -> Lot:
        """Return one observation per queue, as they stand now. Raises SourceFault; nothing is stored."""
        held = self._held(())
        session = await Session.open(self._account)
        try:
            async with asyncio.timeout(SAMPLE_SECONDS):
                held.begin()
                session.ask("QueueStatus")
                while not held.listed_once:
                    for heard in await session.hear(SAMPLE_SECONDS):
                        if isinstance(heard, Answer):
                            held.listed(heard.listed(), self._around.clock.now().timestamp())
        except TimeoutError:
            raise SourceFault(f"{self._account.address} did not list its queues in {SAMPLE_SECONDS:g} s") from None
        finally:
            session.close()
        return Lot(held.observe(self._around.clock.now()))

    def _held(self, recalled: Sequence[ContactEvent]) -> Held:
        how = self._following
        agents = Agents(how.unknown_is_free, how.wrap_up_seconds)
        return Held(self.name, queues=how.queues, channel=how.channel, agents=agents, recalled=recalled)


class _Follower:
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
        self._around.sources.working(
            self._name,
            _KIND,
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


def _tls(table: Table) -> ssl.SSLContext:
    """Return how to check Asterisk's certificate: by the system's authorities, or by the one in ca_file."""
    ca_file = table.optional_text("ca_file")
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(Path(ca_file)))
    except (OSError, ssl.SSLError) as fault:
        raise table.fault("ca_file", f"{ca_file} cannot be read ({fault.strerror or 'no certificate'})", "") from None
