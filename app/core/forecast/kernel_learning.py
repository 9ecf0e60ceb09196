"""When contacts come, learned from campaigns that were watched: the kernel's 12 bins.

The counts of campaign i are Poisson with mean L_i base + c_i sum over bins p_b A_ib: A_ib the contacts if it brought 1
per 1,000 and all of them with a lag in bin b, through its own sends and opening hours. The shares p are the same for
all; their prior is Dirichlet, worth 200 contacts of the published lag. Their posterior mode is found by expectation
maximisation (Dempster, Laird and Rubin, Journal of the Royal Statistical Society B, 1977): contacts are split over the
bins they may have come from, those that nobody could see are filled in, and shares and rates are taken from the sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from app.core.forecast.kernel import BIN_EDGES_MINUTES, BINS, Kernel, binned_kernel, log_logistic_kernel
from app.core.forecast.refused import refuse
from app.core.forecast.response import Response, Sent, sent_curve
from app.core.forecast.series import MINUTE_SECONDS, BoolArray, FloatArray

ENOUGH_CAMPAIGNS = 3
PRIOR_CONTACTS = 200.0
_ROUNDS = 200
_LEAST_MEAN = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class WatchedLags:
    """One campaign's contacts, interval by interval, and where they may have come from.

    counts: of contacts that named the campaign, or of all offered; NaN where nothing is known. base: the expected
    contacts without the campaign, zeros for the first kind. per_bin: shape (12, intervals), as of bin_curves, summed
    over each interval. thousands: delivered / 1,000. level_sd: of the forecast's error, as a ratio. dispersion:
    variance / mean of the counts; 1 when they named the campaign.
    """

    counts: FloatArray
    base: FloatArray
    per_bin: FloatArray
    thousands: float
    level_sd: float = 0.1
    dispersion: float = 1.0

    def __post_init__(self) -> None:
        known = self.counts[~np.isnan(self.counts)]
        sound = [bool(np.all((row >= 0) & np.isfinite(row))) for row in (known, self.base, self.per_bin)]
        refuse(
            (not sound[0] or self.counts.ndim != 1, "/counts", "must be numbers >= 0, or NaN where they are not known"),
            (not sound[1] or self.base.shape != self.counts.shape, "/base", "must be a number >= 0 per interval"),
            (
                not sound[2] or self.per_bin.shape != (BINS, *self.counts.shape),
                "/per_bin",
                f"must be {BINS} rows of a number >= 0 per interval",
            ),
            (not 0 < self.thousands < np.inf, "/thousands", f"is {self.thousands}; it must be above 0"),
            (not 0 < self.level_sd < np.inf, "/level_sd", f"is {self.level_sd}; it must be above 0"),
            (not 1 <= self.dispersion < np.inf, "/dispersion", f"is {self.dispersion}; it must be at least 1"),
        )


def bin_curves(response: Response, opening: BoolArray, sends: Sequence[Sent | tuple[float, float]]) -> FloatArray:
    """Return the contacts per minute if the sends brought 1 per 1,000, all with a lag in one bin: (12, minutes).

    Arguments as of sent_curve. Within a bin lags lie as the published ones do.
    """
    default = log_logistic_kernel().masses
    curves = []
    for begin, end in pairwise(BIN_EDGES_MINUTES):
        inside = np.zeros(len(default))
        inside[begin:end] = default[begin:end] / default[begin:end].sum()
        curves.append(sent_curve(replace(response, kernel=Kernel(inside)), opening, sends) * MINUTE_SECONDS / 1000)
    return np.array(curves)


def learned_kernel(campaigns: Sequence[WatchedLags]) -> Kernel | None:
    """Return the kernel that fits the campaigns and the published lag best; None while they are fewer than 3."""
    if len(campaigns) < ENOUGH_CAMPAIGNS:
        return None
    prior = log_logistic_kernel().bin_masses()
    shares = prior = prior / prior.sum()
    fits = [_Fit(campaign, shares) for campaign in campaigns]
    for _ in range(_ROUNDS):
        contacts = PRIOR_CONTACTS * prior + sum(fit.step(shares) for fit in fits)
        shares = contacts / contacts.sum()
    return binned_kernel(shares)


class _Fit:
    """One campaign's level and rate, as far as they are fitted."""

    __slots__ = ("_campaign", "_counts", "_exposures", "_level", "_rate", "_seen")

    def __init__(self, campaign: WatchedLags, shares: FloatArray) -> None:
        self._campaign, self._seen = campaign, ~np.isnan(campaign.counts)
        self._counts = campaign.counts[self._seen]
        self._exposures = campaign.per_bin[:, self._seen].sum(axis=1)
        excess = float(self._counts.sum() - campaign.base[self._seen].sum())
        self._level, self._rate = 1.0, max(excess, 1.0) / max(float(shares @ self._exposures), _LEAST_MEAN)

    def step(self, shares: FloatArray) -> FloatArray:
        """Return the contacts of each bin, seen and unseen, given the shares; move level and rate to what fits."""
        campaign, base = self._campaign, self._campaign.base[self._seen]
        per_bin = campaign.per_bin[:, self._seen]
        mean = np.maximum(self._level * base + self._rate * (shares @ per_bin), _LEAST_MEAN)
        found = self._rate * shares * (per_bin @ (self._counts / mean))
        unseen = self._rate * shares * np.maximum(campaign.thousands - self._exposures, 0.0)
        worth = 1 / campaign.level_sd**2
        level = self._level * float(base @ (self._counts / mean)) / campaign.dispersion
        self._level = (worth + level) / (worth + float(base.sum()) / campaign.dispersion)
        self._rate = float(found.sum()) / max(float(shares @ self._exposures), _LEAST_MEAN)
        contacts: FloatArray = (found + unseen) / campaign.dispersion
        return contacts
