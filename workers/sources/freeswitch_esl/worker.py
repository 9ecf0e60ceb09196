"""Follows the queues of a FreeSWITCH over its event socket for as long as it is told to."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from workers.sources.freeswitch_esl.client import Account, Answer, Heard, Session
from workers.sources.freeswitch_esl.held import Held
from workers.sources.freeswitch_esl.stays import STAY_LIMIT_SECONDS
from workers.sources.freeswitch_esl.translate import SUBCLASS, clock
from workers.sources.listening import listen
from workers.sources.lot import Lot
from workers.sources.sessions import keep_up
from workers.sources.worker import Factory, Surroundings, unless_stopped
from workers.systems.faults import SourceFault
from workers.systems.table import Table

SAMPLE_SECONDS = 20.0
CLOCK_WRONG_SECONDS = 5.0

_KIND = "freeswitch-esl"
_SUBSCRIBE = f"event plain CUSTOM {SUBCLASS}"
_CLOCK = "api strepoch"
_LISTS = {
    "api callcenter_config queue list": "queues",
    "api callcenter_config queue list members": "members",
    "api callcenter_config agent list": "agents",
    "api callcenter_config tier list": "tiers",
}


@dataclass(frozen=True, slots=True)
class Following:
    """How to follow: which queues, as which channel, and how often to list everything."""

    queues: Sequence[str] = ("*",)
    channel: str = "voice"
    poll_seconds: float = 5.0


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of a {type="freeswitch-esl", host, password, ...}. Raises Invalid."""
    poll_seconds = table.seconds("poll_seconds", 5.0, 0.02, 60.0)
    account = Account(
        host=table.text("host"),
        port=table.whole("port", 8021, 1, 65_535),
        user=table.optional_text("user"),
        password=table.secret("password"),
        silence_seconds=table.seconds("silence_seconds", max(30.0, 2 * poll_seconds), 0.2, 300.0),
    )
    if account.silence_seconds < poll_seconds:
        said = f"{account.silence_seconds:g} is less than poll_seconds, which is {poll_seconds:g}"
        raise table.fault("silence_seconds", said, "give twice that at least")
    if account.user is not None and not (account.user.isprintable() and ":" not in account.user):
        raise table.fault("user", "holds a colon or a control character", "write name@domain")
    following = Following(table.texts("queues", ("*",)), table.name("channel", "voice"), poll_seconds)
    return partial(EslWorker, name=name, account=account, following=following)


class EslWorker:
    """Sends contact events as they happen, and observations of all queues whenever FreeSWITCH has listed them.

    What is not listed anew every poll_seconds is not observed: a connection that is lost lets the readings grow old.
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
        now = self._around.clock.now
        self._around.sources.working(self.name, _KIND, "connecting", now(), address=self._account.address)
        begun = now() - timedelta(seconds=STAY_LIMIT_SECONDS)
        held = self._held(await self._around.ingest.left_open(self.name, begun))
        await keep_up(
            partial(self._session, held, itertools.count(1), stop), self._around, self.name, stop, self._jitter
        )

    async def sample(self) -> Lot:
        """Return one observation per queue, as they stand now. Raises SourceFault; nothing is stored."""
        held, bodies = self._held(()), dict[str, bytes]()
        now, at = self._around.clock.now(), None
        session = await Session.open(self._account)
        try:
            async with asyncio.timeout(SAMPLE_SECONDS):
                for command in (_CLOCK, *_LISTS):
                    session.ask(command)
                while len(bodies) < len(_LISTS):
                    for heard in await session.hear(SAMPLE_SECONDS):
                        if isinstance(heard, Answer) and heard.command == _CLOCK:
                            now, at = self._around.clock.now(), clock(heard.body)
                        elif isinstance(heard, Answer):
                            bodies[_LISTS[heard.command]] = _listed(heard)
        except TimeoutError:
            raise SourceFault(f"{self._account.address} did not list its queues in {SAMPLE_SECONDS:g} s") from None
        finally:
            session.close()
        held.stays.offset_seconds = 0.0 if at is None else at - now.timestamp()
        held.listed(bodies, now.timestamp() + held.stays.offset_seconds)
        return Lot(held.observe(now), clock_ahead_seconds=None if at is None else round(held.stays.offset_seconds))

    async def _session(self, held: Held, numbers: Iterator[int], stop: asyncio.Event) -> None:
        """Follow for one session, which ends by a fault or by `stop`. Raises SourceFault."""
        if session := await unless_stopped(Session.open(self._account), stop):
            follower = _Follower(
                self._around,
                name=self.name,
                poll_seconds=self._following.poll_seconds,
                session=session,
                held=held,
                sessions=next(numbers),
            )
            await follower.run(stop)

    def _held(self, recalled: Sequence[ContactEvent]) -> Held:
        return Held(self.name, patterns=self._following.queues, channel=self._following.channel, recalled=recalled)


class _Follower:
    """One session's loop: what is due is asked, what comes is taken in and sent on."""

    def __init__(
        self, around: Surroundings, *, name: str, poll_seconds: float, session: Session, held: Held, sessions: int
    ) -> None:
        self._around, self._name, self._poll_seconds = around, name, poll_seconds
        self._session, self._held, self._sessions = session, held, sessions
        self._polled_at = time.monotonic()
        self._asked_at: datetime = around.clock.now()
        self._at: float | None = None
        self._bodies: dict[str, bytes] = {}
        self._lists = 0
        self._deaf = self._confirmed = False

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop` is set. Raises SourceFault when the session is over or makes no sense."""
        self._held.begin()
        self._session.ask(_SUBSCRIBE)
        self._list()
        await listen(self, self._session, self._around, stop, self._poll_seconds)

    def ask_what_is_due(self) -> None:
        """List everything now and then."""
        if not self._session.asking and time.monotonic() - self._polled_at >= self._poll_seconds:
            self._list()

    def _list(self) -> None:
        """Ask for FreeSWITCH's time, which tells how old the waits are, and for everything."""
        self._polled_at = time.monotonic()
        self._asked_at = self._around.clock.now()
        self._bodies.clear()
        self._held.asking()
        for command in (_CLOCK, *_LISTS):
            self._session.ask(command)

    def take_one(self, heard: Heard) -> Sequence[ContactEvent]:
        """Take in an event or an answer. Raises SourceFault when it makes no sense."""
        if not isinstance(heard, Answer):
            return self._held.event(heard)
        if heard.command == _SUBSCRIBE:
            self._deaf = not heard.granted
        elif heard.command == _CLOCK:
            self._take_clock(clock(heard.body) if heard.granted else None)
            return self._held.heard_until(self._freeswitchs_time())
        else:
            self._bodies[_LISTS[heard.command]] = _listed(heard)
            if len(self._bodies) == len(_LISTS):
                events = self._held.listed(self._bodies, self._freeswitchs_time())
                self._confirmed, self._lists = True, self._lists + 1
                return events
        return ()

    def is_confirmed(self) -> bool:
        """Return whether everything was listed, since this was asked last."""
        confirmed, self._confirmed = self._confirmed, False
        return confirmed

    def observe(self, now: datetime) -> Sequence[Observation]:
        """Return how all queues stand."""
        return self._held.observe(now)

    def _take_clock(self, at: float | None) -> None:
        """Learn how far FreeSWITCH's clock is from ours: as little as the instants around its answer allow."""
        self._at = at
        if at is not None:  # in whole seconds
            asked, answered = self._asked_at.timestamp() - 1, self._around.clock.now().timestamp()
            self._held.stays.offset_seconds = min(0.0, at - asked) + max(0.0, at - answered)

    def _freeswitchs_time(self) -> float:
        if self._at is not None:
            return self._at
        return self._around.clock.now().timestamp() + self._held.stays.offset_seconds

    def report(self) -> None:
        """Say in the source's health how it goes."""
        held, now = self._held, self._around.clock.now()
        self._around.sources.clock(self._name, None if self._at is None else round(held.stays.offset_seconds, 1))
        self._around.sources.working(
            self._name,
            _KIND,
            self._status(),
            now,
            queues=len(held.queues),
            absent_queues=held.absent,
            clock_ahead_seconds=round(held.stays.offset_seconds, 1),
            sessions=self._sessions,
            lists=self._lists,
            events=held.events,
            malformed=held.tally.malformed,
            faults=[fault.reason for fault in held.tally.faults],
        )

    def _status(self) -> str:
        """Return how it goes, worst first."""
        held, ahead = self._held, self._held.stays.offset_seconds
        if not held.queues:
            return "answers, and names no queue" if held.listed_once else "connected"
        if self._deaf:
            return "polling: events are not permitted; see esl-allowed-events of the user"
        if held.absent:
            return f"following; FreeSWITCH does not list {', '.join(held.absent)}"
        if abs(ahead) > CLOCK_WRONG_SECONDS:
            return f"following; its clock is {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} ours"
        return "following"


def _listed(answer: Answer) -> bytes:
    """Return the body of a list. Raises SourceFault where the user may not have it."""
    if not answer.granted:
        raise SourceFault(f"FreeSWITCH does not permit {answer.command!r}; see esl-allowed-api of the user")
    return answer.body
