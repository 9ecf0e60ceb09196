"""Steps of TR-BDF2 through the forward equation of many birth-death chains, as one long tridiagonal system.

TR-BDF2 (Bank et al., IEEE Transactions on Electron Devices 32(10), 1985) with g = 2 - sqrt 2: a trapezoidal stage to
g dt and one of BDF2 to dt. Both then solve with the same matrix I - a dt Q', a = g / 2, which is tridiagonal and is
factored once per change of rates. With S its inverse, p(t + dt) = S (c S p - c' p).
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.linalg.lapack import dgttrf, dgttrs

from app.core.forecast.series import FloatArray, IntArray

GAMMA = 2 - math.sqrt(2)
IMPLICIT = GAMMA / 2
FORWARD = 2 / (GAMMA * (2 - GAMMA))
BACKWARD = (1 + (1 - GAMMA) ** 2) / (GAMMA * (2 - GAMMA))

Factors = tuple[FloatArray, FloatArray, FloatArray, FloatArray, IntArray]


class Stepper:
    """Chains side by side, each with states 0 .. size - 1; their births may differ, their deaths not."""

    def __init__(self, sizes: Sequence[int], step_seconds: float) -> None:
        self.width = sum(sizes)
        self.states = np.concatenate([np.arange(size, dtype=np.float64) for size in sizes])
        self._scale = IMPLICIT * step_seconds
        self._rows = np.repeat(np.arange(len(sizes)), sizes)
        self._open = np.ones(self.width)
        self._open[np.cumsum(sizes) - 1] = 0.0  # nothing is born in a chain's last state
        self._deaths = np.zeros(self.width)
        self._scratch = np.empty(self.width)
        self._fed: tuple[bytes, int] | None = None
        self._parts = 1
        self._factors: Factors

    def staff(self, deaths: FloatArray) -> None:
        """Take the deaths per second of all states; they stay until the next call."""
        self._deaths = deaths
        self._fed = None

    def feed(self, births: FloatArray, parts: int = 1) -> None:
        """Take the births per second of each chain, and in how many parts a step is taken; they stay likewise."""
        fed = (births.tobytes(), parts)
        if fed == self._fed:
            return
        self._fed, self._parts = fed, parts
        scale = self._scale / parts
        born = births[self._rows] * self._open
        born *= scale
        died = self._deaths * scale
        on = 1 + died
        on += born
        # never singular: the columns sum to one and nothing beside the diagonal is positive
        *factors, _ = dgttrf(-born[:-1], on, -died[1:], overwrite_dl=True, overwrite_d=True, overwrite_du=True)
        self._factors = (factors[0], factors[1], factors[2], factors[3], factors[4])

    def step(self, now: FloatArray, then: FloatArray) -> FloatArray | None:
        """Write the masses one step after `now` into `then`.

        Returns by how much their mean over the step differs from the mean of the two; None where it has one part.
        """
        self._part(now, then)
        if self._parts == 1:
            return None
        between = then.copy()
        for _ in range(self._parts - 2):
            self._part(then, then)
            between += then
        self._part(then, then)
        between -= (now + then) * ((self._parts - 1) / 2)
        between /= self._parts
        return between

    def _part(self, now: FloatArray, then: FloatArray) -> None:
        np.multiply(now, BACKWARD, out=self._scratch)
        half = dgttrs(*self._factors, now)[0]
        half *= FORWARD
        half -= self._scratch
        then[:] = dgttrs(*self._factors, half, overwrite_b=True)[0]
