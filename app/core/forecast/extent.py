"""How many states a prediction needs: by the fluid path, which says how long the queue can become."""

import math

import numpy as np

from app.core.forecast.chain import Drain
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import MINUTE_SECONDS, FloatArray

SPREADS, SPARE = 8.0, 20.0
NO_MASS = 1e-12
MAX_STATES = 20_000


def states_needed(scenario: Scenario, drain: Drain, rates: FloatArray, start: FloatArray, margin: float = 1.0) -> int:
    """Return the number of states, K + 1, for one row of arrivals per second, from a start (any rows, states)."""
    held = np.flatnonzero((start > NO_MASS).any(axis=0))
    top = float(held[-1]) if len(held) else 0.0
    peak, most = fluid_peak(scenario, drain, rates, top), int(scenario.agents.max())
    variance = max(peak, most)
    if drain.given_up_per_second <= 0:
        variance += float(rates.sum()) * MINUTE_SECONDS
    return min(math.ceil(max(peak, most) + margin * (SPREADS * math.sqrt(variance) + SPARE)) + 1, MAX_STATES)


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


def padded(masses: FloatArray, states: int) -> FloatArray:
    """Return a distribution of so many states: zeros added, or a tail without mass cut off."""
    cut = masses[:states]
    return np.asarray(np.concatenate([cut, np.zeros(states - len(cut))]) / cut.sum())
