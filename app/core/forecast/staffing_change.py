"""What a waiting contact can expect when the number of agents changes while it waits: exact, by going back in time.

While the head-count stays, the contacts ahead of a waiting one leave as a pure death process (see waits.py). So in s
seconds, from q ahead to y = q - m, and without giving up itself, it comes with the probability
  T_s(q, y) = c_(y+1) ... c_q  ((1 - e^(-theta s)) / theta)^m / m!  e^(-(c_y + theta) s),    c_i = n mu + i theta.
What it may expect (U) at the end of the s seconds then differs by some d from what the closed form with the present n
says (F), and at their beginning by T_s d, as F obeys the same equation. Hence nothing is integrated: U = F + T_s d.
With W = s + W' for those who still wait after s seconds, d of E[W; served] also gains s T_s d(served).
At an increase by D agents, who has fewer than D ahead is served at once and the others have D fewer ahead; at a
decrease the queue stays as it is, since agents leave after the contact in hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg.blas import dgbmv
from scipy.special import gammaln

from app.core.forecast.chain import Drain, Stretch
from app.core.forecast.series import MINUTE_SECONDS, FloatArray
from app.core.forecast.waits import served, served_wait, served_within, still_waiting

NEGLIGIBLE = 1e-10
"""Deviations below this are nothing: of a probability, of a wait in seconds."""

FINE_SECONDS, PARTS = 300.0, 4
SIMPSON = np.array([1.0, 4.0, 2.0, 4.0, 1.0]) / (3 * PARTS)
SHARES = SIMPSON * np.stack([np.linspace(1.0, 0.0, PARTS + 1), np.linspace(0.0, 1.0, PARTS + 1)])
ENDS = np.eye(2) / 2
"""Weights of the points within a step, for the masses at its beginning and for those at its end."""

MOST_PLACES = 2_000
"""Who has more than these ahead is told what the present staffing says; band matrices of more would take gigabytes.

That is worse than what comes where the head-count rises; for where it falls see unfollowed.py.
"""


@dataclass(frozen=True, slots=True)
class Queueing:
    """One head-count: closed forms and moves for 0 .. places - 1 contacts ahead."""

    agents: int
    drain: Drain
    places: int

    @property
    def ahead(self) -> FloatArray:
        """The numbers of contacts ahead."""
        return np.arange(self.places, dtype=np.float64)

    @property
    def per_second(self) -> float:
        """Completions per second while all agents are busy: n mu."""
        return self.agents * self.drain.handled_per_second

    def near(self) -> "Queueing":
        """Return the same for those places only that changes of staffing are followed to."""
        return replace(self, places=min(self.places, MOST_PLACES))

    def fate(self) -> FloatArray:
        """Return (places, 2): the probability of being served, and E[wait; served]."""
        ahead, theta = self.ahead, self.drain.given_up_per_second
        return np.column_stack([served(ahead, self.per_second, theta), served_wait(ahead, self.per_second, theta)])

    def within(self, seconds: float) -> FloatArray:
        """Return (places, 2): the probability of being served within so many seconds, and of still waiting then."""
        ahead, theta = self.ahead, self.drain.given_up_per_second
        return np.column_stack(
            [
                served_within(ahead, self.per_second, theta, seconds),
                still_waiting(ahead, self.per_second, theta, seconds),
            ]
        )

    def moves(self, seconds: float) -> "Moves":
        """Return T_s for so many seconds, as a band matrix."""
        return Moves(self, seconds)


class Moves:
    """T_s: where in the queue a contact will be after s seconds, if it still waits. `apply` maps expectations back."""

    def __init__(self, queue: Queueing, seconds: float) -> None:
        theta, ahead = queue.drain.given_up_per_second, queue.ahead
        rates = queue.per_second + ahead * theta
        scale = -np.expm1(-theta * seconds) / theta if theta > 0 else seconds
        self.seconds = seconds
        self._places = queue.places
        mean = float(rates[-1] * scale)
        self._bands = min(queue.places - 1, int(np.ceil(mean + 9 * np.sqrt(mean) + 12)))
        self._band = np.zeros((self._bands + 1, queue.places), order="F")
        with np.errstate(divide="ignore"):
            paths = np.concatenate([[0.0], np.cumsum(np.log(rates[1:]))])
        survive = (rates + theta) * seconds
        if not rates[-1] * scale > 0:
            self._band[0] = np.exp(-survive)
            return
        moved = np.arange(self._bands + 1)
        weights = moved * np.log(scale) - gammaln(moved + 1.0)
        start = moved[:, None] + np.arange(queue.places)
        inside = start < queue.places
        logs = paths[np.minimum(start, queue.places - 1)] - paths - survive + weights[:, None]
        np.exp(logs, out=self._band, where=inside)

    @property
    def size(self) -> int:
        """How many values it keeps."""
        return int(self._band.size)

    def apply(self, later: FloatArray) -> FloatArray:
        """Return T_s later, for expectations of shape (places, n)."""
        columns = [
            dgbmv(self._places, self._places, self._bands, 0, 1.0, self._band, later[:, column])
            for column in range(later.shape[1])
        ]
        return np.column_stack(columns)


def across(later: FloatArray, before: int, after: int, places: int, at_once: Sequence[float]) -> FloatArray:
    """Return expectations (places, n) just before the head-count goes from `before` to `after`, from those after it.

    at_once: what those have who are served the moment it rises.
    """
    risen = max(after - before, 0)
    earlier = np.empty((places, later.shape[1]))
    earlier[: min(risen, places)] = at_once
    earlier[risen:] = later[: places - risen]
    return earlier


@dataclass(frozen=True, slots=True, eq=False)
class Deviations:
    """By how much what a contact may expect differs from the closed form of its stretch: (places, 2), of near places.

    first: at the beginning of the stretch. since: the step before which it is negligible. before and after: from then
    on, per step, the means over the step that go with the masses at its two ends, (steps, places, 2); between the ends
    the masses are taken to change evenly.
    """

    since: int
    first: FloatArray
    before: FloatArray
    after: FloatArray


def fates(
    staffing: Sequence[Stretch], drain: Drain, states: int, steps_per_minute: int
) -> list[tuple[Queueing, FloatArray, Deviations]]:
    """Return per stretch the queue, the closed forms of served and E[wait; served], and the deviations from them.

    The last head-count is taken to stay after the horizon.
    """
    found: list[tuple[Queueing, FloatArray, Deviations]] = []
    later: FloatArray | None = None
    for position in range(len(staffing) - 1, -1, -1):
        stretch = staffing[position]
        queue = Queueing(stretch.agents, drain, max(states - stretch.agents, 1))
        near, closed = queue.near(), queue.fate()
        steps, last = (stretch.last - stretch.first) * steps_per_minute, np.zeros((near.places, 2))
        if later is not None:
            expected = across(later, stretch.agents, staffing[position + 1].agents, near.places, (1.0, 0.0))
            last = expected - closed[: near.places]
        deviations = _back(near, last, steps, MINUTE_SECONDS / steps_per_minute)
        found.append((queue, closed, deviations))
        later = closed[: near.places] + deviations.first
    return found[::-1]


def _back(queue: Queueing, last: FloatArray, steps: int, step_seconds: float) -> Deviations:
    """Go back from the end of a stretch; in parts of steps at first, as waits differ by the second before a change.

    And all along where nobody serves: it costs little there, and who waits for agents waits longest.
    """
    moves, shares, now = queue.moves(step_seconds / PARTS), SHARES, last
    means: list[FloatArray] = []
    while len(means) < steps and np.abs(now).max() >= NEGLIGIBLE:
        if queue.agents and len(means) == round(FINE_SECONDS / step_seconds):
            moves, shares = queue.moves(step_seconds), ENDS
        points = [now]
        for _ in range(shares.shape[1] - 1):
            points.append(moves.apply(points[-1]))
            points[-1][:, 1] += moves.seconds * points[-1][:, 0]
        now = points[-1]
        means.append(np.tensordot(shares, np.stack(points[::-1]), axes=1))
    since = steps - len(means)
    before, after = np.stack(means[::-1], axis=1) if means else np.zeros((2, 0, queue.places, 2))
    return Deviations(since, np.zeros_like(now) if since else now, before, after)
