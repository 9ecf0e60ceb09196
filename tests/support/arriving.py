"""Made histories of arrivals: whole weeks of contacts with a shape that a test can state."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np

from app.core.forecast.calendar import Calendar
from app.core.forecast.days import Days, by_local_day
from app.core.forecast.series import Series
from app.core.forecast.usual import Usuals

MONDAY = date(2026, 1, 5)
STEP_SECONDS = 300
Shape = Callable[[date, float], float]


def steady(day: date, _hour: float) -> float:
    """Return 10 contacts per step at any time, on Mondays 20."""
    return 20.0 if day.weekday() == 0 else 10.0


def a_history(days: int, shape: Shape = steady, first: date = MONDAY) -> Days:
    """Return so many days of `shape`(day, hour) contacts per 5 minutes."""
    hours = np.arange(288) / 12
    each = [first + timedelta(days=number) for number in range(days)]
    return Days(first, STEP_SECONDS, np.array([[float(shape(day, hour)) for hour in hours] for day in each]))


def usuals(days: int, shape: Shape = steady, calendar: Calendar | None = None) -> Usuals:
    """Return what so many days of a shape make usual."""
    return Usuals(a_history(days, shape), calendar or Calendar())


def at(day: int, hour: float) -> datetime:
    """Return an instant so many days after the first Monday."""
    return datetime.combine(MONDAY, datetime.min.time(), UTC) + timedelta(days=day, hours=hour)


def local_days(values: np.ndarray, start: datetime, zone: str) -> Days:
    """Return contacts per 5 minutes from `start` on as days of a zone."""
    return by_local_day(Series(start, STEP_SECONDS, values), Calendar(zone))
