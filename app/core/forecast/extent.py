"""What a walk needs: how many states and how fine steps, found on the fluid path before it.

The fluid path is x' = lambda - min(x, n) mu - (x - n)+ theta, with the variance that small disturbances have around it,
v' = -2 g v + lambda + deaths, g = mu below n and theta above. It goes by minutes, each solved on the side of n that it
begins on.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.core.forecast.chain import Drain, Steps
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import MINUTE_SECONDS, FloatArray

SPREADS, SPARE = 8.0, 20.0
NO_MASS = 1e-12
MAX_STATES = 30_000
WIDTHS, MOST_PARTS = 0.5, 8
NOTHING = 0.01


def drain_of(scenario: Scenario) -> Drain:
    """Return how fast the scenario's queue empties, from its handle time and patience."""
    patience = scenario.patience_seconds
    return Drain(1 / scenario.handle_seconds, 0.0 if patience is None else 1 / patience)


@dataclass(frozen=True, slots=True)
class Outline:
    """The fluid path of one row: its peak, the variance to allow for, its haste.

    haste: per minute, how many standard deviations per second the number in the system moves; infinite from a number
    that is certain.
    """

    peak: float
    variance: float
    haste: Sequence[float]

    def states(self, margin: float = 1.0) -> int:
        """Return a number of states, K + 1: up to the peak and 8 standard deviations more; at most 30,000."""
        return min(math.ceil(self.peak + margin * (SPREADS * math.sqrt(self.variance) + SPARE)) + 1, MAX_STATES)


def outline(scenario: Scenario, rates: FloatArray, start: FloatArray) -> Outline:
    """Return the outline of one row: of arrivals per second by minute, from a start distribution."""
    drain, most = drain_of(scenario), float(scenario.agents.max())
    number = np.arange(len(start))
    mean = float(start @ number)
    path = _Fluid(drain, int(scenario.agents[0]), mean, max(float(start @ (number - mean) ** 2), 0.0))
    haste = [path.minute(rate, now) for rate, now in zip(rates.tolist(), scenario.agents.tolist(), strict=True)]
    peak = max(path.peak, most, float(np.flatnonzero(start > NO_MASS)[-1]))
    variance = peak if drain.given_up_per_second > 0 else peak + float(rates.sum()) * MINUTE_SECONDS
    return Outline(peak, variance, haste)


def steps_for(outlines: Sequence[Outline], per_minute: int) -> Steps:
    """Return the steps in which no row moves by more than half its width in one part of them."""
    haste = np.max([one.haste for one in outlines], axis=0)
    needed = np.ceil(haste * MINUTE_SECONDS / per_minute / WIDTHS)
    return Steps(per_minute, np.clip(needed, 1, MOST_PARTS).astype(int).tolist())


def padded(starts: FloatArray, sizes: Sequence[int]) -> list[FloatArray]:
    """Return each row's start with so many states: zeros added, or a tail without mass cut off."""
    cut = [start[:size] for start, size in zip(starts, sizes, strict=True)]
    return [np.pad(start, (0, size - len(start))) / start.sum() for start, size in zip(cut, sizes, strict=True)]


class _Fluid:
    """A point on the fluid path."""

    def __init__(self, drain: Drain, agents: int, number: float, variance: float) -> None:
        self.peak = number
        self._number, self._variance, self._agents = number, variance, agents
        self._below, self._above = drain.handled_per_second, drain.given_up_per_second
        self._decays = {rate: _decay(rate) for rate in (self._below, self._above)}

    def minute(self, arrivals: float, agents: int) -> float:
        """Go on by a minute; return its haste."""
        if agents < self._agents:
            self._leave(agents)
        self._agents = agents
        inside = self._number < agents
        rate = self._below if inside else self._above
        middle = 0.0 if inside else float(agents)
        stay, gain, spread = self._decays[rate]
        drift = arrivals - middle * self._below
        deaths = middle * self._below + (self._number - middle) * rate
        haste = self._haste(arrivals, deaths)
        self._variance = self._variance * stay**2 + (arrivals + deaths) * spread
        self._number = max(middle + (self._number - middle) * stay + drift * gain, 0.0)
        self.peak = max(self.peak, self._number)
        return haste

    def _haste(self, arrivals: float, deaths: float) -> float:
        if (arrivals + deaths) * MINUTE_SECONDS < NOTHING:
            return 0.0
        return abs(arrivals - deaths) / math.sqrt(self._variance) if self._variance > 0 else math.inf

    def _leave(self, agents: int) -> None:
        """Let agents leave with their contacts; with less in hand than before, the number becomes nearly certain."""
        if agents < self._number <= self._agents:
            self._variance = 0.0
        self._number = min(self._number, agents) + max(self._number - self._agents, 0.0)


def _decay(rate: float) -> tuple[float, float, float]:
    """Return e^(-r m), (1 - e^(-r m)) / r and (1 - e^(-2 r m)) / 2 r for a minute m."""
    if rate <= 0:
        return 1.0, MINUTE_SECONDS, MINUTE_SECONDS
    stay = math.exp(-rate * MINUTE_SECONDS)
    return stay, (1 - stay) / rate, (1 - stay**2) / (2 * rate)
