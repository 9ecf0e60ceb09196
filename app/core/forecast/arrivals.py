"""How many contacts will come in by themselves, step by step: what is usual, times how today has gone so far.

forecast(t) = R usual(t), R = (k + sum w Y) / (k + sum w usual) over the steps of the last 24 hours: Y came in, w halves
with every hour of age, k is half an hour of average contacts. That is the mean of a Gamma prior around 1, worth half an
hour, updated by Poisson counts that lose their weight as they age. From the next local midnight on R fades towards 1,
its distance halving every 2 hours.

With less than 3 days of history the mean rate of the last 24 hours, weighted alike, is taken as it is; so it is, where
it is more, for the rest of a day on which contacts come at a time that usually has none. Contacts that
campaigns brought must have been taken out of the history, or they would be expected again.
Source of the update: Gamma-Poisson conjugacy; of correcting a day's forecast within the day: Shen and Huang,
Manufacturing & Service Operations Management 10(3), 2008. Half-life and k were chosen on weeks before those that the
accuracy is measured on; the choice is flat.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar, assert_never

import numpy as np
from numpy.typing import NDArray

from app.core.forecast.errors import ErrorCv, assumed
from app.core.forecast.intraday import SoFar, prior_contacts, so_far
from app.core.forecast.series import FloatArray, IntArray, Series
from app.core.forecast.usual import FEWEST_DAYS, RECENT_DAYS, Method, Usual, Usuals

LONGEST_MINUTES = 7 * 24 * 60
ASSUMED_CV = {
    Method.WEEKDAY_MEDIAN: 0.10,
    Method.HOUR_OF_WEEK: 0.20,
    Method.FLAT: 0.30,
    Method.CLOSED: 0.0,
    Method.UNKNOWN: math.nan,
}
_YOUNG = f"less than {FEWEST_DAYS} days of history"
_FADES_HOURS = 2.0
_SILENT_HOURS = 1.0
_HOUR = timedelta(hours=1)
_PAST = timedelta(hours=24)
Number = TypeVar("Number", np.float64, np.bool_)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class ArrivalForecast:
    """The contacts to expect, campaigns aside.

    expected: contacts per step, the first step being the one that `now` is in; 0 where the queue is closed, NaN where
    nothing can be said. cv: for each step the coefficient of variation of a factor on the whole forecast, Poisson noise
    not included. ratio: how today has gone so far, over what is usual; 1 when nothing is known of today.
    basis: in words, what the forecast is made from, or why there is none.
    """

    expected: Series
    cv: FloatArray
    method: Method
    ratio: float
    basis: str

    @property
    def is_known(self) -> bool:
        """Whether every step has a value."""
        return not np.isnan(self.expected.values).any()

    @property
    def known_minutes(self) -> float:
        """For how many minutes from the first step's beginning on every step has a value."""
        unknown = np.flatnonzero(np.isnan(self.expected.values))
        steps = int(unknown[0]) if len(unknown) else len(self.expected.values)
        return steps * self.expected.step_seconds / 60.0


def forecast(usuals: Usuals, now: datetime, horizon_minutes: int, errors: ErrorCv | None = None) -> ArrivalForecast:
    """Return the forecast from `now` (aware UTC) to the horizon, 1 to 10,080 minutes on.

    Steps are the history's; what it has of steps that are not over at `now` plays no part. errors: how far forecasts
    of this queue were off, None where that was not measured. Raises ValueError for another horizon.
    """
    if not 0 < horizon_minutes <= LONGEST_MINUTES:
        raise ValueError(f"horizon_minutes={horizon_minutes} must be 1 to {LONGEST_MINUTES}")
    step = timedelta(seconds=usuals.history.slot_seconds)
    start = now - (now - _EPOCH) % step
    ahead = _Steps.of(usuals, start, -(-(now - start + timedelta(minutes=horizon_minutes)) // step))
    past = _Steps.of(usuals, start - _PAST, _PAST // step)
    today = usuals.calendar.day_of(start).toordinal()
    leading = _leading(usuals, ahead, today)
    seen = so_far(
        past.pick(usuals.row),
        past.pick(lambda day: usuals.of(day, today).contacts),
        prior_contacts(leading.contacts, step.total_seconds()),
        step.total_seconds(),
    )
    expected = ahead.pick(lambda day: usuals.of(day, today).contacts) * ahead.fading(seen.ratio, today, step)
    if leading.method is Method.FLAT and seen.rate:
        expected[np.isnan(expected)] = seen.rate
    if seen.is_unusual and seen.rate:
        expected = np.where(
            (ahead.days == today) & ahead.pick(usuals.open_slots), np.fmax(expected, seen.rate), expected
        )
        leading = replace(leading, method=Method.FLAT)
    method = leading.method if (expected > 0).any() or not np.isnan(expected).any() else Method.UNKNOWN
    lead_hours = np.arange(0.5, len(expected)) * (step / _HOUR)
    cv = _errors(method, errors, seen).at(lead_hours)
    return ArrivalForecast(
        Series(start, step.total_seconds(), expected), cv, method, seen.ratio, _basis(method, leading, seen)
    )


class _Steps(NamedTuple):
    """Steps of time: the ordinals of their local days, and their slots in these."""

    days: IntArray
    slots: IntArray

    @classmethod
    def of(cls, usuals: Usuals, start: datetime, steps: int) -> "_Steps":
        """Return the steps from start (aware UTC) on, each as long as a slot of the history."""
        return cls(*usuals.calendar.places(start, steps, usuals.history.slot_seconds))

    def pick(self, slots_of: Callable[[int], NDArray[Number]]) -> NDArray[Number]:
        """Return for each step what its day has in its slot."""
        table = {day: slots_of(day) for day in set(self.days.tolist())}
        return np.array([table[day][slot] for day, slot in zip(self.days.tolist(), self.slots.tolist(), strict=True)])

    def fading(self, ratio: float, today: int, step: timedelta) -> FloatArray:
        """Return today's ratio for each step: in full until midnight, then closer to 1 with every hour."""
        hours = np.maximum(0.0, (self.days - today - 1) * 24.0 + self.slots * (step / _HOUR))
        return np.where(self.days > today, 1.0 + (ratio - 1.0) * 0.5 ** (hours / _FADES_HOURS), ratio)


def _leading(usuals: Usuals, ahead: _Steps, today: int) -> Usual:
    """Return what is usual of the first day that is open in any of these steps; a closed day when none is."""
    is_open = ahead.pick(usuals.open_slots)
    if not is_open.any():
        return Usual(Method.CLOSED, np.zeros(usuals.history.slots))
    return usuals.of(int(ahead.days[is_open.argmax()]), today)


def _errors(method: Method, measured: ErrorCv | None, seen: SoFar) -> ErrorCv:
    if measured is None or method is not Method.WEEKDAY_MEDIAN:
        return assumed(ASSUMED_CV[method])
    return measured if seen.silent_hours <= _SILENT_HOURS else assumed(measured.beyond)


def _basis(method: Method, leading: Usual, seen: SoFar) -> str:
    """Return in words what a forecast is made from, or why there is none."""
    today = f"; what came in lately is {seen.ratio:.2f} of that"
    if seen.silent_hours > _SILENT_HOURS:
        today = "; nothing is known of the last hour"
    match method:
        case Method.CLOSED:
            return "the queue is closed until the horizon"
        case Method.UNKNOWN:
            return _why_unknown(leading)
        case Method.FLAT:
            why = "contacts come at a time that usually has none" if seen.is_unusual else _YOUNG
            return f"{why}: the mean rate of the last 24 hours, newer ones weighing more, taken as it is"
        case Method.HOUR_OF_WEEK:
            return f"little history of this weekday: the mean of {leading.days} days, time by time{today}"
        case Method.WEEKDAY_MEDIAN:
            level = f"at {leading.level:.2f} of it in the last {RECENT_DAYS} open days"
            return f"the median of the last {leading.days} same weekdays, {level}{today}"
        case _:
            assert_never(method)


def _why_unknown(leading: Usual) -> str:
    if leading.method is Method.FLAT:
        return f"{_YOUNG}, and less than half an hour, or no contact, in the last 24 hours"
    if leading.days:
        return f"on the {leading.days} days that a forecast could be made from, no contact came at these times"
    return "nothing is known of what came in at these times in the last weeks"
