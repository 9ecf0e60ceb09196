"""The stays of callers in queues, from events and from the lists of who is there. Pure.

Theory of operation. All times in here are Asterisk's, epoch seconds. One stay of one call in one queue is one contact,
`uniqueid/queue/second it joined`: the id that the queue_log of the same Asterisk gives it, second visits included.

* QueueCallerAbandon ends a wait, AgentConnect answers it, AgentComplete ends the talk. Each tells how long the caller
  waited, so a stay whose beginning was missed is told whole from its end.
* QueueCallerLeave ends nothing: what it was is told by the event before (Abandon) or after it (AgentConnect). Where
  none comes within a few seconds the caller went elsewhere (a key was pressed), or the event was lost: the stay is
  closed as left, neither answered nor abandoned.
* A list settles what was missed while nobody listened: who is on it and unknown has joined; who is known and not on it
  has left, how is not known. An event on its way may tell, so that, too, waits a moment.
* A talk is over when a list says that its agent is on no call of that queue, or on a later one. Those that began
  unheard are in talks.py.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import NamedTuple, TypeAlias

from app.core.floor.contact import ContactEvent, ContactEventKind
from workers.sources.asterisk_ami.agents import Talk
from workers.sources.asterisk_ami.talks import MISSED_SECONDS, Seat, Telling, UnheardTalks
from workers.sources.asterisk_ami.translate import Abandoned, Completed, Connected, Joined, Left, Waiting
from workers.sources.naming import acceptable

STAY_LIMIT_SECONDS = 4 * 3600  # as long as the floor, by default, waits for a contact's next event
LEFT_SECONDS = 10.0  # from the line to the talk: an announcement or a subroutine may lie between
SAME_SECONDS = 2.0  # two tellings of one join differ by no more; a call does not come back that fast
UNANNOUNCED_SECONDS = 5.0

Call: TypeAlias = tuple[str, str]  # (uniqueid, queue)
Happened: TypeAlias = Joined | Left | Abandoned | Connected | Completed

_LEFT, _UNSEEN = "left_queue", "end_not_seen"
_ENDS = {
    "caller": (ContactEventKind.COMPLETED, "caller_hung_up"),
    "agent": (ContactEventKind.COMPLETED, "agent_hung_up"),
    "transfer": (ContactEventKind.TRANSFERRED, "transfer"),
}


@dataclass(slots=True)
class _Stay:
    """An open stay. left_at, closes_at: out of line since, and closed as left then unless something tells otherwise.

    closes_because: the reason to give then.
    unannounced_since: found on a list although its join should have been heard; None once it was, or need not be.
    """

    contact_id: str
    joined: float
    seen_at: float
    agent: str | None = None
    interface: str | None = None
    answered_at: float | None = None
    left_at: float | None = None
    closes_at: float | None = None
    closes_because: str = ""
    unannounced_since: float | None = None

    @property
    def answered(self) -> bool:
        """Whether an agent has the caller."""
        return self.answered_at is not None


class _Visit(NamedTuple):
    """The last stay of a call in a queue, and when it ended (None: open). names: of all its stays there."""

    contact_id: str
    joined: float
    ended_at: float | None
    names: frozenset[str]


class Stays:
    """The open stays. What happened or is listed goes in, the contact events it means come out.

    recalled: newest events of contacts that an earlier run left open.
    joins, unannounced: callers whose join was heard, and those it should have been heard of, since `begin`.
    """

    def __init__(self, source: str, channel: str | None, recalled: Sequence[ContactEvent] = ()) -> None:
        self.joins = self.unannounced = 0
        self._telling = Telling(source, channel)
        self._open: dict[Call, _Stay] = {}
        self._visits: dict[Call, _Visit] = {}
        self._recalled = {event.contact_id: event for event in recalled}
        self._unheard = UnheardTalks(self._telling)

    @property
    def offset_seconds(self) -> float:
        """How far Asterisk's clock is ahead of ours."""
        return self._telling.offset_seconds

    @offset_seconds.setter
    def offset_seconds(self, seconds: float) -> None:
        """Take what Asterisk dates from now on for so much earlier."""
        self._telling.offset_seconds = seconds

    def begin(self) -> None:
        """A new session begins, in which events have yet to come."""
        self.joins = self.unannounced = 0

    @property
    def closing(self) -> bool:
        """Whether any stay is about to be closed, unless something tells otherwise."""
        return any(stay.closes_at is not None for stay in self._open.values())

    def waits(self, queue: str) -> list[float]:
        """Return when each caller in a queue's line joined."""
        return [
            stay.joined
            for (_, of), stay in self._open.items()
            if of == queue and not stay.answered and stay.left_at is None
        ]

    # --- events ---

    def happened(self, what: Happened, at: float) -> Iterator[ContactEvent]:
        """Yield what an event of the instant `at` means."""
        call = what.call, what.queue
        match what:
            case Joined():
                yield from self._join(call, at)
            case Left():
                stay = self._open.get(call)
                if stay is not None and not stay.answered:
                    stay.left_at, stay.closes_at, stay.closes_because = at, at + LEFT_SECONDS, _LEFT
            case Abandoned():
                yield from self._begin(call, at - what.waited)
                if (stay := self._open.get(call)) and not stay.answered:
                    yield self._close(call, ContactEventKind.ABANDONED, at, None)
            case Connected():
                yield from self._unheard.end((what.queue, what.interface), at)
                yield from self._begin(call, at - what.waited)
                yield from self._answer(call, at, what)
            case Completed():
                if call in self._open or (what.queue, what.interface) not in self._unheard:
                    yield from self._begin(call, at - what.talked - what.waited)
                    yield from self._complete(call, what, at)
                yield from self._unheard.end((what.queue, what.interface), at)

    def _join(self, call: Call, at: float) -> Iterator[ContactEvent]:
        self.joins += 1
        stay, visit = self._open.get(call), self._visits.get(call)
        if stay is not None and abs(stay.joined - at) <= SAME_SECONDS:
            stay.unannounced_since = None
        elif stay is None and visit is not None and at <= max(visit.joined, visit.ended_at or 0.0):
            return  # told again
        else:
            yield from self._enter(call, at, at)

    def _begin(self, call: Call, joined: float) -> Iterator[ContactEvent]:
        """Begin a stay that is heard of only now; not so one that is open, or known to be over."""
        visit = self._visits.get(call)
        if visit is None or int(joined) - int(visit.joined) > SAME_SECONDS:
            yield from self._enter(call, joined, joined)

    def _answer(self, call: Call, at: float, by: Connected | Completed) -> Iterator[ContactEvent]:
        stay = self._open.get(call)
        if stay is None:  # closed as left, and answered all the same
            yield self._telling.event(
                self._visits[call].contact_id, call[1], ContactEventKind.ANSWERED, at, agent=by.agent
            )
        elif not stay.answered:
            stay.answered_at, stay.agent, stay.interface = at, by.agent, by.interface
            stay.left_at, stay.closes_at, stay.seen_at = None, None, at
            yield self._telling.event(stay.contact_id, call[1], ContactEventKind.ANSWERED, at, agent=by.agent)

    def _complete(self, call: Call, what: Completed, at: float) -> Iterator[ContactEvent]:
        if call in self._open:
            yield from self._answer(call, at - what.talked, what)
            kind, reason = _ENDS.get(what.by, (ContactEventKind.COMPLETED, None))
            yield self._close(call, kind, at, reason)

    # --- lists ---

    def listed(
        self,
        waiting: Iterable[Waiting],
        talks: Mapping[str, Mapping[str, Talk]],
        at: float,
        *,
        touched: frozenset[Call],
        first: bool,
    ) -> Iterator[ContactEvent]:
        """Yield what a list of all who wait, made at `at`, means for them and for those not on it.

        talks: who is on a call of which queue, by interface. touched: calls of which events came while the list was
        made; they are not judged by it. first: the session's first list, whose callers nobody could announce.
        """
        there = set()
        for one in waiting:
            call = one.call, one.queue
            there.add(call)
            if call not in touched:
                yield from self._list(call, float(int(at) - one.waited), at, first=first)
        for call, stay in self._open.items():
            if stay.answered_at is None:
                gone = call not in there
            else:  # an agent whose last call ended after this one began is on another by now
                talk = talks.get(call[1], {}).get(stay.interface or "")
                gone = talk is None or talk.after > stay.answered_at
            if gone and call not in touched and stay.closes_at is None:
                stay.left_at, stay.closes_at, stay.closes_because = at, at + MISSED_SECONDS, _UNSEEN
        yield from self._close_recalled(at, talks)
        yield from self._unheard.listed(talks, at, told=self._told(talks), first=first)

    def _told(self, talks: Mapping[str, Mapping[str, Talk]]) -> set[Seat]:
        """Return the agents of whom it is known which caller they have, from this run or from one before."""
        recalled = {(event.queue, event.agent) for event in self._recalled.values()}
        told = {
            (queue, interface)
            for queue, seats in talks.items()
            for interface, talk in seats.items()
            if (queue, acceptable(talk.agent)) in recalled
        }
        return told | {
            (queue, stay.interface)
            for (_, queue), stay in self._open.items()
            if stay.interface is not None and stay.closes_at is None
        }

    def _list(self, call: Call, joined: float, at: float, *, first: bool) -> Iterator[ContactEvent]:
        stay, visit = self._open.get(call), self._visits.get(call)
        if stay is not None and abs(int(stay.joined) - joined) <= SAME_SECONDS:
            stay.seen_at = at
            if stay.closes_because == _UNSEEN:
                stay.left_at, stay.closes_at, stay.closes_because = None, None, ""
            return
        if stay is None and visit is not None and visit.ended_at is not None:
            same = abs(int(visit.joined) - joined) <= SAME_SECONDS
            if same and at - visit.ended_at < UNANNOUNCED_SECONDS:
                return  # its end was heard; it is just leaving the line
        yield from self._enter(call, joined, at)
        if not first:
            self._open[call].unannounced_since = at

    def _close_recalled(self, at: float, talks: Mapping[str, Mapping[str, Talk]]) -> Iterator[ContactEvent]:
        """End what an earlier run left open and is not there any more."""
        for contact_id, event in list(self._recalled.items()):
            agents = {acceptable(talk.agent) for talk in talks.get(event.queue, {}).values()}
            if event.event == ContactEventKind.ANSWERED and event.agent in agents:
                continue
            del self._recalled[contact_id]
            yield self._telling.event(contact_id, event.queue, ContactEventKind.COMPLETED, at, reason=_UNSEEN)

    # --- time ---

    def sweep(self, at: float) -> Iterator[ContactEvent]:
        """Yield the ends of stays that nothing told more of before `at`, and forget what is older than any stay.

        `at` is an instant up to which all was heard: were it only the time, a late reader would close what is in its
        own unread bytes.
        """
        for call, stay in list(self._open.items()):
            if stay.closes_at is not None and stay.closes_at <= at:
                yield self._close(call, ContactEventKind.COMPLETED, stay.left_at or at, stay.closes_because)
            elif stay.unannounced_since is not None and at - stay.unannounced_since >= UNANNOUNCED_SECONDS:
                stay.unannounced_since, self.unannounced = None, self.unannounced + 1
            elif at - stay.seen_at > STAY_LIMIT_SECONDS:
                del self._open[call]
        for call, visit in list(self._visits.items()):
            if call not in self._open and at - (visit.ended_at or visit.joined) > STAY_LIMIT_SECONDS:
                del self._visits[call]

    # --- both ---

    def _enter(self, call: Call, joined: float, at: float) -> Iterator[ContactEvent]:
        if call in self._open:  # a call cannot stand twice in one queue: the end of its earlier stay was missed
            yield self._close(call, ContactEventKind.COMPLETED, joined, "entered_again")
        visit = self._visits.get(call)
        used = visit.names if visit is not None else frozenset()
        contact_id = self._name(call, int(joined), used)
        self._open[call] = _Stay(contact_id, joined, at)
        self._visits[call] = _Visit(contact_id, joined, None, used | {contact_id})
        yield self._telling.event(contact_id, call[1], ContactEventKind.QUEUED, joined)

    def _name(self, call: Call, second: int, used: frozenset[str]) -> str:
        """Return the stay's name: the one an earlier run gave it, where that is within the seconds' rounding.

        A name that was used is never given again: its contact is over, and would not come to life.
        """
        names = [acceptable(f"{call[0]}/{call[1]}/{second + drift}") for drift in (0, -1, 1, -2, 2)]
        recalled = next((name for name in names if name in self._recalled), None)
        if recalled is not None:
            del self._recalled[recalled]
            return recalled
        numbered = (acceptable(f"{call[0]}/{call[1]}/{second}.{number}") for number in count(2))
        return next(name for name in chain(names[:1], numbered) if name not in used)

    def _close(self, call: Call, kind: ContactEventKind, at: float, reason: str | None) -> ContactEvent:
        stay = self._open.pop(call)
        self._visits[call] = self._visits[call]._replace(ended_at=at)
        return self._telling.event(
            stay.contact_id, call[1], kind, max(at, stay.joined), agent=stay.agent, reason=reason
        )
