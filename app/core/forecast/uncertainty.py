"""What is not known of the arrivals, as a few possible floors that each count with a weight.

Two things are uncertain: the level R of the arrivals that come anyway, lognormal with mean 1, and the contacts that a
message brings, Gamma. Each is a monotone function of a standard normal variable; of that the three-point
Gauss-Hermite rule is taken (0 and +-sqrt 3 with weights 2/3 and 1/6: exact for polynomials up to degree 5, Abramowitz
and Stegun, Handbook of Mathematical Functions, 1964, table 25.10), which makes nine nodes of the two.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv, ndtr

from app.core.forecast.series import BoolArray, FloatArray

KNOWN_CV = 1e-3
_POINTS = (-math.sqrt(3.0), 0.0, math.sqrt(3.0))
_WEIGHTS = (1 / 6, 2 / 3, 1 / 6)


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Possible floors: their weights (sum 1) and where each stands, in standard deviations of a normal variable.

    base_z: of the level of arrivals; contact_z: of the contacts per message. None: at the mean, with no uncertainty.
    """

    weights: FloatArray
    base_z: FloatArray | None
    contact_z: FloatArray | None

    def only(self, which: BoolArray) -> "Nodes":
        """Return some of the nodes, with the weights they had."""
        base = None if self.base_z is None else self.base_z[which]
        contact = None if self.contact_z is None else self.contact_z[which]
        return Nodes(self.weights[which], base, contact)

    def levels(self, cv: FloatArray) -> FloatArray:
        """Return the level R at each node for each coefficient of variation: shape (nodes, minutes), mean 1."""
        if self.base_z is None:
            return np.ones((len(self.weights), len(cv)))
        variance: FloatArray = np.log1p(cv * cv)
        return np.asarray(np.exp(np.sqrt(variance) * self.base_z[:, np.newaxis] - variance / 2), dtype=np.float64)

    def responses(self, cv: float) -> FloatArray:
        """Return the contacts at each node relative to their mean: quantiles of a Gamma with mean 1, shape (nodes,).

        The quantile at the probability of z, not a normal or a lognormal with the same moments: never below 0, and
        right in the tail also for cv 1, the exponential, where the three nodes still have the mean .999.
        """
        if self.contact_z is None or cv < KNOWN_CV:
            return np.ones(len(self.weights))
        shape = cv**-2
        quantiles: FloatArray = np.asarray(gammaincinv(shape, ndtr(self.contact_z)), dtype=np.float64)
        return quantiles / shape


def _nine() -> Nodes:
    base, contact = np.meshgrid(_POINTS, _POINTS, indexing="ij")
    return Nodes(np.outer(_WEIGHTS, _WEIGHTS).ravel(), base.ravel(), contact.ravel())


NINE = _nine()
MEAN = Nodes(np.ones(1), None, None)
