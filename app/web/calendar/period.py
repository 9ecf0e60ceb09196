"""The stretch of days a calendar shows: a week by ISO 8601, Monday first, or all weeks that a month touches. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from app.core.forecast.local_hours import local_hours

View = Literal["week", "month"]
EARLIEST, LATEST = date(1971, 1, 1), date(9989, 1, 1)
WEEK_DAYS = 7
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole weeks of a zone. day: the one that was asked for; first: a Monday; days: a multiple of seven."""

    view: View
    day: date
    first: date
    days: int
    zone: ZoneInfo

    @property
    def edges(self) -> tuple[datetime, ...]:
        """When each of its hours begins, and when the last one ends; in UTC."""
        return local_hours(self.first, self.days, self.zone)

    @property
    def dates(self) -> tuple[date, ...]:
        """Its days."""
        return tuple(self.first + number * _DAY for number in range(self.days))

    @property
    def weeks(self) -> tuple[tuple[date, ...], ...]:
        """Its days by weeks."""
        dates = self.dates
        return tuple(dates[at : at + WEEK_DAYS] for at in range(0, self.days, WEEK_DAYS))

    @property
    def earlier(self) -> date:
        """A day of the period before."""
        return self.first - _DAY if self.view == "week" else self.day.replace(day=1) - _DAY

    @property
    def later(self) -> date:
        """A day of the period after."""
        if self.view == "week":
            return self.first + WEEK_DAYS * _DAY
        return (self.day.replace(day=1) + 31 * _DAY).replace(day=1)

    @property
    def title(self) -> str:
        """What it is called: `Week 48, 23 to 29 November 2026`, `November 2026`."""
        if self.view == "month":
            return f"{self.day:%B %Y}"
        last = self.dates[-1]
        begins = f"{self.first.day}"
        if self.first.month != last.month:
            begins += f" {self.first:%B}"
        if self.first.year != last.year:
            begins += f" {self.first.year}"
        return f"Week {self.first.isocalendar().week}, {begins} to {last.day} {last:%B %Y}"

    def is_aside(self, day: date) -> bool:
        """Return whether a day only fills up a week of the month that is shown."""
        return self.view == "month" and (day.year, day.month) != (self.day.year, self.day.month)


def period_of(view: View, day: date, zone: ZoneInfo) -> Period:
    """Return the week or the month that a day lies in; days too far away for any calendar are brought near."""
    day = min(max(day, EARLIEST), LATEST)
    if view == "week":
        return Period(view, day, day - day.weekday() * _DAY, WEEK_DAYS, zone)
    begins = day.replace(day=1)
    ends = (begins + 31 * _DAY).replace(day=1) - _DAY
    first = begins - begins.weekday() * _DAY
    days = (ends - first).days + 1
    return Period(view, day, first, days + -days % WEEK_DAYS, zone)


def hours_by_day(period: Period, edges: tuple[datetime, ...]) -> dict[date, list[int]]:
    """Return for each day which of the hours between the edges are its own, in their order."""
    found: dict[date, list[int]] = {day: [] for day in period.dates}
    for number, (begins, _) in enumerate(pairwise(edges)):
        found[begins.astimezone(period.zone).date()].append(number)
    return found
