"""Schedules: how many agents are to be there, interval by interval.

A schedule covers whole local days. On a day that is covered somebody is scheduled exactly when an interval says so:
before its first interval and after its last one nobody is. A gap between two intervals of a day must be stated (as an
interval with 0 agents, by opening hours, or by saying that gaps are closed); a gap that was only forgotten would
otherwise look like a lunch break, or like a full floor.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from app.core.forecast.series import FloatArray
from app.core.gate.windows import constant_offsets, zone
from app.core.problem import Problem
from app.core.staffing.refused import StaffingRefused

MOST_AGENTS = 100_000.0
MOST_INTERVALS = 50_000
MOST_DAYS = 400
MOST_PROBLEMS = 100
LONGEST = timedelta(hours=24)
FIRST_YEAR, LAST_YEAR = 1990, 2199
MINUTE_SECONDS, DAY_SECONDS = 60, 86_400
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


class Interval(NamedTuple):
    """So many agents from starts_at until before ends_at: aware UTC, on whole minutes. agents may be fractional."""

    starts_at: datetime
    ends_at: datetime
    agents: float


class Placed(NamedTuple):
    """An interval as given, with its place in the input: a JSON pointer, and what to call it in a sentence."""

    interval: Interval
    pointer: str
    name: str


class Span(NamedTuple):
    """A stretch of time: start included, end not; aware UTC."""

    start: datetime
    end: datetime


class DayTotal(NamedTuple):
    """What is scheduled on a day: how many intervals with anybody in them, agent-hours, and the most at once."""

    intervals: int
    agent_hours: float
    most_agents: float


@dataclass(frozen=True, slots=True)
class DaySchedule:
    """All intervals of one local day, from midnight to midnight without a gap; between those given nobody is there."""

    day: date
    span: Span
    intervals: tuple[Interval, ...]


IsClosed = Callable[[Span], bool]


@lru_cache(maxsize=4096)
def day_span(day: date, time_zone: str) -> Span:
    """Return a local day as a span: 23 or 25 hours long where daylight saving begins or ends."""
    local = zone(time_zone)
    start, end = (datetime.combine(each, time(), local).astimezone(UTC) for each in (day, day + _DAY))
    return Span(start, end)


class Piece(NamedTuple):
    """A part of a span that began some weeks earlier: the minutes [first, last) of the span, and when they began."""

    first: int
    last: int
    start: datetime


def weeks_before(start: datetime, minutes: int, time_zone: str, weeks: int = 1) -> list[Piece]:
    """Return what a span was so many weeks earlier by the wall clock: a piece for each UTC offset in it."""
    local, end = zone(time_zone), start + timedelta(minutes=minutes)
    pieces = []
    for begins, ends, offset in constant_offsets(local, start, end):
        wall = (begins + offset).replace(tzinfo=local) - timedelta(weeks=weeks)
        first, last = (-((start - at) // _MINUTE) for at in (begins, ends))
        pieces.append(Piece(first, last, wall.astimezone(UTC)))
    return pieces


def schedule_days(
    given: Sequence[Placed], time_zone: str, *, is_closed: IsClosed = lambda _: False
) -> tuple[DaySchedule, ...]:
    """Return the local days that intervals cover, each whole, in order; an interval over midnight belongs to both.

    is_closed: whether nobody need be there in a gap inside a day. Raises StaffingRefused, with a problem for every
    fault: nothing given, too much, a bad number or instant, an overlap, a gap that nobody stated.
    """
    problems = [_problem(each, fault) for each in given for fault in _faults(each.interval)]
    if not given:
        problems.append(Problem("", "there is no interval; send at least one"))
    if len(given) > MOST_INTERVALS:
        problems.append(Problem("", f"{len(given):,} intervals are more than {MOST_INTERVALS:,}; send fewer days"))
    if problems:
        raise StaffingRefused(problems[:MOST_PROBLEMS])
    ordered = sorted(given, key=lambda each: each.interval.starts_at)
    problems = list(_overlaps(ordered))
    days = _by_day(ordered, time_zone)
    if len(days) > MOST_DAYS:
        problems.append(Problem("", f"{len(days):,} days are more than {MOST_DAYS}; send fewer"))
    problems = problems or list(_gaps(days, time_zone, is_closed))
    if problems:
        raise StaffingRefused(problems[:MOST_PROBLEMS])
    return tuple(
        DaySchedule(day, span, tuple(_whole(span, [each.interval for each in placed])))
        for day, placed in days.items()
        for span in [day_span(day, time_zone)]
    )


def outside(intervals: Iterable[Interval], spans: Sequence[Span]) -> list[Interval]:
    """Return what is left of intervals outside of spans; one that reaches into a span is cut there."""
    left = list(intervals)
    for span in spans:
        left = [piece for each in left for piece in _less(each, span)]
    return left


def inside(intervals: Iterable[Interval], span: Span) -> list[Interval]:
    """Return the parts of intervals that lie inside a span."""
    cut = (Interval(max(each.starts_at, span.start), min(each.ends_at, span.end), each.agents) for each in intervals)
    return [each for each in cut if each.starts_at < each.ends_at]


def day_total(intervals: Iterable[Interval]) -> DayTotal | None:
    """Return what intervals of a day come to; None for a day that is not covered."""
    found = list(intervals)
    if not found:
        return None
    hours = math.fsum(each.agents * (each.ends_at - each.starts_at).total_seconds() / 3600 for each in found)
    return DayTotal(sum(each.agents > 0 for each in found), round(hours, 6), max(each.agents for each in found))


def agents_by_minute(intervals: Sequence[Interval], start: datetime, minutes: int) -> FloatArray:
    """Return the scheduled agents in each of so many minutes from `start` on; NaN where no interval covers it.

    intervals are in order and do not overlap. A minute that straddles a change, because `start` is not on a whole
    minute, has the lower of both sides.
    """
    whole = start.replace(second=0, microsecond=0)
    straddles = whole != start
    grid = np.full(minutes + straddles, np.nan)
    end = whole + timedelta(minutes=len(grid))
    for each in intervals[bisect_right(intervals, whole, key=_ends) : bisect_left(intervals, end, key=_starts)]:
        grid[max(0, _minutes(each.starts_at - whole)) : _minutes(each.ends_at - whole)] = each.agents
    return np.minimum(grid[:-1], grid[1:]) if straddles else grid


def _starts(interval: Interval) -> datetime:
    return interval.starts_at


def _ends(interval: Interval) -> datetime:
    return interval.ends_at


def _minutes(span: timedelta) -> int:
    return (span.days * DAY_SECONDS + span.seconds) // MINUTE_SECONDS


def _problem(placed: Placed, fault: str) -> Problem:
    return Problem(placed.pointer, f"{placed.name}: {fault}")


def _faults(interval: Interval) -> Iterator[str]:
    if fault := agents_fault(interval.agents):
        yield fault
    for at in (interval.starts_at, interval.ends_at):
        if at.second or at.microsecond or not FIRST_YEAR <= at.year <= LAST_YEAR:
            yield f"{at.isoformat()} must be a whole minute in the years {FIRST_YEAR} to {LAST_YEAR}"
    if interval.ends_at == interval.starts_at:
        yield f"it begins and ends at {interval.starts_at.isoformat()}; an interval has some length"
    elif interval.ends_at < interval.starts_at:
        yield f"it ends at {interval.ends_at.isoformat()}, before it begins at {interval.starts_at.isoformat()}"
    elif interval.ends_at - interval.starts_at > LONGEST:
        yield f"it lasts {interval.ends_at - interval.starts_at}; an interval lasts at most 24 hours"


def agents_fault(agents: float) -> str | None:
    """Return what is wrong with a number of agents, None when it is sound."""
    if math.isfinite(agents) and 0 <= agents <= MOST_AGENTS:
        return None
    return f"{agents:g} agents: a number from 0 to {MOST_AGENTS:,.0f} is allowed"


def _overlaps(ordered: Sequence[Placed]) -> Iterator[Problem]:
    longest = ordered[0]
    for each in ordered[1:]:
        if each.interval.starts_at < longest.interval.ends_at:
            others = f"{longest.name} ({_clock(longest.interval)})"
            yield _problem(each, f"{_clock(each.interval)} overlaps {others}; give each time once")
        if each.interval.ends_at > longest.interval.ends_at:
            longest = each


def _clock(interval: Interval) -> str:
    return f"{interval.starts_at:%Y-%m-%d %H:%M} to {interval.ends_at:%H:%M} UTC"


def _by_day(ordered: Sequence[Placed], time_zone: str) -> dict[date, list[Placed]]:
    """Return intervals by local day, cut at midnight."""
    days: dict[date, list[Placed]] = {}
    local = zone(time_zone)
    for each in ordered:
        day = each.interval.starts_at.astimezone(local).date()
        while (span := day_span(day, time_zone)).start < each.interval.ends_at:
            if pieces := inside([each.interval], span):
                days.setdefault(day, []).append(each._replace(interval=pieces[0]))
            day += _DAY
    return dict(sorted(days.items()))


def _gaps(days: dict[date, list[Placed]], time_zone: str, is_closed: IsClosed) -> Iterator[Problem]:
    local = zone(time_zone)
    for placed in days.values():
        for former, each in pairwise(placed):
            gap = Span(former.interval.ends_at, each.interval.starts_at)
            if gap.start < gap.end and not is_closed(gap):
                start, end = (at.astimezone(local) for at in gap)
                said = f"nothing says who is there on {start:%Y-%m-%d} from {start:%H:%M} to {end:%H:%M} ({time_zone})"
                yield _problem(each, f"{said}; give it with its agents, 0 for nobody, or say that gaps are closed")


def _whole(span: Span, intervals: Sequence[Interval]) -> Iterator[Interval]:
    """Yield intervals with the time between them, and to both ends of the span, filled by nobody."""
    at = span.start
    for each in intervals:
        if at < each.starts_at:
            yield Interval(at, each.starts_at, 0.0)
        yield each
        at = each.ends_at
    if at < span.end:
        yield Interval(at, span.end, 0.0)


def _less(interval: Interval, span: Span) -> Iterator[Interval]:
    if interval.ends_at <= span.start or interval.starts_at >= span.end:
        yield interval
        return
    if interval.starts_at < span.start:
        yield interval._replace(ends_at=span.start)
    if interval.ends_at > span.end:
        yield interval._replace(starts_at=span.end)
