"""When one rule on one queue trips and lets go, from its grades at all looks at once.

A timer counts a minute when the data could be seen at the minute's beginning (app.core.gate.rules: a timer stands
still from the first blind look to the first one that sees again). With the blind looks taken out, a timer is therefore
the length of a run: a rule trips at the first look of a bad run that has lasted for hold_for, and lets go at the first
look of a good run that has lasted for resume_for. Both are known from the runs alone, because a run cannot begin
before the state it ends. So no look needs the one before it, and only the changes of grade are gone through.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

from app.core.backtest.history import MINUTE_SECONDS
from app.core.backtest.signals import BAD, BLIND, GOOD, OFF, Codes
from app.core.forecast.series import BoolArray, IntArray

_NOWHERE: IntArray = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Stretches of looks [starts, ends), in order, that do not overlap."""

    starts: IntArray
    ends: IntArray

    def contain(self, places: IntArray) -> BoolArray:
        """Return which of the places lie in a stretch."""
        return np.searchsorted(self.starts, places, "right") > np.searchsorted(self.ends, places, "right")


@dataclass(frozen=True, slots=True, eq=False)
class Episodes:
    """One rule on one queue: the looks at which it trips, if open, and lets go, if holding; its bad and blind runs."""

    trips: IntArray
    releases: IntArray
    bad: Span
    blind: Span

    def trips_when_unsure(self, unsure: IntArray) -> IntArray:
        """Return the first look of each bad run that is one of `unsure`, sorted: such a look does not wait."""
        if not len(unsure) or not len(self.bad.starts):
            return _NOWHERE
        places = np.searchsorted(unsure, self.bad.starts)
        first = unsure[np.minimum(places, len(unsure) - 1)]
        return first[(first >= self.bad.starts) & (first < self.bad.ends)]

    def holding(self, unsure: IntArray, count: int) -> Span:
        """Return the stretches in which the rule holds, blind looks among them; `count` looks in all."""
        trips = np.concatenate((self.trips, self.trips_when_unsure(unsure)))
        if not len(trips):
            return Span(_NOWHERE, _NOWHERE)
        places = np.concatenate((trips, self.releases))
        order = np.argsort(places, kind="stable")
        is_trip = (order < len(trips)).astype(np.int8)
        changes = np.diff(is_trip, prepend=np.int8(0))
        starts, ends = places[order[changes > 0]], places[order[changes < 0]]
        return Span(starts, ends if len(ends) == len(starts) else np.append(ends, count))


def episodes(codes: Codes, hold_for_seconds: float, resume_for_seconds: float) -> Episodes:
    """Return when a rule with these timers trips and lets go; a timer's part of a minute counts as a whole one."""
    starts, ends, kinds = _runs(codes)
    seen = kinds != BLIND
    bad, blind = kinds == BAD, ~seen
    runs = _Runs.joined(starts[seen], ends[seen], kinds[seen])
    releases = np.concatenate((runs.lasting(GOOD, ceil(resume_for_seconds / MINUTE_SECONDS)), runs.lasting(OFF, 0)))
    return Episodes(
        trips=runs.lasting(BAD, ceil(hold_for_seconds / MINUTE_SECONDS)),
        releases=np.sort(releases),
        bad=Span(starts[bad], ends[bad]),
        blind=Span(starts[blind], ends[blind]),
    )


def _runs(codes: Codes) -> tuple[IntArray, IntArray, Codes]:
    """Return start, end and grade of each run of equal grades."""
    edges = np.concatenate(([0], np.flatnonzero(codes[1:] != codes[:-1]) + 1, [len(codes)]))
    return edges[:-1], edges[1:], codes[edges[:-1]]


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Runs as they are without the blind looks between them: places counted without those, and the looks they are."""

    kinds: Codes
    firsts: IntArray  # the place at which each run begins
    lengths: IntArray
    pieces: IntArray  # the place at which each piece without a blind look in it begins
    looks: IntArray  # and the look that this is

    @classmethod
    def joined(cls, starts: IntArray, ends: IntArray, kinds: Codes) -> "_Runs":
        """Return runs out of pieces of looks [starts, ends)."""
        after = np.cumsum(ends - starts)
        pieces = after - (ends - starts)
        is_first = np.ones(len(kinds), bool)
        is_first[1:] = kinds[1:] != kinds[:-1]
        firsts = pieces[is_first]
        lengths = np.diff(firsts, append=after[-1:] if len(after) else 0)
        return cls(kinds[is_first], firsts, lengths, pieces, starts)

    def lasting(self, kind: int, minutes: int) -> IntArray:
        """Return the look at which each run of that kind has lasted so many minutes, for those that last as long."""
        places = self.firsts[(self.kinds == kind) & (self.lengths > minutes)] + minutes
        piece = np.searchsorted(self.pieces, places, "right") - 1
        looks: IntArray = self.looks[piece] + places - self.pieces[piece]
        return looks
