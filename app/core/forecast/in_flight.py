"""What campaigns in flight bring, told from what comes anyway: contact rates and queue levels, jointly.

The counts of a queue in an interval are Y = R B + sum over campaigns of c_k E_k + noise: B the base forecast, R the
level (1: as forecast), E_k the contacts if campaign k brought 1 per 1,000; variance = dispersion x mean. The level is
a Gaussian process: its error partly stays all day and partly drifts, as those of intraday forecasts do. All is linear,
so the level is integrated out exactly and the c are a Gaussian update of what was believed of them, with weights from
the mean, which a few rounds settle. Without drift it is the regression of counts on (B, E) with priors on R and c.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.core.forecast.learn import GammaRate
from app.core.forecast.refused import refuse
from app.core.forecast.series import FloatArray
from app.core.forecast.watch import Watch

_ROUNDS = 3  # after a first one
_LEAST_MEAN = 0.5
_DRIFT_MINUTES = 240.0
_LEAST_MEAN_PER_SD = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class InFlight:
    """What is believed of each campaign's contacts per 1,000, and of each queue's level when it was last seen.

    rates: shape (campaigns,), with their covariance. levels and level_sds: one per queue, 1 is as forecast. observed:
    the intervals of all queues that had a count; with none everything is as it was believed before.
    """

    rates: FloatArray
    covariance: FloatArray
    levels: FloatArray
    level_sds: FloatArray
    observed: int

    @property
    def rate_sds(self) -> FloatArray:
        """The standard deviation of each campaign's contacts per 1,000."""
        return np.sqrt(np.diag(self.covariance))

    def belief(self, campaign: int) -> GammaRate:
        """Return what is now believed of a campaign's rate, by its moments; at least half its sd, so never nothing."""
        mean, sd = float(self.rates[campaign]), float(self.rate_sds[campaign])
        return GammaRate.of_moments(max(mean, _LEAST_MEAN_PER_SD * sd), sd * sd)


def in_flight(watches: Sequence[Watch], priors: Sequence[GammaRate]) -> InFlight:
    """Return the rates and levels that fit what was seen of the queues, given what is believed of each rate.

    priors: one per campaign, as many as every watch has rows, in their order; none: only the levels are estimated.
    Raises ResponseRefused when they do not fit, or nothing is watched.
    """
    refuse((not watches, "/watches", "is empty: at least one queue must be watched"))
    for index, watch in enumerate(watches):
        rows = len(watch.per_rate)
        refuse((rows != len(priors), f"/watches/{index}/per_rate", f"has {rows} campaigns; {len(priors)} have priors"))
    means, sds = np.array([prior.mean for prior in priors]), np.array([prior.sd for prior in priors])
    queues = [_Queue(watch) for watch in watches]
    rates, covariance = _updated(queues, means, sds)
    for _ in range(_ROUNDS):
        for queue in queues:
            queue.weigh(rates)
        rates, covariance = _updated(queues, means, sds)
    levels = [queue.level_when_last_seen(rates, covariance) for queue in queues]
    level, sd = np.array(levels).T
    return InFlight(rates, covariance, level, sd, sum(len(queue.excess) for queue in queues))


class _Queue:
    """The known intervals of a watch, and their precision (inverse covariance) with the level integrated out."""

    __slots__ = ("_dispersion", "_precision", "base", "excess", "level_covariance", "level_sd", "per_rate")

    def __init__(self, watch: Watch) -> None:
        seen = watch.seen
        self.base, self.per_rate = watch.base[seen], watch.per_rate[:, seen]
        self.excess = watch.counts[seen] - self.base
        self.level_sd, self._dispersion = watch.level_sd, watch.dispersion
        at = np.flatnonzero(seen) * watch.interval_minutes
        kept = (1 + np.exp(-np.abs(at[:, np.newaxis] - at) / _DRIFT_MINUTES)) / 2
        self.level_covariance = watch.level_sd**2 * kept
        self._precision = self._given(self.base)

    def weigh(self, rates: FloatArray) -> None:
        """Take the weights from the means that these rates and the levels they imply give."""
        moved = self.level_covariance @ (self.base * (self._precision @ (self.excess - rates @ self.per_rate)))
        self._precision = self._given(self.base * (1 + moved) + rates @ self.per_rate)

    def _given(self, mean: FloatArray) -> FloatArray:
        noise = np.diag(self._dispersion * np.maximum(mean, _LEAST_MEAN))
        return _inverse(noise + self.level_covariance * np.outer(self.base, self.base))

    def precision_of(self, rows: FloatArray) -> FloatArray:
        """Return rows x precision."""
        return rows @ self._precision

    def level_when_last_seen(self, rates: FloatArray, covariance: FloatArray) -> tuple[float, float]:
        """Return the level at the last known interval, and its standard deviation."""
        if not len(self.excess):
            return 1.0, self.level_sd
        pull = self.precision_of(self.level_covariance[-1] * self.base)
        level = 1 + float(pull @ (self.excess - rates @ self.per_rate))
        shared = self.per_rate @ pull
        own = self.level_sd**2 - float(pull @ (self.level_covariance[-1] * self.base))
        return level, float(np.sqrt(max(0.0, own + float(shared @ covariance @ shared))))


def _updated(queues: Sequence[_Queue], means: FloatArray, sds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and covariance of the rates, solved in units of the priors' sds: no scale swamps another."""
    information, pull = np.eye(len(means)), np.zeros(len(means))
    for queue in queues:
        weighed = queue.precision_of(queue.per_rate * sds[:, np.newaxis])
        information = information + weighed @ (queue.per_rate * sds[:, np.newaxis]).T
        pull = pull + weighed @ (queue.excess - means @ queue.per_rate)
    covariance = _inverse(information)
    return means + sds * (covariance @ pull), covariance * np.outer(sds, sds)


def _inverse(matrix: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
