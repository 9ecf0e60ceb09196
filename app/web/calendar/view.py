"""A calendar as its page shows it: a table of hours or of weeks, and the same day by day as a list. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import urlencode

from app.core.forecast.local_hours import HOURS
from app.core.forecast.workload import Fit
from app.web.calendar.entries import Entry
from app.web.calendar.loads import Hour, Stretch, stretches
from app.web.calendar.period import WEEK_DAYS, Period, View, hours_by_day
from app.web.format import count, iso


class Place(NamedTuple):
    """What the page's address says beside the day: the view, the one gate that is shown, None: all, and the zone."""

    view: View
    gate: str | None
    zone: str = ""

    def at(self, day: date, view: View | None = None) -> str:
        """Return the address of the calendar around a day."""
        said = {"view": view or self.view, "day": day.isoformat(), "gate": self.gate, "zone": self.zone}
        return f"/calendar?{urlencode({name: value for name, value in said.items() if value})}"


class Name(NamedTuple):
    """A day's name, as heading and short, and where its week is shown."""

    day: date
    iso: str
    text: str
    short: str
    href: str
    is_today: bool
    is_aside: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """An hour of a day in the week's table: what begins in it, and what goes on. hour None: nothing is known of it.

    at: the wall clock's hour, as `2026-11-23T09`; twice: how the zone is called then, where the hour comes twice.
    """

    at: str
    iso: str
    twice: str
    hour: Hour | None
    entries: tuple[Entry, ...]
    going: tuple[Entry, ...]
    is_now: bool


@dataclass(frozen=True, slots=True)
class HourRow:
    """A row of the week's table; a cell has no slot where the clock skips the hour, two where it comes twice."""

    label: str
    cells: tuple[tuple[Slot, ...], ...]


@dataclass(frozen=True, slots=True)
class DayShown:
    """A day of the month's table and of the list. hours_over: how many of its hours are over capacity."""

    name: Name
    hours: tuple[Hour, ...]
    stretches: tuple[Stretch, ...]
    entries: tuple[Entry, ...]
    going: tuple[Entry, ...]
    hours_over: int
    hours_unknown: int

    @property
    def is_empty(self) -> bool:
        """Whether nobody need look at it. Days of which nothing but that is not known are in the summary."""
        return not (self.entries or self.going or any(each.state != "unknown" for each in self.stretches))


@dataclass(frozen=True, slots=True)
class WeekRow:
    """A row of the month's table."""

    number: int
    href: str
    days: tuple[DayShown, ...]


@dataclass(frozen=True, slots=True)
class CalendarPage:
    """The whole page. rows are of a week, weeks of a month; days are both, for the list."""

    title: str
    place: Place
    day: str
    names: tuple[Name, ...]
    rows: tuple[HourRow, ...]
    weeks: tuple[WeekRow, ...]
    days: tuple[DayShown, ...]
    earlier: str
    later: str
    today: str
    week: str
    month: str
    summary: str


class _Shown(NamedTuple):
    """What the page is made of: each day's hours (from, until, the clock's hour), what goes, what is known of them."""

    period: Period
    place: Place
    spans: Mapping[date, Sequence[tuple[datetime, datetime, int]]]
    entries: Sequence[Entry]
    known: Mapping[datetime, Hour]
    now: datetime


def calendar_page(
    period: Period, place: Place, entries: Sequence[Entry], hours: Sequence[Hour], now: datetime
) -> CalendarPage:
    """Return the page of a period's campaigns and hours; () hours: nothing is known of them, or not yet."""
    edges = period.edges
    pairs = list(pairwise(edges))
    clock = [begins.astimezone(period.zone).hour for begins, _ in pairs]
    spans = {day: [(*pairs[at], clock[at]) for at in own] for day, own in hours_by_day(period, edges).items()}
    known = dict(zip(edges[:-1], hours, strict=True)) if hours else {}
    shown = _Shown(period, place, spans, entries, known, now)
    days = tuple(_day(shown, day) for day in period.dates)
    is_week = period.view == "week"
    return CalendarPage(
        title=period.title,
        place=place,
        day=period.day.isoformat(),
        names=tuple(day.name for day in days[:WEEK_DAYS]),
        rows=tuple(_row(shown, hour) for hour in range(HOURS)) if is_week else (),
        weeks=()
        if is_week
        else tuple(_week(place, days[at : at + WEEK_DAYS]) for at in range(0, len(days), WEEK_DAYS)),
        days=days,
        earlier=place.at(period.earlier),
        later=place.at(period.later),
        today=place.at(now.astimezone(period.zone).date()),
        week=place.at(period.day, "week"),
        month=place.at(period.day, "month"),
        summary=_summary(entries, days, is_known=bool(hours)),
    )


def _summary(entries: Sequence[Entry], days: Sequence[DayShown], *, is_known: bool) -> str:
    over, unknown = sum(day.hours_over for day in days), sum(day.hours_unknown for day in days)
    told = [count(len(entries), "campaign") if entries else "No campaigns"]
    if is_known:
        told.append(f"{count(over, 'hour')} over capacity" if over else "no hour over capacity")
        told += [f"{count(unknown, 'hour')} of which it is not known"] if unknown else []
    objected = sum(any(each.state == "hold" for each in entry.warnings) for entry in entries)
    told += [f"{objected} with something missing that their gate asks for"] if objected else []
    return f"{', '.join(told)}."


# --- days -------------------------------------------------------------------------------------------------------------


def _day(shown: _Shown, day: date) -> DayShown:
    spans, period = shown.spans[day], shown.period
    skipped = datetime.combine(day, time(), period.zone)  # a zone may leave out a day, to change sides of the date line
    start, end = (spans[0][0], spans[-1][1]) if spans else (skipped, skipped)
    hours = tuple(shown.known[begins] for begins, *_ in spans if begins in shown.known)
    fits = [hour.fit for hour in hours]
    name = Name(
        day,
        iso(start),
        f"{day:%A} {day.day} {day:%B %Y}",
        f"{day:%a} {day.day} {day:%b}",
        shown.place.at(day, "week"),
        day == shown.now.astimezone(period.zone).date(),
        period.is_aside(day),
    )
    return DayShown(
        name,
        hours,
        stretches(hours, period.zone),
        _starting(shown.entries, start, end),
        _going(shown.entries, start),
        fits.count(Fit.OVER),
        fits.count(Fit.UNKNOWN),
    )


def _week(place: Place, days: tuple[DayShown, ...]) -> WeekRow:
    monday = days[0].name.day
    return WeekRow(monday.isocalendar().week, place.at(monday, "week"), days)


# --- hours ------------------------------------------------------------------------------------------------------------


def _row(shown: _Shown, hour: int) -> HourRow:
    """Return the row of an hour of the clock, with a cell for each day."""
    return HourRow(f"{hour:02}:00", tuple(_slots(shown, day, hour) for day in shown.period.dates))


def _slots(shown: _Shown, day: date, hour: int) -> tuple[Slot, ...]:
    spans = [span for span in shown.spans[day] if span[2] == hour]
    return tuple(
        Slot(
            at=f"{day}T{hour:02}",
            iso=iso(begins),
            twice=f"{begins.astimezone(shown.period.zone):%Z}" if len(spans) > 1 else "",
            hour=shown.known.get(begins),
            entries=_starting(shown.entries, begins, ends),
            going=_going(shown.entries, begins),
            is_now=begins <= shown.now < ends,
        )
        for begins, ends, _ in spans
    )


def _starting(entries: Iterable[Entry], begins: datetime, ends: datetime) -> tuple[Entry, ...]:
    return tuple(each for each in entries if begins <= each.span.start < ends)


def _going(entries: Iterable[Entry], at: datetime) -> tuple[Entry, ...]:
    """Return what began before and has not ended."""
    return tuple(each for each in entries if each.span.start < at < each.span.end)
