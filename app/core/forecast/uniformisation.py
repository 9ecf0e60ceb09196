"""The same chain by uniformisation: slower than chain.py and as exact as asked; what chain.py is checked against.

With Lambda at least as large as any state's total rate, p(t + h) = sum_j e^(-Lambda h) (Lambda h)^j / j!  p P^j, where
P = I + Q / Lambda. All terms are positive, so nothing cancels; the sum ends where the rest of the Poisson mass is below
a tolerance. Many scenarios go side by side as columns.
Source: A. Jensen, Skand. Aktuarietidskr. 36, 1953; D. Gross and D. R. Miller, Operations Research 32(2), 1984.
"""

import math

import numpy as np
from scipy.special import pdtr

from app.core.forecast.chain import Drain, leave
from app.core.forecast.series import FloatArray, IntArray

TOLERANCE = 1e-12
LONGEST = 400.0  # jumps per part: e^-Lambda h must not underflow


def uniformised(
    masses: FloatArray, arrivals: FloatArray, agents: IntArray, drain: Drain, step_seconds: float
) -> FloatArray:
    """Return the distributions at the end of each step: (steps, states, scenarios).

    masses: at the start, (states, scenarios). arrivals: per second, (scenarios, steps). agents: one count per step, for
    all scenarios; where it falls, the agents who leave take the contact in hand along.
    """
    found = np.empty((len(agents), *masses.shape))
    states = np.arange(len(masses), dtype=np.float64)
    before = int(agents[0])
    for step, count in enumerate(agents.tolist()):
        if count < before:
            masses = np.stack([leave(column, before, count) for column in masses.T], axis=1)
        before = count
        masses = advanced(masses, arrivals[:, step], drain.deaths(states, count), step_seconds)
        found[step] = masses
    return found


def advanced(masses: FloatArray, arrivals: FloatArray, deaths: FloatArray, seconds: float) -> FloatArray:
    """Return distributions (states, scenarios) so many seconds later. arrivals: per scenario; deaths: per state."""
    fastest = float(arrivals.max() + deaths.max())
    if fastest <= 0 or seconds <= 0:
        return masses.copy()
    parts = math.ceil(fastest * seconds / LONGEST)
    mean = fastest * seconds / parts
    up, down = arrivals / fastest, (deaths / fastest)[:, None]
    for _ in range(parts):
        masses = _part(masses, up, down, mean)
    return masses


def _part(masses: FloatArray, up: FloatArray, down: FloatArray, mean: float) -> FloatArray:
    weight = math.exp(-mean)
    moved, found = masses, weight * masses
    for jump in range(1, _jumps(mean) + 1):
        gone_up, gone_down = moved[:-1] * up, moved[1:] * down[1:]
        moved = moved.copy()
        moved[:-1] -= gone_up
        moved[1:] += gone_up
        moved[1:] -= gone_down
        moved[:-1] += gone_down
        weight *= mean / jump
        found += weight * moved
    return found


def _jumps(mean: float) -> int:
    jumps = math.ceil(mean + 6 * math.sqrt(mean) + 10)
    while 1 - pdtr(jumps, mean) > TOLERANCE:
        jumps += 10
    return jumps
