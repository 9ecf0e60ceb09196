"""What was seen of a queue while campaigns ran, beside what was forecast of it."""

from dataclasses import dataclass

import numpy as np

from app.core.forecast.refused import refuse
from app.core.forecast.series import BoolArray, FloatArray

DEFAULT_LEVEL_SD = 0.1
DEFAULT_DISPERSION = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """The counts of one queue, interval by interval, and what explains them.

    counts: contacts offered, NaN where nothing is known. base: the expected contacts without any campaign. per_rate:
    shape (campaigns, intervals), the contacts to expect of each campaign if it brought 1 per 1,000: thousands
    delivered x kernel (sent_curve) x the queue's share of its contacts. Start an hour before the first send: what
    came then tells the level of the day from the campaigns.

    level_sd: the standard deviation of the forecast's error, as a ratio; half of its variance (the drift) is that of
    an error that forgets itself within drift_minutes, the other half stays all day. dispersion: variance / mean of
    the counts in an interval, at least 1.
    """

    counts: FloatArray
    base: FloatArray
    per_rate: FloatArray
    interval_minutes: float = 5.0
    level_sd: float = DEFAULT_LEVEL_SD
    dispersion: float = DEFAULT_DISPERSION

    def __post_init__(self) -> None:
        seen = ~np.isnan(self.counts)
        is_row = self.counts.ndim == 1 and self.base.shape == self.counts.shape
        fits = self.per_rate.shape == (len(self.per_rate), *self.counts.shape)
        refuse(
            (not is_row, "/base", "must have one number per interval of the counts"),
            (not fits, "/per_rate", "must have one row per campaign, and a number per interval of the counts"),
            (not _is_sound(self.counts[seen]), "/counts", "must be numbers >= 0, or NaN where they are not known"),
            (not _is_sound(self.base), "/base", "must be numbers >= 0"),
            (not _is_sound(self.per_rate), "/per_rate", "must be numbers >= 0"),
            (not self.base.any(), "/base", "is 0 in every interval: a profile of zeros explains no contact"),
            (not 0 < self.interval_minutes < np.inf, "/interval_minutes", f"is {self.interval_minutes}, not above 0"),
            (not 0 < self.level_sd < np.inf, "/level_sd", f"is {self.level_sd}; it must be above 0"),
            (not 1 <= self.dispersion < np.inf, "/dispersion", f"is {self.dispersion}; it must be at least 1"),
        )

    @property
    def seen(self) -> BoolArray:
        """Whether the count of each interval is known."""
        return ~np.isnan(self.counts)


def overdispersion(counts: FloatArray, expected: FloatArray) -> float:
    """Return variance / mean of counts around their forecast, each row brought to its own level first: at least 1.

    Both have shape (days, intervals) or (intervals,); counts may have NaN. It is Pearson's chi-squared per degree of
    freedom, usually 1.2 to 2 for calls in 5 minutes. Without two intervals to compare: nan.
    """
    rows, means = np.atleast_2d(counts), np.atleast_2d(expected)
    refuse((rows.shape != means.shape, "/expected", "must have the shape of the counts"))
    refuse(
        (bool((rows < 0).any()), "/counts", "must be numbers >= 0, or NaN where they are not known"),
        (not _is_sound(means), "/expected", "must be numbers >= 0"),
    )
    seen = ~np.isnan(rows) & (means > 0)
    seen &= np.nansum(np.where(seen, rows, 0.0), axis=1, keepdims=True) > 0  # a silent row has no level
    if (freedom := int(seen.sum() - seen.any(axis=1).sum())) < 1:
        return float("nan")
    known, held = np.where(seen, rows, 0.0), np.where(seen, means, 0.0)
    levels = known.sum(axis=1) / np.maximum(held.sum(axis=1), np.finfo(np.float64).tiny)
    fitted = levels[:, np.newaxis] * held
    return max(1.0, float(((known - fitted)[seen] ** 2 / fitted[seen]).sum()) / freedom)


def _is_sound(values: FloatArray) -> bool:
    return bool(np.all((values >= 0) & np.isfinite(values)))
