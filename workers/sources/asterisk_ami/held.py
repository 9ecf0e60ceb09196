"""What is held of an Asterisk's queues between its messages. Pure: messages in, contact events and observations out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from workers.sources.asterisk_ami.agents import Agents
from workers.sources.asterisk_ami.frames import Message
from workers.sources.asterisk_ami.stays import Call, Stays
from workers.sources.asterisk_ami.translate import (
    OF_QUEUES,
    Completed,
    Connected,
    Listed,
    Member,
    Summary,
    Told,
    Waiting,
    happened,
    told,
)
from workers.sources.tally import Tally
from workers.systems.faults import TranslateError

FOREIGN_SECONDS = 3600.0  # a stamp further from Asterisk's own time than this is none


class Held:
    """The queues as they stand. Used by one session after another; `begin` says that a new one began.

    `now` is by our clock, `at` by Asterisk's. tally counts what could not be understood.
    missed: something was, so a list is due. events: how many of app_queue came in this session.
    """

    def __init__(
        self,
        source: str,
        *,
        queues: Sequence[str] = ("*",),
        channel: str | None = "voice",
        agents: Agents | None = None,
        recalled: Sequence[ContactEvent] = (),
    ) -> None:
        self.tally = Tally()
        self.events = 0
        self.missed = False
        self.stays = Stays(source, channel, recalled)
        self._source, self._channel, self._patterns = source, channel, tuple(queues)
        self._agents = agents or Agents()
        self._queues: frozenset[str] = frozenset()
        self._doubted: frozenset[str] = frozenset()
        self._listed = False
        self._touched: set[Call] = set()
        self._touched_members: set[tuple[str, str]] = set()

    @property
    def offset_seconds(self) -> float:
        """How far Asterisk's clock is ahead of ours."""
        return self.stays.offset_seconds

    @offset_seconds.setter
    def offset_seconds(self, seconds: float) -> None:
        """Take what is dated by Asterisk from now on for so much earlier by ours."""
        self.stays.offset_seconds = seconds

    @property
    def queues(self) -> frozenset[str]:
        """The queues that are there and asked for; empty until the session's first list."""
        return self._queues if self._listed else frozenset()

    @property
    def listed_once(self) -> bool:
        """Whether everything was listed in this session."""
        return self._listed

    @property
    def absent(self) -> list[str]:
        """The queues asked for by name that Asterisk does not list: nothing is said of them."""
        plain = [pattern for pattern in self._patterns if not set(pattern) & set("*?[")]
        return [name for name in plain if self._listed and name not in self._queues]

    @property
    def doubted(self) -> list[str]:
        """The queues of which the last list made no sense: nothing is said of them either."""
        return sorted(self._doubted)

    @property
    def deaf(self) -> bool:
        """Whether callers joined in this session and no event told so: the account may not read them."""
        return self.stays.unannounced > 0 and self.stays.joins == 0

    def begin(self) -> None:
        """A new session: what stood may have changed, so nothing is observed before its first list."""
        self._listed = self.missed = False
        self.events = 0
        self.stays.begin()

    def asking(self) -> None:
        """A list is being asked for: events from now on are newer than what it will say."""
        self._touched.clear()
        self._touched_members.clear()

    def event(self, message: Message, now: datetime) -> list[ContactEvent]:
        """Return what an event means for callers; [] for one of no interest. One that makes no sense is counted."""
        self.events += message.get("event", "") in OF_QUEUES
        self.tally.lines += 1
        try:
            what = happened(message)
        except TranslateError as fault:
            self.tally.fault(str(fault))
            self.missed = True
            return []
        if what is None or not self._asked_for(what.queue):
            return []
        if isinstance(what, Member):
            self._touched_members.add((what.queue, what.interface))
            self._agents.learn(what)
            return []
        self._touched.add((what.call, what.queue))
        at = self._instant(what.at, now)
        if isinstance(what, Connected):
            self._touched_members.add((what.queue, what.interface))
            self._agents.take(what.queue, what.interface, what.agent)
        elif isinstance(what, Completed):
            self._touched_members.add((what.queue, what.interface))
            self._agents.finish(what.queue, what.interface, at)
        return [*self.stays.happened(what, at)]

    def listed(self, messages: Iterable[Message], at: float) -> list[ContactEvent]:
        """Return what a whole QueueStatus, made at `at` by Asterisk's clock, means for callers; hold what it says."""
        rows, self._doubted = self._told(messages)
        queues = frozenset(row.queue for row in rows if isinstance(row, Listed)) - self._doubted
        members = [row for row in rows if isinstance(row, Member) and row.queue in queues]
        self._agents.replace(queues, members, frozenset(self._touched_members))
        first, self._listed, self.missed, self._queues = not self._listed, True, False, queues
        return [
            *self.stays.listed(
                [row for row in rows if isinstance(row, Waiting) and row.queue in queues],
                {queue: self._agents.talks(queue) for queue in queues},
                at,
                touched=frozenset(self._touched),
                first=first,
            )
        ]

    def agrees(self, messages: Iterable[Message]) -> bool:
        """Return whether a QueueSummary says of the queues what is held; if not, something was missed."""
        rows, _ = self._told(messages)
        summaries = {row.queue: row for row in rows if isinstance(row, Summary)}
        if summaries.keys() != self._queues:
            return False
        return all(
            row.callers == len(self.stays.waits(queue)) and row.logged_in == self._agents.logged_in(queue)
            for queue, row in summaries.items()
        )

    def heard_until(self, at: float) -> list[ContactEvent]:
        """Return the ends of stays of which no more will be told: all that happened before `at` has been heard."""
        return [*self.stays.sweep(at)]

    def observe(self, now: datetime) -> list[Observation]:
        """Return one observation per queue as of `now`; [] until a list was had in this session."""
        return [self._observe(queue, now) for queue in sorted(self.queues)]

    def _observe(self, queue: str, now: datetime) -> Observation:
        at = self._asterisks(now)
        waits, staffing = self.stays.waits(queue), self._agents.staffing(queue, at)
        return Observation(
            queue=queue,
            observed_at=now,
            source=self._source,
            channel=self._channel,
            backlog=len(waits),
            oldest_wait_seconds=max(0.0, at - min(waits)) if waits else 0.0,
            contacts_in_progress=staffing.in_call,
            agents_staffed=staffing.staffed,
            agents_available=staffing.available,
            agents_busy=staffing.busy,
        )

    def _told(self, messages: Iterable[Message]) -> tuple[list[Told], frozenset[str]]:
        """Return what the rows of a list say, and the queues of which a row makes no sense."""
        rows: list[Told] = []
        doubted = set()
        for message in messages:
            self.tally.lines += 1
            try:
                row = told(message)
            except TranslateError as fault:
                self.tally.fault(str(fault))
                doubted.add(message.get("queue", ""))
                continue
            if row is not None and self._asked_for(row.queue):
                rows.append(row)
        return rows, frozenset(queue for queue in doubted if self._asked_for(queue))

    def _asked_for(self, queue: str) -> bool:
        return any(fnmatchcase(queue, pattern) for pattern in self._patterns)

    def _asterisks(self, now: datetime) -> float:
        return now.timestamp() + self.offset_seconds

    def _instant(self, stamp: float | None, now: datetime) -> float:
        """Return when something happened, by Asterisk's clock: its stamp, or now where that is missing or foreign."""
        at = self._asterisks(now)
        return stamp if stamp is not None and abs(stamp - at) <= FOREIGN_SECONDS else at
