"""The number of contacts in a queue over time, as a distribution: the Markov chain M(t)/M/n(t)+M from where it stands.

State k is the number in the system, handled or waiting, 0..K. Contacts arrive at lambda(t), constant per minute, and
leave at d_k = min(k, n) mu + (k - n)+ theta. The forward equation p' = p Q is integrated by TR-BDF2 (Bank et al., IEEE
Trans. Electron Devices 32(10), 1985), with g = 2 - sqrt 2: both its stages then solve with the same matrix
I - a dt Q', a = g / 2, which is tridiagonal and is factored once per minute. While the distribution is far from smooth,
in the minute after the start and after agents have left, each step is taken as eight: from a unit mass a long step of
TR-BDF2 goes below zero.

All rows, one per curve of arrivals, are solved as one long tridiagonal system whose blocks are not coupled; each has
as many states as it needs. Between minutes with more agents than before nothing happens to p. With fewer, those who
leave finish the contact in hand, and the idle ones leave first ("exhaustive" discipline, as in Ingolfsson et al.,
INFORMS J. Computing 19(2), 2007): the contacts that they take along leave the system with them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg.lapack import dgttrf, dgttrs

from app.core.forecast.series import MINUTE_SECONDS, FloatArray, IntArray

GAMMA = 2 - math.sqrt(2)
IMPLICIT = GAMMA / 2
FORWARD = 2 / (GAMMA * (2 - GAMMA))
BACKWARD = (1 + (1 - GAMMA) ** 2) / (GAMMA * (2 - GAMMA))
PARTS = 8


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


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Distributions over time.

    paths: per stretch an array (points, states of all rows side by side); sizes: how many states each row has. A
    stretch of m minutes has m x steps_per_minute + 1 points; its first one is the last one of the stretch before, once
    the agents who leave between them have left.
    """

    staffing: Sequence[Stretch]
    drain: Drain
    steps_per_minute: int
    sizes: Sequence[int]
    paths: Sequence[FloatArray]

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
    arrivals: FloatArray, staffing: Sequence[Stretch], drain: Drain, starts: Sequence[FloatArray], steps_per_minute: int
) -> Walk:
    """Return the distributions at every step, for arrivals per second of shape (rows, minutes).

    starts: one distribution per row, as long as its row shall have states.
    """
    solver = _Solver(starts, drain, MINUTE_SECONDS / steps_per_minute)
    paths: list[FloatArray] = []
    for stretch in staffing:
        points = np.empty(((stretch.last - stretch.first) * steps_per_minute + 1, solver.width))
        points[0] = solver.leave(paths[-1][-1], stretch.agents) if paths else np.concatenate(starts)
        rough = steps_per_minute if not paths or stretch.agents < solver.agents else 0
        solver.staff(stretch.agents)
        for step in range(len(points) - 1):
            if step % steps_per_minute == 0:
                solver.feed(arrivals[:, stretch.first + step // steps_per_minute])
            advance = solver.fine_step if step < rough else solver.step
            advance(points[step], points[step + 1])
        paths.append(points)
    return Walk(staffing, drain, steps_per_minute, [len(start) for start in starts], paths)


class _Solver:
    """The long tridiagonal system: its staffing, its arrivals, its factors."""

    def __init__(self, starts: Sequence[FloatArray], drain: Drain, step_seconds: float) -> None:
        sizes = [len(start) for start in starts]
        self.width = sum(sizes)
        self._drain = drain
        self._step = step_seconds
        self._rows = np.repeat(np.arange(len(sizes)), sizes)
        self._states = np.concatenate([np.arange(size, dtype=np.float64) for size in sizes])
        self._open = np.ones(self.width)
        self._open[np.cumsum(sizes) - 1] = 0.0  # nobody arrives in a row's last state
        self._sizes = sizes
        self.agents = 0
        self._deaths = np.empty(self.width)
        self._fed: FloatArray | None = None
        self._scratch = np.empty(self.width)

    def staff(self, agents: int) -> None:
        self.agents = agents
        self._deaths = self._drain.deaths(self._states, agents)
        self._above = (-IMPLICIT * self._step) * self._deaths[1:]
        self._on = 1 + (IMPLICIT * self._step) * self._deaths
        self._fed = None

    def leave(self, masses: FloatArray, agents: int) -> FloatArray:
        if agents >= self.agents:
            return masses
        return np.concatenate([leave(row, self.agents, agents) for row in self.rows(masses)])

    def rows(self, masses: FloatArray) -> Iterator[FloatArray]:
        end = 0
        for size in self._sizes:
            yield masses[end : end + size]
            end += size

    def feed(self, arrivals: FloatArray) -> None:
        """Take the arrivals of a minute; the factors of the minute before serve again where nothing changed."""
        if self._fed is not None and np.array_equal(arrivals, self._fed):
            return
        self._fed = arrivals
        births = arrivals[self._rows] * self._open
        births *= IMPLICIT * self._step
        self._births = births
        self._factors = _factored(-births[:-1], self._on + births, self._above)

    def step(self, now: FloatArray, then: FloatArray) -> None:
        """Write the distribution a step after `now` into `then`: S (2c y - c' now), y = S now, S = (I - a dt Q')^-1."""
        half = dgttrs(*self._factors, now)[0]
        np.multiply(half, FORWARD, out=then)
        np.multiply(now, BACKWARD, out=self._scratch)
        np.subtract(then, self._scratch, out=then)
        then[:] = dgttrs(*self._factors, then, overwrite_b=True)[0]

    def fine_step(self, now: FloatArray, then: FloatArray) -> None:
        """Write the same, in as many parts as PARTS says."""
        births = self._births / PARTS
        whole, self._factors = (
            self._factors,
            _factored(-births[:-1], 1 + (self._on - 1) / PARTS + births, self._above / PARTS),
        )
        self.step(now, then)
        for _ in range(PARTS - 1):
            self.step(then.copy(), then)
        self._factors = whole


def _factored(
    below: FloatArray, on: FloatArray, above: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, IntArray]:
    lower, diagonal, upper, second, pivots, _ = dgttrf(
        below, on, above, overwrite_dl=True, overwrite_d=True
    )  # never singular: its columns sum to one, its off-diagonals are not positive
    return lower, diagonal, upper, second, pivots
