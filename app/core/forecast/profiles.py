"""Profiles: how many contacts come at each time of a day, out of several days, some of which may know little.

Rows are days and columns are times of day; NaN is not known and takes part in nothing.
"""

from collections.abc import Sequence

import numpy as np

from app.core.forecast.series import BoolArray, FloatArray

_LEAST_SHARE = 0.5


def typical(rows: FloatArray) -> FloatArray:
    """Return the median of each column of (days, slots), NaN where no day knows anything."""
    known = np.count_nonzero(~np.isnan(rows), axis=0)
    in_order = np.sort(rows, axis=0)  # NaN last
    middle = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, len(rows) - 1)
    low, high = (np.take_along_axis(in_order, places[None], axis=0)[0] for places in middle)
    return np.where(known > 0, (low + high) / 2.0, np.nan)


def mean(rows: FloatArray) -> FloatArray:
    """Return the mean of each column of (days, slots), NaN where no day knows anything."""
    known = ~np.isnan(rows)
    counts = known.sum(axis=0)
    means = np.full(rows.shape[1], np.nan)
    np.divide(np.where(known, rows, 0.0).sum(axis=0), counts, out=means, where=counts > 0)
    return means


def smoothed(profile: FloatArray, slots: int) -> FloatArray:
    """Return the moving mean over so many slots (odd), of what is known; what is not known stays so."""
    known = ~np.isnan(profile)
    sums, counts = near(np.where(known, profile, 0.0), slots), near(known.astype(float), slots)
    smooth = np.full(len(profile), np.nan)
    np.divide(sums, counts, out=smooth, where=known)
    return smooth


def near(values: FloatArray, slots: int) -> FloatArray:
    """Return for each slot the sum of values >= 0 over so many slots (odd) around it, fewer at the ends of the day."""
    half = min(slots, 2 * len(values) - 1) // 2
    upto = np.concatenate([np.zeros(half + 1), np.cumsum(values), np.full(half, values.sum())])
    # The difference of two rounded sums of the same can come out a hair below 0.
    sums: FloatArray = np.maximum(upto[2 * half + 1 :] - upto[: -2 * half - 1], 0.0)
    return sums


def share(row: FloatArray, profile: FloatArray) -> float:
    """Return what came on a day over what its profile has for the same times; NaN where the two share nothing."""
    both = ~np.isnan(row) & ~np.isnan(profile)
    expected = float(profile[both].sum())
    return float(row[both].sum()) / expected if expected > 0 else float("nan")


def without_odd_days(rows: Sequence[FloatArray]) -> list[FloatArray]:
    """Return the days that brought at least half of what is typical of all of them: no holidays, no outages."""
    if not rows:
        return []
    profile = typical(np.array(rows))
    return [row for row in rows if not share(row, profile) < _LEAST_SHARE]


def is_ordinary(row: FloatArray, profile: FloatArray) -> bool:
    """Tell whether a day brought at least half of its profile, and is known for at least half of it."""
    known = float(profile[~np.isnan(row) & ~np.isnan(profile)].sum())
    return known > 0 and known >= _LEAST_SHARE * float(np.nansum(profile)) and share(row, profile) >= _LEAST_SHARE


def opened(profile: FloatArray, is_open: BoolArray) -> FloatArray:
    """Return a profile that is 0 wherever the queue is closed."""
    return np.where(is_open, profile, 0.0)
