"""What past campaigns say of the next one: a random-effects pool of their contact rates.

Random effects by DerSimonian and Laird, Meta-analysis in clinical trials, Controlled Clinical Trials, 1986: each
campaign has its own rate around a common mean, seen with its own error. The prior enters as one more campaign.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.core.forecast.learn import GammaRate, kind_key, preset_per_1000, prior_rate
from app.core.forecast.refused import refuse
from app.core.forecast.series import FloatArray

ENOUGH_OF_A_KIND = 3
_FEW, _FEW_SPREAD_RATIO, _KINDS_DIFFER_RATIO = 5, 0.3, 0.7
_LEAST_MEAN_PER_SD = 0.5


@dataclass(frozen=True, slots=True)
class PastRate:
    """What one campaign taught: contacts_per_1000 (below 0 when the floor was quieter than forecast) and its sd."""

    contacts_per_1000: float
    sd: float
    kind: str | None = None

    def __post_init__(self) -> None:
        refuse(
            (not np.isfinite(self.contacts_per_1000), "/contacts_per_1000", f"is {self.contacts_per_1000}"),
            (not 0 < self.sd < np.inf, "/sd", f"is {self.sd}; it must be above 0"),
        )

    @classmethod
    def of_tagged(cls, contacts: float, exposure: float, kind: str | None = None) -> "PastRate":
        """Return what contacts that named their campaign teach, for an exposure (thousands delivered) above 0."""
        refuse(
            (not 0 <= contacts < np.inf, "/contacts", f"are {contacts}; a number >= 0 is needed"),
            (not 0 < exposure < np.inf, "/exposure", f"is {exposure}; it must be above 0"),
        )
        return cls(contacts / exposure, float(np.sqrt(contacts + 1)) / exposure, kind)

    @classmethod
    def of_lift(cls, contacts: float, sd: float, exposure: float, kind: str | None = None) -> "PastRate":
        """Return what an estimated lift +- sd (contacts) teaches, for an exposure (thousands delivered) above 0."""
        refuse((not 0 < exposure < np.inf, "/exposure", f"is {exposure}; it must be above 0"))
        return cls(contacts / exposure, sd / exposure, kind)


def pooled_rate(past: Sequence[PastRate], kind: str | None = None, given: GammaRate | None = None) -> GammaRate:
    """Return the belief about the next campaign of this kind; without any past campaign its prior, unchanged.

    given: a prior in place of the kind's own. Campaigns are pooled as multiples of their kind's preset, so that quiet
    newsletters do not make a price change look harmless. From 3 of the kind on these speak for it, and the pool of all
    others is their prior. Before that other kinds move the mean, but leave the doubt that kinds differ: a standard
    deviation of at least 0.7 of it. That is judgement.
    """
    prior = given or prior_rate(kind)
    own = [rate for rate in past if kind_key(rate.kind) == kind_key(kind)]
    if len(own) < ENOUGH_OF_A_KIND:
        pooled = _pool(past, prior, kind)
        return pooled if len(own) == len(past) else _doubted(pooled)
    others = [rate for rate in past if kind_key(rate.kind) != kind_key(kind)]
    return _pool(own, _pool(others, prior, kind), kind)


def _pool(past: Sequence[PastRate], prior: GammaRate, kind: str | None) -> GammaRate:
    if not past:
        return prior
    scales = np.array([preset_per_1000(kind) / preset_per_1000(rate.kind) for rate in past])
    rates = np.array([prior.mean, *(scales * [rate.contacts_per_1000 for rate in past])])
    variances = np.array([prior.sd, *(scales * [rate.sd for rate in past])]) ** 2
    spread = _between(rates, variances, len(past))
    weights = 1 / (variances + spread)
    variance = float(1 / weights.sum()) + spread
    mean = float(np.average(rates, weights=weights))
    return GammaRate.of_moments(max(mean, _LEAST_MEAN_PER_SD * variance**0.5), variance)


def _doubted(belief: GammaRate) -> GammaRate:
    """Return a belief that rests on other kinds, no surer than kinds are alike."""
    least = (_KINDS_DIFFER_RATIO * belief.mean) ** 2
    return belief if belief.sd**2 >= least else GammaRate.of_moments(belief.mean, least)


def _between(rates: FloatArray, variances: FloatArray, campaigns: int) -> float:
    """Return the variance between campaigns; while they are few, no less than (0.3 x their mean) squared."""
    weights = 1 / variances
    mean = np.average(rates, weights=weights)
    excess = float(weights @ (rates - mean) ** 2) - (len(rates) - 1)
    spread = max(0.0, excess / float(weights.sum() - (weights @ weights) / weights.sum()))
    return max(spread, float(_FEW_SPREAD_RATIO * mean) ** 2) if campaigns < _FEW else spread
