"""The service level of those who arrive shortly before the number of agents changes: exact.

Whose target ends after the change is not answered as the closed form of the present head-count says. Conditioned on
the moves until the change (T_s of staffing_change.py), and with the rest of the target under the new head-count, their
chances are exact again; over the seconds before the change they are integrated by Gauss and Legendre's rule.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from app.core.forecast.chain import Drain, Stretch
from app.core.forecast.series import MINUTE_SECONDS, FloatArray
from app.core.forecast.staffing_change import Moves, Queueing, across

NODES, WEIGHTS = np.polynomial.legendre.leggauss(5)
SPREADS, SPARE = 9.0, 12.0
KEPT_VALUES = 200_000
AT_ONCE = (1.0, 0.0)  # served within the target; not waiting any more


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """What arrivals in `seconds` of minute `minute` get beside the closed form; `point` is where they stand in time.

    point: steps since the beginning of the stretch, a fraction. extra: (places, 2), of being served within the target
    and of still waiting at its end, by contacts ahead.
    """

    minute: int
    point: float
    seconds: float
    extra: FloatArray


def within_reach(staffing: Sequence[Stretch], drain: Drain, states: int, target_seconds: float) -> int:
    """Return how many of the states matter: from more of them nobody is served within the target, whatever changes."""
    most = max(stretch.agents for stretch in staffing)
    ahead = np.arange(max(states - most, 1), dtype=np.float64)
    moves = (most * drain.handled_per_second + ahead * drain.given_up_per_second) * target_seconds
    near = np.flatnonzero(ahead <= moves + SPREADS * np.sqrt(moves) + SPARE)
    return min(most + int(near[-1]) + 2, states)


@dataclass(slots=True)
class Targets:
    """The corrections of a staffing, for one target."""

    staffing: Sequence[Stretch]
    drain: Drain
    states: int
    target_seconds: float
    steps_per_minute: int
    _within: dict[tuple[int, float], FloatArray] = field(default_factory=dict)
    _moves: dict[tuple[int, float], Moves] = field(default_factory=dict)

    def corrections(self, position: int) -> Iterator[Correction]:
        """Yield those of one stretch; none of the last one, whose head-count is taken to stay."""
        if position == len(self.staffing) - 1:
            return
        stretch, queue = self.staffing[position], self._queue(position)
        steps = (stretch.last - stretch.first) * self.steps_per_minute
        for left, weight in self._nodes(position):
            after = across(
                self._expected(position + 1, self.target_seconds - left),
                stretch.agents,
                self.staffing[position + 1].agents,
                queue.places,
                AT_ONCE,
            )
            extra = self._moved(queue, left).apply(after - self._closed(queue, self.target_seconds - left))
            minute = stretch.last - 1 - int(left // MINUTE_SECONDS)
            yield Correction(minute, steps - left / MINUTE_SECONDS * self.steps_per_minute, weight, extra)

    def _nodes(self, position: int) -> Iterator[tuple[float, float]]:
        """Yield seconds before the stretch's end, with their weights, piece by piece between all that has a kink."""
        stretch, target = self.staffing[position], self.target_seconds
        window = min(target, (stretch.last - stretch.first) * MINUTE_SECONDS)
        later = (target - (other.first - stretch.last) * MINUTE_SECONDS for other in self.staffing[position + 1 :])
        minutes = np.arange(0.0, window, MINUTE_SECONDS).tolist()
        edges = sorted({window, *minutes, *(edge for edge in later if 0 < edge < window)})
        for low, high in pairwise(edges):
            half = (high - low) / 2
            for node, weight in zip(NODES, WEIGHTS, strict=True):
                yield low + half * (1 + float(node)), half * float(weight)

    def _expected(self, position: int, seconds: float) -> FloatArray:
        """Return served and still waiting `seconds` after the beginning of a stretch."""
        stretch, queue = self.staffing[position], self._queue(position)
        length = (stretch.last - stretch.first) * MINUTE_SECONDS
        closed = self._closed(queue, seconds)
        if position == len(self.staffing) - 1 or seconds <= length:
            return closed
        after = across(
            self._expected(position + 1, seconds - length),
            stretch.agents,
            self.staffing[position + 1].agents,
            queue.places,
            AT_ONCE,
        )
        return closed + self._moved(queue, length).apply(after - self._closed(queue, seconds - length))

    def _queue(self, position: int) -> Queueing:
        agents = self.staffing[position].agents
        return Queueing(agents, self.drain, max(self.states - agents, 1)).near()

    def _closed(self, queue: Queueing, seconds: float) -> FloatArray:
        key = (queue.agents, seconds)
        if key not in self._within:
            self._within[key] = queue.within(seconds)
        return self._within[key]

    def _moved(self, queue: Queueing, seconds: float) -> Moves:
        key = (queue.agents, seconds)
        found = self._moves.get(key) or queue.moves(seconds)
        if found.size <= KEPT_VALUES:
            self._moves[key] = found
        return found
