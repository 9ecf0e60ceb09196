"""How many contacts came in and went out in each minute: sums that add up, whatever came late or twice.

From contact events they are exact, what was taken back included; the queue lived in every minute that has an entry, and
through the minutes between two entries that are close. From counts that a source reports over a window they are pro
rata: of each window only what no earlier one of that source covered is taken, so that a rolling window of five minutes
sent every 15 seconds counts each contact once, spread over about the window's length. A queue whose contacts are
followed takes nothing from counts.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from app.core.floor.counts import NOTHING, Counts, Field, signed
from app.core.floor.instants import LONG_AGO, MINUTE, SECOND, instant, micros, span
from app.core.floor.observation import Observation

_MOST_SPANS = 512
_COUNTS = ("offered", "answered", "abandoned", "handle_seconds_sum")
_PICK = attrgetter("observed_at", "source", "window_seconds", *_COUNTS)
_Amounts: TypeAlias = tuple[int, int, int, int, float]


class FlowDelta(NamedTuple):
    """What one minute (bucket_at) of one queue gains; negative where something is taken back.

    offered contacts arrived in it, answered, abandoned (short ones left out), abandoned_short and handled ones were so
    in it; short abandons count in the minute they arrived. abandoned_at_once: those of abandoned who waited at most
    5 s. wait_seconds is summed over answered and abandoned; it and the two special kinds of abandons are only known
    from contact events. handle_seconds is summed over handled. counted_seconds: of how many
    seconds reported counts are in it, of all sources together; 0 where it is made of contact events.
    """

    queue: str
    bucket_at: datetime
    counted_seconds: float
    offered: float
    answered: float
    abandoned: float
    abandoned_short: float
    abandoned_at_once: float
    handled: float
    wait_seconds: float
    handle_seconds: float


class _Counted:
    """What reported counts give one minute."""

    __slots__ = ("abandoned", "answered", "handle_seconds", "handled", "offered", "seconds")

    def __init__(self) -> None:
        self.seconds = self.offered = self.answered = self.abandoned = self.handled = self.handle_seconds = 0.0


class Flows:
    """What one queue's flows gain between two drains. Minutes are whole ones since 1970."""

    __slots__ = ("_contacts", "_counted", "_queue", "_spans", "contacts_until_us")

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self.contacts_until_us = LONG_AGO  # contacts tell everything up to here
        self._contacts: dict[int, Counts] = {}
        self._counted: dict[int, _Counted] = {}
        self._spans: dict[str, Spans] = {}

    def hear(self, minute: int) -> None:
        """Note that the source of the queue's contacts lived in a minute."""
        self._contacts.setdefault(minute, NOTHING)

    def count(self, minute: int, counts: Counts) -> None:
        """Take in what contacts add to a minute, or take back from it."""
        self._contacts[minute] = self._contacts.get(minute, NOTHING) + counts

    def observe(self, observations: Sequence[Observation]) -> None:
        """Take in the counts of those observations that tell how many contacts were offered in which window."""
        for at, source, window_seconds, *counts in map(_PICK, observations):
            if window_seconds is None:
                continue
            amounts, end_us = _amounts(*counts), micros(at)
            if amounts is None or end_us <= self.contacts_until_us:
                continue
            spans = self._spans.get(source)
            if spans is None:
                spans = self._spans[source] = Spans()
            window_us = span(window_seconds)
            for start_us, until_us in spans.take(end_us - window_us, end_us):
                self._spread(start_us, until_us, amounts, window_us)

    def drain(self) -> Iterator[FlowDelta]:
        """Yield everything gained since the last drain, and clear it."""
        contacts, self._contacts = self._contacts, {}
        counted, self._counted = self._counted, {}
        for minute in {**contacts, **counted}:
            fields = signed(contacts.get(minute, NOTHING))
            reported = counted.get(minute) or _Counted()
            yield FlowDelta(
                self._queue,
                instant(minute * MINUTE),
                reported.seconds,
                fields[Field.OFFERED] + reported.offered,
                fields[Field.ANSWERS] + reported.answered,
                fields[Field.ABANDONS] + reported.abandoned,
                fields[Field.COHORT_ABANDONED_SHORT],
                fields[Field.ABANDONS_AT_ONCE],
                fields[Field.HANDLED] + reported.handled,
                (fields[Field.WAIT_MICROSECONDS] + fields[Field.ABANDON_WAIT_MICROSECONDS]) / SECOND,
                fields[Field.HANDLE_MICROSECONDS] / SECOND + reported.handle_seconds,
            )

    def forget(self) -> None:
        """Clear everything gained since the last drain; what windows covered stays covered."""
        self._contacts, self._counted = {}, {}

    def _spread(self, start_us: int, end_us: int, amounts: _Amounts, window_us: int) -> None:
        """Add to each minute of [start, end) its part of what a whole window has."""
        while start_us < end_us:
            minute = start_us // MINUTE
            until_us = min(end_us, (minute + 1) * MINUTE)
            taken_us = until_us - start_us
            offered, answered, abandoned, handled, handle_seconds = amounts
            sums = self._counted.get(minute)
            if sums is None:
                sums = self._counted[minute] = _Counted()
            sums.seconds += taken_us / SECOND
            share = taken_us / window_us
            sums.offered += offered * share
            sums.answered += answered * share
            sums.abandoned += abandoned * share
            sums.handled += handled * share
            sums.handle_seconds += handle_seconds * share
            start_us = until_us


class Spans:
    """Stretches of time that are taken: disjoint, [start, end) in microseconds, the oldest forgotten beyond 512."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def take(self, start: int, end: int) -> list[tuple[int, int]]:
        """Take [start, end); return those parts of it that were free, in order."""
        if self._ends and start <= self._ends[-1] < end and self._starts[-1] <= start:  # the usual case, cheaper
            free, self._ends[-1] = self._ends[-1], end
            return [(free, end)]
        first, last = bisect_left(self._ends, start), bisect_right(self._starts, end)
        edges = [start]
        for place in range(first, last):
            edges += (max(start, self._starts[place]), min(end, self._ends[place]))
        edges.append(end)
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last], self._ends[first:last] = [start], [end]
        if len(self._starts) > _MOST_SPANS:
            del self._starts[0], self._ends[0]
        return [(begins, ends) for begins, ends in zip(edges[::2], edges[1::2], strict=True) if begins < ends]


def _amounts(
    offered: int | None, answered: int | None, abandoned: int | None, handle_seconds: float | None
) -> _Amounts | None:
    """Return offered, answered, abandoned, handled and handle seconds; None where offered is not to be had."""
    if offered is None:
        if answered is None or abandoned is None:
            return None
        offered = answered + abandoned
    if handle_seconds is None:
        return offered, answered or 0, abandoned or 0, 0, 0.0
    return offered, answered or 0, abandoned or 0, answered or 0, handle_seconds
