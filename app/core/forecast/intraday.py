"""What today says so far: by what ratio it differs from the usual, and at what rate contacts come."""

from dataclasses import dataclass

import numpy as np

from app.core.forecast.series import FloatArray

HALF_LIFE_HOURS = 1.0
PRIOR_HOURS = 0.5
FEWEST_SECONDS = 1800.0
_HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class SoFar:
    """ratio: over what is usual, 1 when nothing is known. rate: contacts per step, None below half an hour of history.

    silent_hours: how long ago the last step began that anything is known of; infinite when there is none. is_unusual:
    whether contacts came in the last hour, which usually has none.
    """

    ratio: float
    rate: float | None
    silent_hours: float
    is_unusual: bool = False


def so_far(came: FloatArray, usual: FloatArray, prior: float, step_seconds: float) -> SoFar:
    """Return what the latest steps say, the last one being that before now.

    came: contacts per step, NaN where not known or closed. usual: what was to be expected of the same steps. prior:
    contacts that weigh against what came, at the usual level: see prior_contacts. What came weighs half for every hour
    of its age. ratio is the mean of a Gamma prior around 1 updated by Poisson counts.
    """
    age_hours = np.arange(len(came), 0, -1) * (step_seconds / _HOUR_SECONDS)
    weights = 0.5 ** (age_hours / HALF_LIFE_HOURS)
    known, both = ~np.isnan(came), ~np.isnan(came) & ~np.isnan(usual)
    expected = prior + float(weights[both] @ usual[both])
    ratio = (prior + float(weights[both] @ came[both])) / expected if expected > 0 else 1.0
    rate = None
    if known.sum() * step_seconds >= FEWEST_SECONDS:
        rate = float(weights[known] @ came[known] / weights[known].sum())
    silent_hours = float(age_hours[known][-1]) if known.any() else float("inf")
    hour = both & (age_hours <= 1.0)
    is_unusual = bool(came[hour].sum() > 0 and not usual[hour].any())
    return SoFar(ratio, rate, silent_hours, is_unusual)


def prior_contacts(usual: FloatArray, step_seconds: float) -> float:
    """Return how many contacts half an hour of average contacts is, for a day's usual contacts per step.

    The average is over contacts, not over hours: sum u^2 / sum u. So weighed, hours in which nobody calls make no
    difference, whether or not anybody said that they are closed. 0 where nothing is known.
    """
    known = usual[~np.isnan(usual)]
    per_step = float(known @ known / known.sum()) if known.sum() > 0 else 0.0
    return per_step * PRIOR_HOURS * _HOUR_SECONDS / step_seconds
