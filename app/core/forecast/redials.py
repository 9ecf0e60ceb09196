"""Contacts who give up and try again: off by default, for who wants to see what they add."""

import numpy as np

from app.core.forecast.intervals import INTERVAL_MINUTES
from app.core.forecast.predict import predict
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import FloatArray

SHARE, AFTER_MINUTES = 0.3, 10


def with_redials(
    scenario: Scenario, arrivals: FloatArray | None = None, *, share: float = SHARE, after_minutes: int = AFTER_MINUTES
) -> FloatArray:
    """Return arrivals per second with redials, (rows, minutes), to be handed to predict().

    lambda(t) + share x (contacts that give up per second at t - after_minutes), the latter theta E[Q] of the course
    without redials: one step towards the fixed point, in which redials that give up again are left out. Who gives up
    before the start is not known and left out too. A share of 0.3 after 10 minutes is a guess, not a measurement.
    Raises ScenarioRefused, and ValueError for a share outside 0..1 or a delay below 0.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share={share} must be 0 to 1: of those who give up, who tries again")
    if after_minutes < 0:
        raise ValueError(f"after_minutes={after_minutes} must be 0 or more")
    rates = scenario.arrivals_per_second[None, :] if arrivals is None else arrivals
    course = predict(scenario, rates)
    if scenario.patience_seconds is None:
        return rates.copy()
    minutes = rates.shape[1]
    leaving = np.repeat(course.backlog / scenario.patience_seconds, INTERVAL_MINUTES, axis=1)[:, :minutes]
    back = np.zeros_like(rates)
    back[:, after_minutes:] = share * leaving[:, : max(minutes - after_minutes, 0)]
    return np.asarray(rates + back)
