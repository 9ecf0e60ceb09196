"""Rolling-origin accuracy of the arrivals forecast on any file of counts.

    python -m tests.support.forecast_check FILE.csv

FILE.csv has the columns interval_start (local time) and calls, in equal steps. On each of its last working days (those
with at least half of the median day's calls), every 30 minutes from 08:00 to 19:00, the product forecasts the next
4 hours from what was known then. One row per band of distance is printed: the summed absolute errors of 30-minute
counts over the summed counts (WAPE), that of the same weekday a week before, and the most allowed. Files of the two
shapes whose accuracy is published have fixed limits; on any other the forecast must beat the week before.
"""

import csv
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from app.core.forecast.arrivals import forecast
from app.core.forecast.calendar import Calendar
from app.core.forecast.days import Days, by_local_day
from app.core.forecast.series import FloatArray, Series
from app.core.forecast.usual import Usuals

BANDS = ((0, 60), (60, 120), (120, 240))
WINDOW_MINUTES, AHEAD_MINUTES = 30, 240
WINDOWS = AHEAD_MINUTES // WINDOW_MINUTES
ORIGINS = range(8 * 60, 19 * 60 + 1, 30)
TESTED_SHARE = 0.15  # of the days of a file of another shape


@dataclass(frozen=True, slots=True)
class Kind:
    """Files of one shape: step and number of days with calls; how many days are tested; the most WAPE per band."""

    name: str
    step_minutes: int
    days: int
    tested_days: int
    most: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One band: minutes ahead, from and to, WAPE of the forecast and of the week before, and the most allowed."""

    band: tuple[int, int]
    wape: float
    naive: float
    most: float

    @property
    def is_outside(self) -> bool:
        """Whether the forecast is worse than allowed, or is none."""
        return not self.wape <= self.most


@dataclass(frozen=True, slots=True)
class Check:
    """What a file gave: its kind (None: another shape), how many forecasts were made, a row for each band."""

    kind: Kind | None
    forecasts: int
    rows: tuple[Row, ...]


KINDS = (
    Kind("a large bank's year in 5 minutes", 5, 164, 20, (0.036, 0.041, 0.046)),
    Kind("a small bank's year in 6 minutes", 6, 365, 40, (0.137, 0.149, 0.162)),
)


def load(path: Path) -> Days:
    """Return a file's counts by day; steps that it lacks are not known. Raises ValueError for what is no such file."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = {"interval_start", "calls"} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path} has no column {', '.join(sorted(missing))}")
        counts = {
            datetime.fromisoformat(row["interval_start"] or "").replace(tzinfo=None): _count(row) for row in reader
        }
    at = sorted(counts)
    if len(at) < 2:
        raise ValueError(f"{path} has {len(at)} rows; two at least make a step")
    step = min(later - earlier for earlier, later in pairwise(at))
    if timedelta(minutes=WINDOW_MINUTES) % step:
        raise ValueError(f"{path} has steps of {step}, which do not divide {WINDOW_MINUTES} minutes")
    values = np.full((at[-1] - at[0]) // step + 1, np.nan)
    for instant, calls in counts.items():
        values[(instant - at[0]) // step] = calls
    return by_local_day(Series(at[0].replace(tzinfo=UTC), step.total_seconds(), values), Calendar())


def _count(row: Mapping[str, str | None]) -> float:
    """Return how many calls came, NaN where the field is empty. Raises ValueError for what is no count."""
    calls = float(row["calls"] or "nan")
    if calls < 0 or math.isinf(calls):
        raise ValueError(f"{calls:g} calls at {row['interval_start']}; must be a number, 0 or more")
    return calls


def check(days: Days) -> Check:
    """Return how accurate the product's forecasts are on these days, and how accurate they have to be.

    Raises ValueError where nobody ever called.
    """
    totals = np.nansum(days.contacts, axis=1)
    if not totals.any():
        raise ValueError("there are no calls in it")
    kind = next((each for each in KINDS if _is_of(each, days, int((totals > 0).sum()))), None)
    working = np.flatnonzero(totals >= 0.5 * np.median(totals[totals > 0]))
    tested = working[-(kind.tested_days if kind else max(1, round(TESTED_SHARE * len(working)))) :]
    usuals = Usuals(days, Calendar())
    pairs = [pair for place in tested for pair in _of_day(usuals, int(place))]
    ours = _wapes([(made, came) for made, _, came in pairs])
    naive = _wapes([(before, np.where(np.isnan(before), np.nan, came)) for _, before, came in pairs])
    most = kind.most if kind else naive
    return Check(kind, len(pairs), tuple(map(Row, BANDS, ours, naive, most)))


def main(arguments: Sequence[str]) -> int:
    """Print what a file gives; return 0 when every row is inside its limit."""
    if len(arguments) != 1:
        _say(__doc__ or "")
        return 2
    try:
        found = check(load(Path(arguments[0])))
    except (OSError, ValueError) as fault:
        _say(f"{arguments[0]} cannot be checked: {fault}")
        return 2
    shape = found.kind.name if found.kind else "another shape: must beat the week before"
    _say(f"{shape}; {found.forecasts} forecasts")
    for row in found.rows:
        limits = f"at most {row.most:7.2%}  week before {row.naive:7.2%}"
        mark = "  OUTSIDE" if row.is_outside else ""
        _say(f"{row.band[0]:>4}-{row.band[1]:<4} min  WAPE {row.wape:7.2%}  {limits}{mark}")
    outside = sum(row.is_outside for row in found.rows)
    _say(f"{len(found.rows)} rows, {outside} outside")
    return 1 if outside else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _is_of(kind: Kind, days: Days, with_calls: int) -> bool:
    return days.slot_seconds == kind.step_minutes * 60 and with_calls == kind.days


def _of_day(usuals: Usuals, place: int) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Yield for each origin of a day: forecast, week before and truth, in contacts per window; NaN past the day."""
    days = usuals.history
    midnight = datetime.combine(days.first_day, datetime.min.time(), UTC) + timedelta(days=place)
    came, before = (
        _windows(days.contacts[place], days.slot_seconds),
        _windows(_week_before(days, place), days.slot_seconds),
    )
    for minute in ORIGINS:
        made = forecast(usuals, midnight + timedelta(minutes=minute), AHEAD_MINUTES)
        first = minute // WINDOW_MINUTES
        truth, naive = came[first : first + WINDOWS], before[first : first + WINDOWS]
        yield _windows(made.expected.values, days.slot_seconds)[: len(truth)], naive, truth


def _week_before(days: Days, place: int) -> FloatArray:
    same = [days.contacts[each] for each in range(place - 7, -1, -7)]
    return next((row for row in same if not np.isnan(row).all()), np.full(days.slots, np.nan))


def _windows(values: FloatArray, slot_seconds: int) -> FloatArray:
    sums: FloatArray = values.reshape(-1, WINDOW_MINUTES * 60 // slot_seconds).sum(axis=1)
    return sums


def _wapes(pairs: Sequence[tuple[FloatArray, FloatArray]]) -> tuple[float, ...]:
    """Return per band the summed absolute errors over the summed truth that is known; NaN when any such forecast is."""
    errors, came = np.zeros(len(BANDS)), np.zeros(len(BANDS))
    for guessed, truth in pairs:
        for band, (start, end) in enumerate(BANDS):
            windows = slice(start // WINDOW_MINUTES, end // WINDOW_MINUTES)
            known = ~np.isnan(truth[windows])
            errors[band] += np.abs(guessed[windows] - truth[windows])[known].sum()
            came[band] += truth[windows][known].sum()
    return tuple(np.divide(errors, came, out=np.full(len(BANDS), np.nan), where=came > 0).tolist())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
