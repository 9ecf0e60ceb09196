"""Stationary queues in which nobody gives up: Erlang B and C, and how many agents they ask for.

For questions such as "how many agents does this half-hour need", not for what happens in the next half-hour: a queue
after a send is not stationary. Erlang B by the recursion of its inverse, 1/B_0 = 1, 1/B_k = 1 + (k/a) / B_(k-1), which
neither over- nor underflows; C = B / (1 - rho (1 - B)), rho = a / n.
Source: A. K. Erlang, 1917; R. B. Cooper, Introduction to Queueing Theory, 2nd ed. 1981, chapter 3.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

MAX_AGENTS = 100_000
ROUNDING = 1e-12
"""By what share of it a load may be rounded up: no reason for one agent more."""


def erlang_b(load_erlangs: float, servers: float) -> float:
    """Return the probability, 0..1, that a call finds all servers busy and is lost.

    load_erlangs: arrivals per second x mean seconds of service, >= 0. servers: >= 0; between whole numbers the result
    is interpolated. Raises ValueError for what is negative, NaN or above 100,000 servers.
    """
    _sound(load_erlangs, servers)
    return interpolated(lambda whole: _blocking(load_erlangs, whole), servers)


def erlang_c(load_erlangs: float, agents: float) -> float:
    """Return the probability, 0..1, that a call has to wait; 1 where the load is not below the agents.

    Arguments and errors as for erlang_b().
    """
    _sound(load_erlangs, agents)
    return interpolated(lambda whole: _delayed(load_erlangs, whole), agents)


@dataclass(frozen=True, slots=True)
class ErlangC:
    """A queue M/M/n in steady state. Rates per any unit of time; waits come in the same unit. agents may be a fraction.

    Where the load is not below the agents, the queue grows without end: every wait is infinite.
    """

    arrivals: float
    handled: float
    agents: float

    def __post_init__(self) -> None:
        if not (self.handled > 0 and math.isfinite(self.handled)):
            raise ValueError(f"handled={self.handled} must be > 0 contacts per agent and unit of time")
        _sound(self.load_erlangs, self.agents)

    @property
    def load_erlangs(self) -> float:
        """Arrivals x mean handle time."""
        return self.arrivals / self.handled

    @property
    def waiting_ratio(self) -> float:
        """The probability of having to wait."""
        return erlang_c(self.load_erlangs, self.agents)

    @property
    def occupancy_ratio(self) -> float:
        """The share of their time that agents are busy, at most 1; 1 without agents."""
        return min(self.load_erlangs / self.agents, 1.0) if self.agents > 0 else 1.0

    @property
    def speed_to_answer(self) -> float:
        """The mean wait of all, C / (n mu - lambda); infinite in overload."""
        return interpolated(self._mean_wait, self.agents)

    @property
    def backlog(self) -> float:
        """The mean number waiting: lambda x mean wait (Little)."""
        return self.arrivals * self.speed_to_answer if self.arrivals else 0.0

    @property
    def backlog_variance(self) -> float:
        """The variance of the number waiting: C rho (1 + rho - C rho) / (1 - rho)^2."""
        return interpolated(self._queue_variance, self.agents)

    def service_level(self, seconds: float) -> float:
        """Return the probability of an answer within so many seconds (or units): 1 - C exp(-(n mu - lambda) t)."""
        return interpolated(lambda whole: self._answered_within(whole, seconds), self.agents)

    def state(self, number: int) -> float:
        """Return the probability that so many are in the system; 0 in overload, where there is no steady state."""
        return interpolated(lambda whole: self._state(whole, number), self.agents)

    def _spare(self, agents: int) -> float:
        return agents * self.handled - self.arrivals

    def _mean_wait(self, agents: int) -> float:
        if not self.arrivals:
            return 0.0 if agents else math.inf
        return _delayed(self.load_erlangs, agents) / self._spare(agents) if self._spare(agents) > 0 else math.inf

    def _queue_variance(self, agents: int) -> float:
        if self._spare(agents) <= 0:
            return math.inf
        delayed, rho = _delayed(self.load_erlangs, agents), self.load_erlangs / agents
        return delayed * rho * (1 + rho - delayed * rho) / (1 - rho) ** 2

    def _answered_within(self, agents: int, seconds: float) -> float:
        if self._spare(agents) <= 0:
            return 0.0
        return 1 - _delayed(self.load_erlangs, agents) * math.exp(-self._spare(agents) * seconds)

    def _state(self, agents: int, number: int) -> float:
        if self._spare(agents) <= 0 or number < 0:
            return 0.0
        if not self.load_erlangs:
            return float(number == 0)
        rho = self.load_erlangs / agents
        full = _delayed(self.load_erlangs, agents) * (1 - rho)  # C = p_n / (1 - rho)
        if number >= agents:
            return full * rho ** (number - agents)
        down = math.lgamma(agents + 1) - math.lgamma(number + 1) - (agents - number) * math.log(self.load_erlangs)
        return math.exp(math.log(full) + down)


def agents_needed(meets: Callable[[int], bool], least: int = 0) -> int:
    """Return the smallest head-count from `least` on that meets what is asked; more agents must never meet it less.

    Raises ValueError where not even 100,000 do.
    """
    low, high, stride = least - 1, least, 1
    while not meets(high):
        if high >= MAX_AGENTS:
            raise ValueError(f"not even {MAX_AGENTS} agents meet this")
        low, high, stride = high, min(high + stride, MAX_AGENTS), 2 * stride
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(middle) else (middle, high)
    return high


def agents_for_service_level(
    arrivals: float, handled: float, target_ratio: float, seconds: float, max_occupancy_ratio: float = 1.0
) -> int:
    """Return how many agents answer target_ratio (0..1) within so many seconds, busy at most max_occupancy_ratio.

    By Erlang C; erlang_a.py has the same for callers who give up. Raises ValueError for a ratio out of range.
    """
    if not 0 <= target_ratio < 1:
        raise ValueError(f"target_ratio={target_ratio} must be at least 0 and below 1")
    if not 0 < max_occupancy_ratio <= 1:
        raise ValueError(f"max_occupancy_ratio={max_occupancy_ratio} must be above 0 and at most 1")
    load = ErlangC(arrivals, handled, 0).load_erlangs
    for agents, blocked in enumerate(_blockings(load)):
        if agents <= load or load > agents * max_occupancy_ratio * (1 + ROUNDING):
            continue
        late = _waiting(load, agents, blocked) * math.exp(-(agents * handled - arrivals) * seconds)
        if 1 - late >= target_ratio:
            return agents
    raise ValueError(f"not even {MAX_AGENTS} agents answer {target_ratio} of {load:g} erlangs within {seconds:g}")


def interpolated(value: Callable[[int], float], agents: float) -> float:
    """Return value(agents), for a fraction of an agent linearly between the whole numbers around it."""
    below = math.floor(agents)
    share = agents - below
    if not share:
        return value(below)
    return (1 - share) * value(below) + share * value(below + 1)


def _blockings(load: float) -> Iterator[float]:
    """Yield the probabilities of blocking with 0, 1, 2, … servers, up to 100,000 of them."""
    inverse = 1.0
    yield 1.0
    for server in range(1, MAX_AGENTS + 1):
        inverse = 1 + server / load * inverse if load else math.inf
        yield 1 / inverse


def _blocking(load: float, servers: int) -> float:
    return next(islice(_blockings(load), servers, None))


def _waiting(load: float, agents: int, blocked: float) -> float:
    return 1.0 if load >= agents else blocked / (1 - load / agents * (1 - blocked))


def _delayed(load: float, agents: int) -> float:
    return _waiting(load, agents, _blocking(load, agents))


def _sound(load: float, agents: float) -> None:
    if not (0 <= load < math.inf):
        raise ValueError(f"a load of {load} erlangs must be a number, 0 or more")
    if not 0 <= agents <= MAX_AGENTS:
        raise ValueError(f"agents={agents} must be 0 to {MAX_AGENTS}")
