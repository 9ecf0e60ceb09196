"""The stays of callers in queues, from events and from the lists of members. Pure.

Theory of operation. All times in here are FreeSWITCH's, epoch seconds. One stay of one member in one queue is one
contact, `uuid/queue`; a caller who gave up and came back into the old place is a further one, `uuid/queue/second`.

* bridge-agent-start is no answer yet: where the two cannot be connected, the caller waits on or has gone. It counts
  when the agent's state says so, when the list does, or when CONNECT_SECONDS went by without bridge-agent-end.
* member-queue-end ends a stay: after a talk with its times, else with a reason. Whoever hung up is given as BREAK_OUT
  or NONE; these and timeouts are abandonments. A key that was pressed is a way out that the center offered.
* A list settles what was missed: members on it are told whole, with the times it has. Members that had given up stay on
  it for a while (discard-abandoned-after) and are no backlog. Who is not on it any more has left, how is not known; an
  event on its way may tell, so that waits a moment.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from app.core.floor.contact import ContactEvent, ContactEventKind
from workers.sources.freeswitch_esl.translate import ABANDONED, ANSWERED, Came, Gone, Member, Parted, Reached
from workers.sources.naming import acceptable

STAY_LIMIT_SECONDS = 4 * 3600  # as long as the floor, by default, waits for a contact's next event
CONNECT_SECONDS = 5.0  # FreeSWITCH gives up connecting two after three
MISSED_SECONDS = 2.0  # an event is never so long on its way
DOUBT_SECONDS = 5.0  # who is on a list so long after an end has not ended
SAME_SECONDS = 2.0  # two tellings of one instant differ by no more

Key: TypeAlias = tuple[str, str]  # (member's uuid, queue)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CANCELS = {
    "TIMEOUT": (ContactEventKind.ABANDONED, "timeout"),
    "NO_AGENT_TIMEOUT": (ContactEventKind.ABANDONED, "no_agent_timeout"),
    "EXIT_WITH_KEY": (ContactEventKind.TRANSFERRED, "exit_with_key"),
}


@dataclass(slots=True)
class _Stay:
    """A stay, kept on for a while after its end (ended_at). reached: by which agent and when, not yet connected.

    used: the names of this and of earlier stays of the member in the queue.
    """

    contact_id: str
    joined: float
    seen_at: float
    used: frozenset[str]
    answered: bool = False
    reached: tuple[str, float] | None = None
    closes_at: float | None = None
    ended_at: float | None = None


class Stays:
    """What happened or is listed goes in, the contact events it means come out.

    offset_seconds: FreeSWITCH's clock less ours. recalled: newest events of contacts that an earlier run left open.
    """

    def __init__(self, source: str, channel: str | None, recalled: Sequence[ContactEvent] = ()) -> None:
        self.offset_seconds = 0.0
        self._source, self._channel = source, channel
        self._stays: dict[Key, _Stay] = {}
        self._by_queue: dict[str, dict[Key, _Stay]] = {}  # those that are not over
        self._recalled = {event.contact_id: event for event in recalled}

    def waits(self, queue: str) -> list[float]:
        """Return when each caller who waits in a queue came."""
        return [
            stay.joined
            for stay in self._by_queue.get(queue, {}).values()
            if not stay.answered and stay.closes_at is None
        ]

    def talks(self, queue: str) -> int:
        """Return how many callers of a queue have an agent."""
        return sum(stay.answered and stay.closes_at is None for stay in self._by_queue.get(queue, {}).values())

    # --- events ---

    def happened(self, what: Came | Reached | Parted | Gone) -> Iterator[ContactEvent]:
        """Yield what an event means."""
        key = what.member, what.queue
        stay = self._open(key)
        match what:
            case Came():
                yield from self._come(key, what.at, again=what.again)
            case Reached() if stay is not None and not stay.answered:
                stay.reached = what.agent, what.at
            case Parted() if stay is not None:
                if what.connected:
                    yield from self._connect(key, stay)
                stay.reached = None
            case Gone():
                yield from self._go(key, what)
            case _:
                return

    def connected(self, agent: str) -> Iterator[ContactEvent]:
        """Yield the answer of the call that reached this agent, who is on a call now."""
        for key, stay in self._all_open():
            if stay.reached is not None and stay.reached[0] == agent:
                yield from self._connect(key, stay)

    def _come(self, key: Key, at: float, *, again: bool) -> Iterator[ContactEvent]:
        stay = self._stays.get(key)
        if stay is None or (again and stay.ended_at is not None and at > stay.ended_at - SAME_SECONDS):
            yield from self._enter(key, at, at, again=again)

    def _go(self, key: Key, what: Gone) -> Iterator[ContactEvent]:
        stay = self._open(key)
        if stay is None:
            return
        if what.answered_at is not None:
            yield from self._answer(key, stay, what.answered_at, what.agent or "")
            yield self._end(key, stay, ContactEventKind.COMPLETED, what.at)
        elif not stay.answered:
            kind, reason = _CANCELS.get(what.why, (ContactEventKind.ABANDONED, None))
            yield self._end(key, stay, kind, what.at, reason)

    # --- lists ---

    def listed(self, members: Iterable[Member], at: float, touched: frozenset[Key]) -> Iterator[ContactEvent]:
        """Yield what a list of all members, made at `at`, means for them and for those not on it.

        touched: of whom events came while it was made; they are not judged by it.
        """
        there = set()
        for member in members:
            key = member.member, member.queue
            there.add(key)
            if key not in touched:
                yield from self._list(key, member, at)
        for key, stay in self._all_open():
            if key not in there and key not in touched and stay.closes_at is None:
                stay.closes_at = at + MISSED_SECONDS
        for contact_id, event in list(self._recalled.items()):
            del self._recalled[contact_id]
            yield self._event(contact_id, event.queue, ContactEventKind.COMPLETED, at, reason="end_not_seen")

    def _list(self, key: Key, member: Member, at: float) -> Iterator[ContactEvent]:
        stay = self._stays.get(key)
        joined = float(member.rejoined or member.joined)
        if member.state == ABANDONED:
            yield from self._list_gone(key, member)
            return
        if stay is None or (stay.ended_at is not None and joined > stay.joined + SAME_SECONDS):
            yield from self._enter(key, joined, at, again=member.rejoined > 0)
            stay = self._stays[key]
        elif stay.ended_at is not None:
            if at - stay.ended_at < DOUBT_SECONDS:
                return  # its end was heard; it is just leaving the list
            yield from self._enter(key, at, at, again=True)  # it was closed in error: it waits, by a name of its own
            stay = self._stays[key]
        stay.seen_at, stay.closes_at = at, None
        if member.state == ANSWERED and stay.ended_at is None:
            yield from self._answer(key, stay, float(member.answered or at), member.agent)

    def _list_gone(self, key: Key, member: Member) -> Iterator[ContactEvent]:
        """Yield the end of a wait that was open as far as was known: of others it was told, or before our time."""
        stay, joined = self._open(key), float(member.rejoined or member.joined)
        if stay is None and self._name(key, joined, again=member.rejoined > 0) in self._recalled:
            yield from self._enter(key, joined, joined, again=member.rejoined > 0)
            stay = self._stays[key]
        if stay is not None and not stay.answered and member.gone >= stay.joined - SAME_SECONDS:
            yield self._end(key, stay, ContactEventKind.ABANDONED, float(member.gone), "seen_on_list")

    # --- time ---

    def sweep(self, at: float) -> Iterator[ContactEvent]:
        """Yield what is settled by nothing having been told until `at`, and forget what is older than any stay."""
        for key, stay in list(self._stays.items()):
            if stay.ended_at is not None or at - stay.seen_at > STAY_LIMIT_SECONDS:
                if at - (stay.ended_at or stay.seen_at) > STAY_LIMIT_SECONDS:
                    del self._stays[key]
                    self._by_queue.get(key[1], {}).pop(key, None)
            elif stay.closes_at is not None and stay.closes_at <= at:
                yield self._end(key, stay, ContactEventKind.COMPLETED, stay.closes_at - MISSED_SECONDS, "end_not_seen")
            elif stay.reached is not None and at - stay.reached[1] >= CONNECT_SECONDS:
                yield from self._connect(key, stay)

    # --- all of them ---

    def _all_open(self) -> list[tuple[Key, _Stay]]:
        return [each for stays in self._by_queue.values() for each in stays.items()]

    def _open(self, key: Key) -> _Stay | None:
        stay = self._stays.get(key)
        return stay if stay is not None and stay.ended_at is None else None

    def _enter(self, key: Key, joined: float, at: float, *, again: bool) -> Iterator[ContactEvent]:
        before = self._stays.get(key)
        used = before.used if before is not None else frozenset()
        contact_id = self._name(key, joined, again=again)
        while contact_id in used:  # a contact that is over would not come to life
            contact_id = acceptable(f"{contact_id}+")
        self._recalled.pop(contact_id, None)
        stay = self._stays[key] = _Stay(contact_id, joined, at, used | {contact_id})
        self._by_queue.setdefault(key[1], {})[key] = stay
        yield self._event(contact_id, key[1], ContactEventKind.QUEUED, joined)

    def _name(self, key: Key, joined: float, *, again: bool) -> str:
        """Return the stay's name: the one an earlier run gave it, where that is within the seconds' rounding."""
        if not again:
            return acceptable("/".join(key))
        names = [acceptable(f"{'/'.join(key)}/{int(joined) + drift}") for drift in (0, -1, 1, -2, 2)]
        return next((name for name in names if name in self._recalled), names[0])

    def _connect(self, key: Key, stay: _Stay) -> Iterator[ContactEvent]:
        if stay.reached is not None:
            agent, at = stay.reached
            yield from self._answer(key, stay, at, agent)

    def _answer(self, key: Key, stay: _Stay, at: float, agent: str) -> Iterator[ContactEvent]:
        if not stay.answered:
            stay.answered, stay.reached, stay.seen_at = True, None, max(at, stay.seen_at)
            yield self._event(
                stay.contact_id, key[1], ContactEventKind.ANSWERED, max(at, stay.joined), agent=agent or None
            )

    def _end(self, key: Key, stay: _Stay, kind: ContactEventKind, at: float, reason: str | None = None) -> ContactEvent:
        stay.ended_at = max(at, stay.joined)
        del self._by_queue[key[1]][key]
        return self._event(stay.contact_id, key[1], kind, stay.ended_at, reason=reason)

    def _event(
        self,
        contact_id: str,
        queue: str,
        kind: ContactEventKind,
        at: float,
        *,
        agent: str | None = None,
        reason: str | None = None,
    ) -> ContactEvent:
        instant = _EPOCH + timedelta(seconds=at - self.offset_seconds)
        named = None if agent is None else acceptable(agent)
        return ContactEvent(contact_id, queue, kind, instant, self._source, self._channel, named, None, reason)
