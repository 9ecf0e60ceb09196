"""Opening hours: when customers are let in, by weekday in a time zone, with closed days and days of their own hours.

A queue is open whenever a wall clock in its time zone shows a time in [opens, closes) of that date's hours. That
settles both odd hours of a year: one that daylight saving skips never comes, one that comes twice counts twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from app.core.forecast.series import BoolArray, IntArray
from app.core.gate.windows import constant_offsets, zone

DAY_MINUTES = 1440
WEEK_DAYS = 7
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1)
_EPOCH_WEEKDAY = _EPOCH_DAY.weekday()
_MINUTE = timedelta(minutes=1)


class Open(NamedTuple):
    """A stretch of a day in minutes since its local midnight: 0 <= opens < closes <= 1440."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """A queue's hours. time_zone is an IANA name; weekly has the stretches of each weekday, Monday first.

    closed: dates on which it does not open. special: dates with hours of their own in place of the weekday's.
    """

    time_zone: str
    weekly: tuple[tuple[Open, ...], ...]
    closed: frozenset[date] = frozenset()
    special: tuple[tuple[date, tuple[Open, ...]], ...] = ()

    def on(self, day: date) -> tuple[Open, ...]:
        """Return the stretches in which the queue is open on a local date; () when it is closed all day."""
        if day in self.closed:
            return ()
        return dict(self.special).get(day, self.weekly[day.weekday()])


def open_minutes(hours: OpeningHours | None, start: datetime, minutes: int) -> BoolArray:
    """Return for each of so many minutes from `start` (aware) on whether the queue is open when it begins.

    hours None: always open, as far as anybody has said.
    """
    if hours is None:
        return np.ones(minutes, dtype=np.bool_)
    local = _local_minutes(hours.time_zone, start.astimezone(UTC), minutes)
    days, of_day = local // DAY_MINUTES, local % DAY_MINUTES
    found: BoolArray = _weekly(hours)[(days + _EPOCH_WEEKDAY) % WEEK_DAYS, of_day]
    for number, mask in _exceptions(hours).items():
        first, last = np.searchsorted(days, (number, number + 1)) if _sorted(days) else (0, minutes)
        chosen = np.flatnonzero(days[first:last] == number) + first
        found[chosen] = mask[of_day[chosen]]
    return found


def open_days(hours: OpeningHours | None, first: date, days: int) -> BoolArray:
    """Return for each of so many local dates from `first` on whether the queue opens on it at all."""
    if hours is None:
        return np.ones(days, dtype=np.bool_)
    return np.array([bool(hours.on(first + timedelta(days=number))) for number in range(days)], dtype=np.bool_)


def _local_minutes(time_zone: str, start: datetime, minutes: int) -> IntArray:
    """Return what a wall clock shows at the start of each minute, as minutes since 1970-01-01 00:00."""
    first = (start - _EPOCH) // _MINUTE
    found = np.arange(first, first + minutes, dtype=np.int64)
    end = start + minutes * _MINUTE
    for begins, ends, offset in constant_offsets(zone(time_zone), start, end):
        low, high = (-((start - at) // _MINUTE) for at in (begins, ends))
        found[low:high] += offset // _MINUTE
    return found


def _sorted(days: IntArray) -> bool:
    """Tell whether local dates never go back; they do only where a zone's clocks go back over midnight."""
    return bool(np.all(days[1:] >= days[:-1]))


@lru_cache(maxsize=256)
def _weekly(hours: OpeningHours) -> BoolArray:
    return np.array([_mask(each) for each in hours.weekly])


@lru_cache(maxsize=256)
def _exceptions(hours: OpeningHours) -> Mapping[int, BoolArray]:
    """Return the minutes of each date that differs from its weekday, by days since 1970."""
    dates = {day: hours.on(day) for day in (*hours.closed, *dict(hours.special))}
    return {(day - _EPOCH_DAY).days: _mask(each) for day, each in dates.items()}


def _mask(stretches: tuple[Open, ...]) -> BoolArray:
    mask = np.zeros(DAY_MINUTES, dtype=np.bool_)
    for each in stretches:
        mask[each.opens : each.closes] = True
    return mask
