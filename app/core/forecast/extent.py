"""How many states a prediction needs: by the fluid path, which says how long the queue can become."""

import math
from collections.abc import Sequence

import numpy as np

from app.core.forecast.chain import Drain
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import MINUTE_SECONDS, FloatArray

SPREADS, SPARE = 8.0, 20.0
NO_MASS = 1e-12
MAX_STATES = 30_000


def drain_of(scenario: Scenario) -> Drain:
    """Return how fast the scenario's queue empties, from its handle time and patience."""
    patience = scenario.patience_seconds
    return Drain(1 / scenario.handle_seconds, 0.0 if patience is None else 1 / patience)


def states_needed(scenario: Scenario, rates: FloatArray, starts: FloatArray, margin: float = 1.0) -> list[int]:
    """Return the number of states of each row: of arrivals per second (rows, minutes), from starts (rows, states).

    As many as the fluid path needs, and 8 standard deviations more; at most 30,000.
    """
    drain, most = drain_of(scenario), float(scenario.agents.max())
    tops = [int(np.flatnonzero(start > NO_MASS)[-1]) for start in starts]
    sizes = []
    for curve, top in zip(rates, tops, strict=True):
        peak = max(fluid_peak(scenario, drain, curve, top), most)
        variance = peak if drain.given_up_per_second > 0 else peak + float(curve.sum()) * MINUTE_SECONDS
        sizes.append(min(math.ceil(peak + margin * (SPREADS * math.sqrt(variance) + SPARE)) + 1, MAX_STATES))
    return sizes


def fluid_peak(scenario: Scenario, drain: Drain, rates: FloatArray, start: float) -> float:
    """Return the largest number in the system on the fluid path x' = lambda - min(x, n) mu - (x - n)+ theta.

    Stepped by minutes, each by the solution of the side of n that it begins on.
    """
    mu, theta = drain.handled_per_second, drain.given_up_per_second
    stay, gain = _minute(mu)
    wait, over = _minute(theta)
    peak = number = start
    agents = int(scenario.agents[0])
    for rate, now in zip(rates.tolist(), scenario.agents.tolist(), strict=True):
        if now < agents:
            number = min(number, now) + max(number - agents, 0.0)
        agents = now
        if number < agents:
            number = number * stay + rate * gain
        else:
            number = max(agents + (number - agents) * wait + (rate - agents * mu) * over, 0.0)
        peak = max(peak, number)
    return peak


def _minute(rate: float) -> tuple[float, float]:
    stay = math.exp(-rate * MINUTE_SECONDS)
    return stay, (1 - stay) / rate if rate > 0 else MINUTE_SECONDS


def padded(starts: FloatArray, sizes: Sequence[int]) -> list[FloatArray]:
    """Return each row's start with so many states: zeros added, or a tail without mass cut off."""
    cut = [start[:size] for start, size in zip(starts, sizes, strict=True)]
    return [np.pad(start, (0, size - len(start))) / start.sum() for start, size in zip(cut, sizes, strict=True)]
