"""How far forecasts are off: the coefficient of variation of a factor on the whole forecast, by how far it looks.

Measured by rolling origin on the queue's own history: on each of the last 20 days, every half hour, the forecast is
made as it would have been made then, and its half hours are compared with what came. Of the squared errors, what
Poisson counts scatter by anyway is taken off: cv^2 = max(0, sum (e^2 - f)) / sum f^2, f the forecasts, e the errors.
"""

from dataclasses import dataclass

import numpy as np

from app.core.forecast.intraday import HALF_LIFE_HOURS, prior_contacts
from app.core.forecast.profiles import is_ordinary
from app.core.forecast.series import FloatArray
from app.core.forecast.usual import Method, Usuals

TESTED_DAYS = 20
FEWEST_DAYS = 5
LEAST_CV = 0.02
_WINDOW_SECONDS = 1800
_LOOK_BACK_DAYS = 42
_BAND_HOURS = (1.0, 2.0, 4.0)
_WINDOWS_AHEAD = {"one_hour": (0, 2), "two_hours": (2, 4), "four_hours": (4, 8)}


@dataclass(frozen=True, slots=True)
class ErrorCv:
    """The coefficient of variation of what comes over what was forecast, Poisson noise not included.

    Up to one, two and four hours ahead, and beyond. days: how many days it was measured on; 0: assumed.
    """

    one_hour: float
    two_hours: float
    four_hours: float
    beyond: float
    days: int = 0

    def at(self, lead_hours: FloatArray) -> FloatArray:
        """Return the coefficient for each lead time in hours."""
        bands = [lead_hours < hours for hours in _BAND_HOURS]
        return np.select(bands, [self.one_hour, self.two_hours, self.four_hours], self.beyond)


def assumed(cv: float) -> ErrorCv:
    """Return the same coefficient at every distance, as one that was not measured."""
    return ErrorCv(cv, cv, cv, cv)


def error_cv(usuals: Usuals, today: int) -> ErrorCv | None:
    """Return the errors of forecasts on the days before today (an ordinal); None with fewer than 5 to measure on.

    Takes some hundredths of a second: measure once a day. Whatever was measured, no less than 0.02 is returned.
    """
    pairs = _tested(usuals, today)
    if len(pairs) < FEWEST_DAYS:
        return None
    sums = {name: np.zeros(2) for name in (*_WINDOWS_AHEAD, "beyond")}
    for usual, came in pairs:
        ratios = _ratios(usual, came, usuals.history.slot_seconds)
        windows, actual = (_windows(values, usuals.history.slot_seconds) for values in (usual, came))
        for name, (first, end) in _WINDOWS_AHEAD.items():
            for ahead in range(first, end):
                known = len(windows) - ahead
                sums[name] += _squares(ratios[:known] * windows[ahead:], actual[ahead:])
        sums["beyond"] += _squares(windows, actual)
    return ErrorCv(**{name: _cv(*both) for name, both in sums.items()}, days=len(pairs))


def _tested(usuals: Usuals, today: int) -> list[tuple[FloatArray, FloatArray]]:
    """Return (usual, came) of the last days that have both.

    Days far below the usual are left out, holidays nobody told of: they err on the safe side, and are no measure.
    """
    pairs: list[tuple[FloatArray, FloatArray]] = []
    for day in range(today - 1, today - 1 - _LOOK_BACK_DAYS, -1):
        came = usuals.row(day)
        if len(pairs) < TESTED_DAYS and not np.isnan(came).all():
            usual = usuals.of(day, day)
            if usual.method is Method.WEEKDAY_MEDIAN and is_ordinary(came, usual.contacts):
                pairs.append((usual.contacts, came))
    return pairs


def _ratios(usual: FloatArray, came: FloatArray, slot_seconds: int) -> FloatArray:
    """Return today's ratio as it was at the beginning of each half hour of the day."""
    both = ~np.isnan(usual) & ~np.isnan(came)
    origins = np.arange(0, len(usual), _WINDOW_SECONDS // slot_seconds)
    age_hours = (origins[:, None] - np.arange(len(usual))) * slot_seconds / 3600.0
    weights = np.where(age_hours > 0, 0.5 ** (np.maximum(age_hours, 0.0) / HALF_LIFE_HOURS), 0.0)
    prior = prior_contacts(usual, slot_seconds)
    return (prior + weights @ np.where(both, came, 0.0)) / (prior + weights @ np.where(both, usual, 0.0))


def _windows(values: FloatArray, slot_seconds: int) -> FloatArray:
    sums: FloatArray = values.reshape(-1, _WINDOW_SECONDS // slot_seconds).sum(axis=1)
    return sums


def _squares(forecasts: FloatArray, came: FloatArray) -> FloatArray:
    """Return sums over what both know: squared errors beyond Poisson's, squared forecasts."""
    known = ~np.isnan(forecasts) & ~np.isnan(came) & (forecasts > 0)
    f, e = forecasts[known], came[known] - forecasts[known]
    return np.array([(e * e - f).sum(), (f * f).sum()])


def _cv(excess: float, scale: float) -> float:
    return max(LEAST_CV, float(np.sqrt(max(0.0, excess) / scale))) if scale > 0 else LEAST_CV
