"""All contacts of one queue: who waits, who is being handled, and the sums over those who came and went.

Theory of operation: a contact's instants only gain; on each gain its old contributions are taken back and the new ones
counted. What the queue shows is thus a sum over contacts as they are known now, in whatever order it became known.

A contact that is still open after the limit is expired: no longer waiting or in progress; should its end come later,
it counts after all. A contact that is over is remembered whole while it lies in a window, for corrections; then by
name only, for as long as an open one may last, so that a late event cannot make it wait again: that event is counted
as late and changes nothing. After that even the name is forgotten; the stream lets no event in twice.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from app.core.floor.contact import ContactEventKind
from app.core.floor.counts import Counts
from app.core.floor.instants import LONG_AGO, SECOND, closing_second
from app.core.floor.lifecycle import NO_CONTRIBUTIONS, PLACE, Contributions, Judge, stay
from app.core.floor.rollup import Rollups
from app.core.floor.targets import QueueTargets
from app.core.floor.window import Windows

_Line: TypeAlias = list[tuple[int, str]]  # (since when, in microseconds; contact_id), sorted
_QUEUED = PLACE[ContactEventKind.QUEUED]
_LAST_ID = "\U0010ffff"  # sorts behind every contact_id


class QueueCounters(NamedTuple):
    """How a queue's contacts were accounted for.

    expired and late only grow: contacts given up on because their end never came, and events of contacts already
    forgotten. incomplete and open are as of now: contacts whose `queued` is not known; those waiting or in progress.
    """

    expired: int
    incomplete: int
    late: int
    open: int


class _Contact:
    """What is known of one contact, what it adds to the sums, and in which line it stands."""

    __slots__ = ("contributions", "entry", "expired", "instants", "line", "listed", "touched_us")

    def __init__(self) -> None:
        self.instants: list[int | None] = [None] * len(PLACE)
        self.contributions: Contributions = NO_CONTRIBUTIONS
        self.line: _Line | None = None
        self.entry = (0, "")
        self.expired = False
        self.listed = False  # among those over, to be forgotten in time
        self.touched_us = LONG_AGO


class Contacts:
    """The contacts of one queue. `advance` before looking; while `version` stays, everything looks the same."""

    __slots__ = (
        "_contacts",
        "_expired",
        "_expires_us",
        "_in_progress",
        "_incomplete",
        "_judge",
        "_late",
        "_names",
        "_names_in_order",
        "_now_us",
        "_over",
        "_rollups",
        "_touched",
        "_waiting",
        "version",
        "windows",
    )

    def __init__(self, targets: QueueTargets, rollups: Rollups, *, expires_us: int, keep_seconds: int) -> None:
        self.version = 0
        self.windows = Windows(keep_seconds)
        self._judge = Judge(targets)
        self._rollups = rollups
        self._expires_us = expires_us
        self._now_us = LONG_AGO
        self._touched = False
        self._contacts: dict[str, _Contact] = {}
        self._names: set[str] = set()
        self._waiting: _Line = []
        self._in_progress: _Line = []
        self._over: deque[tuple[int, str]] = deque()
        self._names_in_order: deque[tuple[int, str]] = deque()
        self._expired = self._incomplete = self._late = 0

    # --- looking ----------------------------------------------------------------------------------------------------

    @property
    def backlog(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def in_progress(self) -> int:
        """How many are being handled."""
        return len(self._in_progress)

    @property
    def oldest_wait_us(self) -> int:
        """How long the first in line has waited; 0 when nobody waits."""
        return max(0, self._now_us - self._waiting[0][0]) if self._waiting else 0

    def overdue(self, length: int) -> int:
        """Return how many queued in the last `length` seconds have waited, at the windows' edge, beyond the target."""
        edge_us = self.windows.edge * SECOND
        beyond_target = bisect_left(self._waiting, (edge_us - self._judge.target_us, ""))
        before_window = bisect_right(self._waiting, (edge_us - length * SECOND, _LAST_ID))
        return max(0, beyond_target - before_window)

    def counters(self) -> QueueCounters:
        """Return how the contacts were accounted for."""
        return QueueCounters(self._expired, self._incomplete, self._late, self.backlog + self.in_progress)

    # --- hearing ----------------------------------------------------------------------------------------------------

    def apply(self, contact_id: str, kind: ContactEventKind, at_us: int) -> None:
        """Take in one event. Known ones and ones contradicted by an earlier instant change nothing."""
        contact = self._contacts.get(contact_id)
        if contact is None:
            if contact_id in self._names:
                self._late += 1
                return
            contact = self._contacts[contact_id] = _Contact()
            self._incomplete += 1
        place = PLACE[kind]
        known = contact.instants[place]
        if known is not None and known <= at_us:
            return
        if known is None and place == _QUEUED:
            self._incomplete -= 1
        contact.instants[place] = at_us
        contact.touched_us = max(contact.touched_us, at_us, self._now_us)
        self._restate(contact_id, contact)

    def retarget(self, targets: QueueTargets) -> None:
        """Judge the windows by other targets from now on. History keeps what was judged before."""
        self._judge = Judge(targets)
        for contact in self._contacts.values():
            contributions = self._judge.contributions(stay(contact.instants), expired=contact.line is None)
            self._count(contact, contributions, history=False)
        self.version += 1

    def _restate(self, contact_id: str, contact: _Contact) -> None:
        told = stay(contact.instants)
        self._count(contact, self._judge.contributions(told))
        if told.waiting:
            self._stand(contact, self._waiting, (told.queued_us or 0, contact_id))
        elif told.in_progress:
            self._stand(contact, self._in_progress, (told.wait_ended_us or 0, contact_id))
        else:
            self._close(contact, contact_id)
        self._touched = True
        self.version += 1

    def _count(self, contact: _Contact, contributions: Contributions, *, history: bool = True) -> None:
        for before, now in zip(contact.contributions, contributions, strict=True):
            if before == now:
                continue
            if before is not None:
                self._add(before[0], -before[1], history=history)
            if now is not None:
                self._add(now[0], now[1], history=history)
        contact.contributions = contributions

    def _add(self, at_us: int, counts: Counts, *, history: bool) -> None:
        self.windows.add(closing_second(at_us), counts)
        if history:
            self._rollups.count(at_us, counts)

    def _stand(self, contact: _Contact, line: _Line, entry: tuple[int, str]) -> None:
        self._step_out(contact)
        insort(line, entry)
        contact.line, contact.entry = line, entry

    def _step_out(self, contact: _Contact) -> None:
        if contact.line is not None:
            del contact.line[bisect_left(contact.line, contact.entry)]
            contact.line = None

    def _close(self, contact: _Contact, contact_id: str) -> None:
        self._step_out(contact)
        if not contact.listed:
            contact.listed = True
            self._over.append((self._due_us(contact), contact_id))

    def _due_us(self, contact: _Contact) -> int:
        return contact.touched_us + (self.windows.keep_seconds + 1) * SECOND

    # --- time -------------------------------------------------------------------------------------------------------

    def advance(self, now_us: int) -> None:
        """Let time pass up to now, which never goes back: expire what never ended, forget what no window needs."""
        if now_us <= self._now_us and not self._touched:
            return
        self._now_us = now_us = max(now_us, self._now_us)
        self._touched = False
        for line in (self._waiting, self._in_progress):
            while line and line[0][0] <= now_us - self._expires_us:
                self._expire(line[0][1])
        while self._over and self._over[0][0] <= now_us:
            self._settle(self._over.popleft()[1])
        while self._names_in_order and self._names_in_order[0][0] <= now_us:
            self._names.remove(self._names_in_order.popleft()[1])
        if self.windows.advance(now_us // SECOND) or self._waiting:
            self.version += 1

    def next_change_us(self, until_us: int, wait_limits_us: Iterable[int]) -> int:
        """Return the next whole second, at most until_us, from which time alone may move what is read here.

        That the oldest wait grows counts only where it passes one of the limits. Both of a look are foreseen: the
        second at which a limit is met and the one at which it is passed.
        """
        instants = [line[0][0] + self._expires_us for line in (self._waiting, self._in_progress) if line]
        if self._waiting:
            instants += [self._waiting[0][0] + limit_us for limit_us in wait_limits_us]
            target_us = self._judge.target_us
            next_beyond = bisect_left(self._waiting, (self._now_us - target_us, ""))
            instants += [queued_us + target_us for queued_us, _ in self._waiting[next_beyond : next_beyond + 1]]
        looks = [second * SECOND for at_us in instants for second in (closing_second(at_us), at_us // SECOND + 1)]
        window_us = self.windows.next_change(until_us // SECOND) * SECOND
        return min(
            [until_us, max(window_us, self._now_us + SECOND), *(at_us for at_us in looks if at_us > self._now_us)]
        )

    def _expire(self, contact_id: str) -> None:
        contact = self._contacts[contact_id]
        self._expired += not contact.expired
        contact.expired = True
        contact.touched_us = max(contact.touched_us, self._now_us)
        self._count(contact, self._judge.contributions(stay(contact.instants), expired=True))
        self._close(contact, contact_id)
        self.version += 1

    def _settle(self, contact_id: str) -> None:
        """Keep only the name of a contact that is over and was left alone long enough."""
        contact = self._contacts[contact_id]
        contact.listed = contact.line is None
        if not contact.listed:
            return
        if self._due_us(contact) > self._now_us:
            self._over.append((self._due_us(contact), contact_id))
            return
        self._incomplete -= contact.instants[_QUEUED] is None
        del self._contacts[contact_id]
        self._names.add(contact_id)
        self._names_in_order.append((self._now_us + self._expires_us, contact_id))
