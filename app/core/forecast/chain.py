"""The number of contacts in a queue over time, as a distribution: the Markov chain M(t)/M/n(t)+M from where it stands.

State k is the number in the system, handled or waiting, 0..K. Contacts arrive at lambda(t), constant per minute, and
leave at d_k = min(k, n) mu + (k - n)+ theta. The forward equation p' = p Q is integrated in steps by TR-BDF2
(tr_bdf2.py). While the distribution is narrow for its speed, as after the start, which is a unit mass, or after agents
have left, each step is taken in parts: a narrow one would go below zero, and arrive wider than it is.

All rows, one per curve of arrivals, are walked side by side, each with as many states as it needs. Between minutes with
more agents than before nothing happens to p. With fewer, those who leave finish the contact in hand, and the idle ones
leave first ("exhaustive" discipline, as in Ingolfsson et al., INFORMS J. Computing 19(2), 2007): the contacts that
they take along leave the system with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.core.forecast.series import MINUTE_SECONDS, FloatArray, IntArray
from app.core.forecast.tr_bdf2 import BACKWARD as BACKWARD
from app.core.forecast.tr_bdf2 import FORWARD as FORWARD
from app.core.forecast.tr_bdf2 import IMPLICIT as IMPLICIT
from app.core.forecast.tr_bdf2 import Stepper


@dataclass(frozen=True, slots=True)
class Stretch:
    """Minutes first .. last - 1, all with the same number of agents."""

    first: int
    last: int
    agents: int


@dataclass(frozen=True, slots=True)
class Drain:
    """How fast a queue empties: mu, contacts that an agent completes per second, and theta, 1 / mean patience."""

    handled_per_second: float
    given_up_per_second: float

    def deaths(self, states: FloatArray, agents: int) -> FloatArray:
        """Return d_k, the departures per second from each number in the system."""
        waiting = np.maximum(states - agents, 0)
        departures: FloatArray = np.minimum(states, agents) * self.handled_per_second
        departures += waiting * self.given_up_per_second
        return departures


def stretches(agents: IntArray) -> list[Stretch]:
    """Return the minutes in stretches of equal staffing, in order."""
    cuts = [0, *(np.flatnonzero(np.diff(agents)) + 1).tolist(), len(agents)]
    return [Stretch(first, last, int(agents[first])) for first, last in pairwise(cuts)]


def leave(masses: FloatArray, before: int, after: int) -> FloatArray:
    """Return the distribution once the head-count has gone from `before` to `after`; the same length.

    p'_j = sum of p_k over min(k, after) + (k - before)+ = j. Unchanged where it has not fallen.
    """
    if after >= before:
        return masses
    left = np.zeros_like(masses)
    left[:after] = masses[:after]
    left[after : after + 1] = masses[after : before + 1].sum()
    waiting = masses[before + 1 :]
    left[after + 1 : after + 1 + len(waiting)] = waiting
    return left


@dataclass(frozen=True, slots=True)
class Steps:
    """How a walk is stepped: steps per minute, of which those of minute m are taken in parts[m] parts each."""

    per_minute: int
    parts: Sequence[int]


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Distributions over time.

    paths: per stretch an array (points, states of all rows side by side); sizes: how many states each row has. A
    stretch of m minutes has m x steps_per_minute + 1 points; its first one is the last one of the stretch before, once
    the agents who leave between them have left. bends: per stretch those of its steps that were taken in parts, and by
    how much the mean of the distributions over each differs from the mean of its two ends.
    """

    staffing: Sequence[Stretch]
    drain: Drain
    steps_per_minute: int
    sizes: Sequence[int]
    paths: Sequence[FloatArray]
    bends: Sequence[tuple[IntArray, FloatArray]]

    def points(self, position: int, row: int) -> FloatArray:
        """Return the distributions of one row in one stretch: (points, states)."""
        return self.paths[position][:, self.states_of(row)]

    def states_of(self, row: int) -> slice:
        """Return where a row's states lie among those of all rows."""
        begin = sum(self.sizes[:row])
        return slice(begin, begin + self.sizes[row])

    def at(self, minute: int) -> FloatArray:
        """Return the distributions of all rows, side by side, at the beginning of a minute or at the horizon."""
        last = len(self.staffing) - 1
        position = next(i for i, stretch in enumerate(self.staffing) if minute < stretch.last or i == last)
        found: FloatArray = self.paths[position][(minute - self.staffing[position].first) * self.steps_per_minute]
        return found

    def spilled(self) -> FloatArray:
        """Return the largest probability that each row's last state had at any step."""
        lasts = np.cumsum(self.sizes) - 1
        return np.asarray(np.max([path[:, lasts].max(axis=0) for path in self.paths], axis=0))


def walk(
    arrivals: FloatArray, staffing: Sequence[Stretch], drain: Drain, starts: Sequence[FloatArray], steps: Steps
) -> Walk:
    """Return the distributions at every step, for arrivals per second of shape (rows, minutes).

    starts: one distribution per row, as long as its row shall have states.
    """
    sizes = [len(start) for start in starts]
    stepper = Stepper(sizes, MINUTE_SECONDS / steps.per_minute)
    masses, agents = np.concatenate(starts), staffing[0].agents
    paths: list[FloatArray] = []
    bends: list[tuple[IntArray, FloatArray]] = []
    for stretch in staffing:
        bent: dict[int, FloatArray] = {}
        points = np.empty(((stretch.last - stretch.first) * steps.per_minute + 1, stepper.width))
        points[0] = _left(masses, sizes, agents, stretch.agents)
        stepper.staff(drain.deaths(stepper.states, stretch.agents))
        for step in range(len(points) - 1):
            if step % steps.per_minute == 0:
                minute = stretch.first + step // steps.per_minute
                stepper.feed(arrivals[:, minute], steps.parts[minute])
            if (bend := stepper.step(points[step], points[step + 1])) is not None:
                bent[step] = bend
        masses, agents = points[-1], stretch.agents
        paths.append(points)
        bends.append((np.array([*bent], dtype=np.int64), np.array([*bent.values()]).reshape(len(bent), stepper.width)))
    return Walk(staffing, drain, steps.per_minute, sizes, paths, bends)


def _left(masses: FloatArray, sizes: Sequence[int], before: int, after: int) -> FloatArray:
    if after >= before:
        return masses
    rows = np.split(masses, np.cumsum(sizes)[:-1])
    return np.concatenate([leave(row, before, after) for row in rows])
