"""The spans that a source's counts cover, and how a window is put together from them.

An observation with counts covers (observed_at - window_seconds, observed_at]. Spans of following observations may
overlap (a rolling window sent every ten seconds) or follow each other (counts since the last one). A window is covered
backwards from the newest span: the next one is the newest that ends where the last one began, or before, and so on
while they begin inside the window. The newest span is always in it, even when it is longer. Sums are added, then
divided; nothing is counted twice.
"""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from app.core.floor.formulas import CountFormula
from app.core.floor.instants import SECOND, span
from app.core.floor.observation import Observation


class Cover(NamedTuple):
    """Sums over disjoint spans. covered_us is their summed length, newest the observation of the newest one."""

    numerator: int
    denominator: int
    covered_us: int
    newest: Observation


class Intervals:
    """The counted spans of one source and queue, sorted by their end. keep_us grows to the longest window asked for."""

    __slots__ = ("_covers", "_ends", "_observations", "keep_us")

    def __init__(self, keep_us: int) -> None:
        self.keep_us = keep_us
        self._ends: list[int] = []
        self._observations: list[Observation] = []
        self._covers: dict[tuple[CountFormula, int], Cover | None] = {}

    def add(self, observation: Observation, end_us: int) -> None:
        """Take in an observation with counts; no two may end at the same instant."""
        self._covers.clear()
        if not self._ends or end_us > self._ends[-1]:
            self._ends.append(end_us)
            self._observations.append(observation)
            self._forget()
        else:
            place = bisect_left(self._ends, end_us)
            self._ends.insert(place, end_us)
            self._observations.insert(place, observation)

    def cover(self, formula: CountFormula, window_us: int) -> Cover | None:
        """Return the sums that best cover the last window_us; None when no observation has all parts of the formula."""
        key = (formula, window_us)
        if key not in self._covers:
            self.keep_us = max(self.keep_us, window_us)
            self._covers[key] = self._cover(formula, window_us)
        return self._covers[key]

    def _cover(self, formula: CountFormula, window_us: int) -> Cover | None:
        cover: Cover | None = None
        place, earliest = len(self._ends) - 1, 0
        while place >= 0:
            observation = self._observations[place]
            fraction = formula.of(observation)
            start = self._ends[place] - span(observation.window_seconds or 0)
            if fraction is None:
                place -= 1
                continue
            if cover is None:
                earliest = self._ends[place] - window_us
                cover = Cover(*fraction, self._ends[place] - start, observation)
            elif start >= earliest:
                cover = Cover(
                    cover.numerator + fraction.numerator,
                    cover.denominator + fraction.denominator,
                    cover.covered_us + self._ends[place] - start,
                    cover.newest,
                )
            else:
                break
            place = bisect_right(self._ends, start, 0, place) - 1
        return cover

    def _forget(self) -> None:
        """Drop what no window reaches, some at a time."""
        newest = self._ends[-1]
        if newest - self._ends[0] > self.keep_us + self.keep_us // 4 + SECOND:
            gone = bisect_left(self._ends, newest - self.keep_us)
            del self._ends[:gone], self._observations[:gone]
