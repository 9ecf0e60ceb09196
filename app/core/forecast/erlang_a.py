"""Stationary queue with callers who give up: Erlang A, that is M/M/n+M.

p_k by cumulated logarithms of lambda / d_k, so that nothing overflows; the waits by the closed forms of waits.py. It
has a steady state for any load. For a fraction of an agent see erlang.interpolated().
Source: C. Palm, 1946; Garnett, Mandelbaum and Reiman, Manufacturing & Service Operations Management 4(3), 2002.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.core.forecast.chain import Drain
from app.core.forecast.erlang import MAX_AGENTS, agents_needed
from app.core.forecast.series import FloatArray
from app.core.forecast.waits import served_wait, served_within, still_waiting

MAX_STATES = 4_000_000
TAIL = 1e-18


@dataclass(frozen=True)
class ErlangA:
    """A queue M/M/n+M in steady state. Rates per any unit of time; waits come in the same unit. given_up > 0.

    Shares among nobody (of those who give up, where nobody does) are NaN. Raises ValueError for rates that are not
    sound, and for a queue of millions.
    """

    arrivals: float
    handled: float
    given_up: float
    agents: int

    def __post_init__(self) -> None:
        if not 0 <= self.arrivals < math.inf:
            raise ValueError(f"arrivals={self.arrivals} must be a number, 0 or more")
        if not 0 < self.handled < math.inf:
            raise ValueError(f"handled={self.handled} must be > 0 contacts per agent and unit of time")
        if not 0 < self.given_up < math.inf:
            raise ValueError(f"given_up={self.given_up} must be > 0; where nobody gives up, Erlang C is meant")
        if not (isinstance(self.agents, int) and 0 <= self.agents <= MAX_AGENTS):
            raise ValueError(f"agents={self.agents} must be a whole number, 0 to {MAX_AGENTS}")

    @cached_property
    def states(self) -> FloatArray:
        """The probabilities of 0, 1, 2, … in the system, up to where the rest is nothing."""
        load = min(self.arrivals / self.handled, self.agents)
        waiting = max(self.arrivals - self.agents * self.handled, 0.0) / self.given_up
        size = math.ceil(max(load, self.agents) + waiting + 12 * math.sqrt(load + waiting + 1) + 50)
        while size <= MAX_STATES:
            masses = self._masses(size)
            if masses[-1] <= TAIL * masses.max():
                return masses
            size *= 2
        raise ValueError(f"about {waiting:.3g} would wait in steady state; at most {MAX_STATES} states are computed")

    def _masses(self, size: int) -> FloatArray:
        if not self.arrivals:
            return np.concatenate([[1.0], np.zeros(size - 1)])
        deaths = Drain(self.handled, self.given_up).deaths(np.arange(1.0, size), self.agents)
        logs = np.concatenate([[0.0], np.cumsum(math.log(self.arrivals) - np.log(deaths))])
        masses = np.exp(logs - logs.max())
        return np.asarray(masses / masses.sum())

    def state(self, number: int) -> float:
        """Return the probability that so many are in the system."""
        return float(self.states[number]) if 0 <= number < len(self.states) else 0.0

    @property
    def no_wait_ratio(self) -> float:
        """The probability of being served at once."""
        return float(self.states[: self.agents].sum())

    @property
    def abandonment_ratio(self) -> float:
        """The share of arrivals that gives up, theta E[Q] / lambda."""
        return self.backlog * self.given_up / self.arrivals if self.arrivals else math.nan

    @property
    def backlog(self) -> float:
        """The mean number waiting."""
        return float(self._waiting @ self.states)

    @property
    def backlog_variance(self) -> float:
        """The variance of the number waiting."""
        return float(self._waiting**2 @ self.states) - self.backlog**2

    @property
    def number(self) -> float:
        """The mean number in the system."""
        return float(np.arange(len(self.states)) @ self.states)

    @property
    def number_variance(self) -> float:
        """The variance of the number in the system."""
        return float(np.arange(len(self.states)) ** 2 @ self.states) - self.number**2

    @property
    def busy(self) -> float:
        """The mean number of busy agents."""
        return self.number - self.backlog

    @property
    def occupancy_ratio(self) -> float:
        """The share of their time that agents are busy; NaN without agents."""
        return self.busy / self.agents if self.agents else math.nan

    @property
    def mean_wait(self) -> float:
        """The mean wait of all, whether they are served or give up."""
        return self.backlog / self.arrivals if self.arrivals else math.nan

    @property
    def speed_to_answer(self) -> float:
        """The mean wait of those served."""
        return _ratio(self._sum(served_wait), 1 - self.abandonment_ratio)

    @property
    def wait_of_abandoned(self) -> float:
        """The mean wait of those who give up."""
        return _ratio(self.mean_wait - self._sum(served_wait), self.abandonment_ratio)

    def service_level(self, within: float) -> float:
        """Return answered within so much time / offered."""
        return self.no_wait_ratio + self._sum(served_within, within)

    def answered_within(self, within: float) -> float:
        """Return the share of those served whose wait is at most that."""
        return _ratio(self.service_level(within), 1 - self.abandonment_ratio)

    def abandoned_early(self, within: float) -> float:
        """Return the probability of giving up within so much time."""
        return max(1 - self.service_level(within) - self._sum(still_waiting, within), 0.0)

    def abandoned_within(self, within: float) -> float:
        """Return the share of those who give up that does so within so much time."""
        return _ratio(self.abandoned_early(within), self.abandonment_ratio)

    def patient_service_level(self, within: float) -> float:
        """Return the probability that one who never gives up would wait at most that: the virtual wait."""
        stays = math.exp(-self.given_up * within)
        return 1 - self._sum(still_waiting, within) / stays

    @property
    def _waiting(self) -> FloatArray:
        return np.maximum(np.arange(len(self.states), dtype=np.float64) - self.agents, 0)

    def _sum(self, fate: Callable[..., FloatArray], *within: float) -> float:
        found = self.states[self.agents :]
        ahead = np.arange(len(found), dtype=np.float64)
        return float(found @ fate(ahead, self.agents * self.handled, self.given_up, *within))


def agents_for_service_level(
    arrivals: float, handled: float, given_up: float, target_ratio: float, within: float
) -> int:
    """Return how many agents answer target_ratio (0..1) of all offered within so much time.

    Raises ValueError where no number of agents does.
    """
    if not 0 <= target_ratio < 1:
        raise ValueError(f"target_ratio={target_ratio} must be at least 0 and below 1")

    def meets(agents: int) -> bool:
        """Return whether so many agents answer target_ratio or more in time."""
        return ErlangA(arrivals, handled, given_up, agents).service_level(within) >= target_ratio

    return agents_needed(meets)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan
