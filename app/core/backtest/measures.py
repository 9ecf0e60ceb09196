"""What a course of verdicts amounts to: how much was open, how often and how long it held, and whether it was right."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from app.core.backtest.history import MINUTE_SECONDS
from app.core.backtest.signals import Codes
from app.core.backtest.verdicts import CLOSED, HELD, OPEN, UNKNOWN
from app.core.forecast.series import BoolArray, IntArray
from app.core.gate.windows import constant_offsets, zone

FOLLOWED_WITHIN_MINUTES = 60
WEEK_HOURS = 7 * 24
_MONDAY = 3  # 1970 began on a Thursday, three days after one


@dataclass(frozen=True, slots=True)
class Measures:
    """A policy's course in numbers. Ratios are of the minutes within the send windows, None without any.

    A hold is an unbroken stretch in which a rule held within the send windows. precision_ratio: the holds that were
    followed by a breach within 60 minutes, or began in one, of all; None without a hold. breaches: those that began
    within the send windows; missed: of these, those before whose first minute the gate was open.
    flips_per_day: changes between open and held, per day of the policy's zone with any minute known; None without one.
    """

    open_ratio: float | None
    held_ratio: float | None
    unknown_ratio: float | None
    holds: int
    median_hold_seconds: float | None
    longest_hold_seconds: float | None
    flips_per_day: float | None
    precision_ratio: float | None
    breaches: int
    missed: int


@dataclass(frozen=True, slots=True)
class WeekHour:
    """How one hour of the week went: weekday 0 is Monday; ratios of its minutes within the send windows, or None."""

    weekday: int
    hour: int
    minutes: int
    open_ratio: float | None
    held_ratio: float | None
    unknown_ratio: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Where each look lies in a zone's calendar: the hour of its week, 0..167 from Monday, and its day."""

    week_hours: IntArray
    days: IntArray


def calendar(time_zone: str, first: datetime, count: int) -> Calendar:
    """Return the local hours and days of `count` looks, one a minute from `first` on; DST is followed."""
    begins = int(first.timestamp()) // MINUTE_SECONDS
    local = np.arange(begins, begins + count)
    end = datetime.fromtimestamp((begins + count) * MINUTE_SECONDS, first.tzinfo)
    for start, until, offset in constant_offsets(zone(time_zone), first, end):
        piece = slice(*(int(at.timestamp()) // MINUTE_SECONDS - begins for at in (start, until)))
        local[piece] += int(offset.total_seconds()) // MINUTE_SECONDS
    return Calendar((local // 60 + _MONDAY * 24) % WEEK_HOURS, local // (24 * 60))


def measured(verdicts: Codes, breached: BoolArray, days: IntArray) -> Measures:
    """Return the measures of a course of verdicts. breached: at which looks a breach was going on."""
    counts = np.bincount(verdicts, minlength=4)
    minutes = int(counts[[OPEN, HELD, UNKNOWN]].sum())
    starts, ends = stretches(verdicts == HELD)
    lengths = (ends - starts) * MINUTE_SECONDS
    onsets = stretches(breached)[0]
    before = verdicts[np.maximum(onsets - 1, 0)]
    return Measures(
        open_ratio=_share(counts[OPEN], minutes),
        held_ratio=_share(counts[HELD], minutes),
        unknown_ratio=_share(counts[UNKNOWN], minutes),
        holds=len(starts),
        median_hold_seconds=float(np.median(lengths)) if len(lengths) else None,
        longest_hold_seconds=float(lengths.max()) if len(lengths) else None,
        flips_per_day=flips_per_day(verdicts, days),
        precision_ratio=_share(np.count_nonzero(_followed(starts, breached)), len(starts)),
        breaches=int(np.count_nonzero(before != CLOSED)),
        missed=int(np.count_nonzero(before == OPEN)),
    )


def flips_per_day(verdicts: Codes, days: IntArray) -> float | None:
    """Return the changes between open and held per day with any minute known, None without such a day."""
    known = np.flatnonzero(verdicts <= HELD)
    if not len(known):
        return None
    flips = int(np.count_nonzero(np.diff(verdicts[known])))
    return flips / (1 + int(np.count_nonzero(np.diff(days[known]))))


def by_week_hour(verdicts: Codes, week_hours: IntArray) -> tuple[WeekHour, ...]:
    """Return all 168 hours of the week, Monday's first."""
    counts = np.bincount(week_hours * 4 + verdicts, minlength=WEEK_HOURS * 4).reshape(WEEK_HOURS, 4)
    return tuple(_week_hour(place, *map(int, row)) for place, row in enumerate(counts))


def stretches(true: BoolArray) -> tuple[IntArray, IntArray]:
    """Return where each stretch of True begins and ends (exclusive)."""
    changes = np.diff(true.view(np.int8), prepend=np.int8(0), append=np.int8(0))
    return np.flatnonzero(changes > 0), np.flatnonzero(changes < 0)


def _week_hour(place: int, opened: int, held: int, unknown: int, _: int) -> WeekHour:
    minutes = opened + held + unknown
    ratios = (_share(count, minutes) for count in (opened, held, unknown))
    return WeekHour(place // 24, place % 24, minutes, *ratios)


def _followed(starts: IntArray, breached: BoolArray) -> BoolArray:
    """Return which starts have a breach within the next 60 minutes, or at once."""
    seen = np.concatenate(([0], np.cumsum(breached)))
    until = np.minimum(starts + FOLLOWED_WITHIN_MINUTES + 1, len(breached))
    return seen[until] > seen[starts]


def _share(part: int | np.integer, whole: int) -> float | None:
    return float(part) / whole if whole else None
