"""How many contacts a day usually brings: what the forecast starts from before the day itself speaks.

usual(t) = level x weekday profile(t) x recent course(t), from the days before it alone:

* The weekday profile is the median, time by time, of the last 8 same weekdays, smoothed by a moving mean of what
  begins within 18 minutes: 7 slots of 5 minutes.
  Days with less than half of what is typical (holidays nobody told of, outages) are left out.
* The level is the mean, over the last 5 open days, of a day's total over the total of that day's own profile.
* The recent course bends the profile towards what these 5 days had within an hour of that time, each brought to its
  own level first: (2 c + what came) / (2 c + profile), where c is the mean of what the profile has there. It so takes
  a third of what they differ by.

With less than 14 days of history, and at times that no same weekday knows, the mean of the last 4 weeks' same weekdays,
else of all their days, smoothed over an hour, stands in; with less than 3 days nothing is usual. A weekday without any
contact is taken for what it seems only where other days of the last 4 weeks had some. Method: robust profiles with a
level, as practitioners use them; the median, 5 days and a third were chosen on weeks before those that the accuracy is
measured on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

import numpy as np

from app.core.forecast.calendar import Calendar
from app.core.forecast.days import Days
from app.core.forecast.profiles import is_ordinary, mean, near, opened, share, smoothed, typical, without_odd_days
from app.core.forecast.series import BoolArray, FloatArray

SAME_WEEKDAYS = 8
RECENT_DAYS = 5
YOUNG_DAYS = 14
FEWEST_DAYS = 3
_SMOOTHED_SECONDS = 18 * 60  # to either side
_COURSE_PRIOR = 2.0
_LOOK_BACK_DAYS = 28  # for the last open days
_HOUR_SECONDS = 3600


class Method(StrEnum):
    """What a forecast of arrivals is made from; see the head of this module, and of app.core.forecast.arrivals."""

    WEEKDAY_MEDIAN = "weekday_median"
    HOUR_OF_WEEK = "hour_of_week"
    FLAT = "flat"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """What a day usually brings. contacts: per slot, 0 where closed, NaN where history cannot tell or has no contact.

    days: how many days the profile is made of. level: of the last open days; 1 where there are none.
    """

    method: Method
    contacts: FloatArray
    days: int = 0
    level: float = 1.0


@dataclass(frozen=True, slots=True)
class Computed:
    """What was computed already, by the ordinals of the day it is of and of the day before which all was known."""

    usuals: dict[tuple[int, int], Usual] = field(default_factory=dict)
    profiles: dict[tuple[int, int], tuple[FloatArray, int]] = field(default_factory=dict)


class Usuals:
    """What each day usually brings. Computed when first asked for and then kept; the history itself never changes.

    like: the same of a history that differs only in the days from today on; what it has computed is taken over.
    """

    def __init__(self, history: Days, calendar: Calendar, like: "Usuals | None" = None) -> None:
        self.history, self.calendar = history, calendar
        self.computed: Computed = Computed() if like is None else like.computed
        first = history.first_day.toordinal()
        days = range(first, first + len(history.contacts))
        self._rows = {day: np.where(self.open_slots(day), history.row(day), np.nan) for day in days}
        self._nothing = np.full(history.slots, np.nan)
        self._known_days = [day for day, row in self._rows.items() if not np.isnan(row).all()]

    def of(self, day: int, today: int) -> Usual:
        """Return what a day usually brings, from the days before it and before today; both are ordinals."""
        key = day, min(day, today)
        if key not in self.computed.usuals:
            self.computed.usuals[key] = self._make(*key)
        return self.computed.usuals[key]

    def row(self, day: int) -> FloatArray:
        """Return what came in on a day, shape (slots,): NaN where it is not known or the queue was closed."""
        return self._rows.get(day, self._nothing)

    def open_slots(self, day: int) -> BoolArray:
        """Return for each slot of a day whether the queue is open."""
        return self.calendar.open_slots(date.fromordinal(day), self.history.slots)

    def days_before(self, day: int) -> int:
        """Return how many days before this one have anything known."""
        return int(np.searchsorted(self._known_days, day))

    def _make(self, day: int, before: int) -> Usual:
        is_open = self.open_slots(day)
        if not is_open.any():
            return Usual(Method.CLOSED, np.zeros(self.history.slots))
        if self.days_before(before) < FEWEST_DAYS:
            return Usual(Method.FLAT, opened(self._nothing, is_open), self.days_before(before))
        usual = self._learned(day, before)
        if np.nansum(usual.contacts[is_open]) > 0 or self._had_contacts(before):
            return replace(usual, contacts=opened(usual.contacts, is_open))
        return Usual(Method.UNKNOWN, opened(self._nothing, is_open), usual.days)

    def _learned(self, day: int, before: int) -> Usual:
        profile, days = self._profile(day, before)
        if not days or before - self._known_days[0] < YOUNG_DAYS:
            return self._hour_of_week(day, before)
        level, course = self._recent(before)
        other_days = self._hour_of_week(day, before).contacts
        contacts = np.where(np.isnan(profile), other_days, level * course * profile)
        return Usual(Method.WEEKDAY_MEDIAN, contacts, days, level)

    def _had_contacts(self, before: int) -> bool:
        return any(np.nansum(self.row(day)) > 0 for day in range(before - _LOOK_BACK_DAYS, before))

    def _profile(self, day: int, before: int) -> tuple[FloatArray, int]:
        """Return the weekday profile of a day and how many days it is made of."""
        if (day, before) not in self.computed.profiles:
            same = [ordinal for ordinal in self._known_days if ordinal < before and not (day - ordinal) % 7]
            rows = without_odd_days([self.row(ordinal) for ordinal in same[-SAME_WEEKDAYS:]])
            profile = typical(np.array(rows)) if rows else self._nothing
            slots = 2 * (_SMOOTHED_SECONDS // self.history.slot_seconds) + 1
            self.computed.profiles[day, before] = smoothed(profile, slots), len(rows)
        return self.computed.profiles[day, before]

    def _recent(self, before: int) -> tuple[float, FloatArray]:
        """Return level and course of the last open days; 1 and ones where there are none."""
        recent = [pair for _, pair in zip(range(RECENT_DAYS), self._ordinary_days(before), strict=False)]
        if not recent:
            return 1.0, np.ones(self.history.slots)
        levels = [share(row, profile) for row, profile in recent]
        came, expected = np.zeros(self.history.slots), np.zeros(self.history.slots)
        for (row, profile), level in zip(recent, levels, strict=True):
            both = ~np.isnan(row) & ~np.isnan(profile)
            came += np.where(both, row, 0.0) / level
            expected += np.where(both, profile, 0.0)
        around = 2 * (_HOUR_SECONDS // self.history.slot_seconds) + 1
        came, expected = near(came, around), near(expected, around)
        prior = _COURSE_PRIOR * expected[expected > 0].mean()
        return float(np.mean(levels)), (prior + came) / (prior + expected)

    def _ordinary_days(self, before: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield the days before, newest first, that were neither closed nor odd, each with its own profile."""
        for ordinal in reversed(self._known_days[: self.days_before(before)]):
            if ordinal < before - _LOOK_BACK_DAYS:
                return
            row, (profile, days) = self.row(ordinal), self._profile(ordinal, ordinal)
            if days and is_ordinary(row, profile):
                yield row, profile

    def _hour_of_week(self, day: int, before: int) -> Usual:
        """Return the mean of the same weekday where there is one, else of all days of the last four weeks."""
        days = [each for each in self._known_days if before - _LOOK_BACK_DAYS <= each < before]
        same = [each for each in days if not (day - each) % 7]
        alike, any_day = (self._hourly_mean(each) for each in (same, days))
        return Usual(Method.HOUR_OF_WEEK, np.where(np.isnan(alike), any_day, alike), len(same or days))

    def _hourly_mean(self, days: list[int]) -> FloatArray:
        """Return the mean of these days without odd ones, smoothed over an hour."""
        rows = without_odd_days([self.row(day) for day in days])
        hour = _HOUR_SECONDS // self.history.slot_seconds
        return smoothed(mean(np.array(rows)), hour + 1 - hour % 2) if rows else self._nothing
