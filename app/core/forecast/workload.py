"""The work that queues will have, hour by hour, and who is there to do it: what a calendar of campaigns shows.

Work is contacts times handle time, told as the agents whom it keeps busy all hour. An hour is over capacity where it
takes more agents than there are, for then the queue grows however chance falls; it is full from nine tenths on, where
waits grow long. Both are of means: the outlook is what knows of chance, and what a gate goes by.
For seven days the forecast of arrivals is taken, beyond that what is usual of a day.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from app.core.forecast.arrivals import LONGEST_MINUTES, forecast
from app.core.forecast.deferral import through_opening
from app.core.forecast.errors import ErrorCv
from app.core.forecast.kernel import Kernel
from app.core.forecast.response import Response
from app.core.forecast.series import MINUTE_SECONDS, BoolArray, FloatArray, IntArray
from app.core.forecast.usual import Usuals

FULL_FROM = 0.9
_MINUTE = timedelta(minutes=1)


class Fit(StrEnum):
    """How an hour's work compares with who is there, the worst first."""

    OVER = "over"
    UNKNOWN = "unknown"
    FULL = "full"
    FITS = "fits"
    CLOSED = "closed"
    GONE = "gone"


class Source(StrEnum):
    """Where the number of agents is from: a schedule, what is usual, or nowhere."""

    SCHEDULED = "scheduled"
    USUAL = "usual"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Minutes from `start` (aware UTC) on. now: an instant in it; edges: the minutes between which its hours lie."""

    start: datetime
    now: datetime
    edges: IntArray

    @property
    def minutes(self) -> int:
        """How many minutes it has."""
        return int(self.edges[-1])

    @property
    def present(self) -> int:
        """The minute that `now` is in, at least 0."""
        return max(0, (self.now - self.start) // _MINUTE)


@dataclass(frozen=True, slots=True, eq=False)
class QueueAhead:
    """What a queue's contacts are reckoned from; plain values, to be handed to another process.

    is_open: per minute of the window. sends: (minute of the window, contacts that it brings here in all).
    """

    queue: str
    usuals: Usuals
    errors: ErrorCv | None
    is_open: BoolArray
    sends: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Coming:
    """Contacts per hour of a window: those that come anyway, NaN where not known, and those that campaigns bring.

    basis: in words, what the former are made from.
    """

    anyway: FloatArray
    caused: FloatArray
    basis: str


@dataclass(frozen=True, slots=True, eq=False)
class QueueHours:
    """A queue hour by hour. agents: contacts' places over how many one agent handles, NaN where not known.

    is_open: whether it is, in any minute of the hour. hours: how long each is, 1 for most. handle_seconds None: not
    known. said: where the numbers are from, in sentences.
    """

    queue: str
    coming: Coming
    agents: FloatArray
    sources: tuple[Source, ...]
    is_open: BoolArray
    hours: FloatArray
    is_gone: BoolArray
    handle_seconds: float | None
    concurrency: float
    said: tuple[str, ...] = ()

    @property
    def work(self) -> FloatArray:
        """The agents whom each hour's contacts keep busy, NaN where not known."""
        if self.handle_seconds is None:
            return np.full(len(self.agents), np.nan)
        per_contact = self.handle_seconds / 3600.0 / self.concurrency
        found: FloatArray = (self.coming.anyway + self.coming.caused) * per_contact / self.hours
        return found

    def fits(self) -> tuple[Fit, ...]:
        """Return how each hour's work compares with who is there."""
        work = self.work
        return tuple(
            _fit(float(work[hour]), float(self.agents[hour]), is_open=bool(self.is_open[hour]))
            if not self.is_gone[hour]
            else Fit.GONE
            for hour in range(len(work))
        )


def _fit(work: float, agents: float, *, is_open: bool) -> Fit:
    if not is_open:
        return Fit.CLOSED
    if np.isnan(work) or np.isnan(agents):
        return Fit.UNKNOWN
    if work > agents:
        return Fit.OVER
    return Fit.FULL if work > FULL_FROM * agents else Fit.FITS


def contacts_ahead(queues: list[QueueAhead], window: Window, kernel: Kernel) -> list[Coming]:
    """Return the contacts of each queue. Of an hour that has begun they are told as if all of it were like its rest."""
    return [_coming(queue, window, kernel) for queue in queues]


def _coming(queue: QueueAhead, window: Window, kernel: Kernel) -> Coming:
    anyway, basis = _anyway(queue, window)
    caused = _caused(queue, kernel)
    return Coming(per_hour(anyway, window), per_hour(caused, window), basis)


def _anyway(queue: QueueAhead, window: Window) -> tuple[FloatArray, str]:
    """Return contacts per minute of the window, NaN where not known, and what they are made from."""
    found = np.full(window.minutes, np.nan)
    horizon = int((window.start - window.now) / _MINUTE) + window.minutes
    near = forecast(queue.usuals, window.now, min(LONGEST_MINUTES, horizon), queue.errors)
    step = near.expected.step_seconds / MINUTE_SECONDS
    first = window.start + window.present * _MINUTE
    since = (first - near.expected.start) / _MINUTE
    steps = np.floor((since + np.arange(window.minutes - window.present)) / step).astype(np.int64)
    values = np.concatenate([near.expected.values, _usual_beyond(queue.usuals, near.expected.end, window, int(step))])
    found[window.present :] = values[np.minimum(steps, len(values) - 1)] / step
    return np.where(queue.is_open | np.isnan(found), found, 0.0), near.basis


def _usual_beyond(usuals: Usuals, since: datetime, window: Window, step_minutes: int) -> FloatArray:
    """Return what is usual per step from where the forecast ends until the window does."""
    left = (window.start + window.minutes * _MINUTE - since) / _MINUTE
    if left <= 0:
        return np.empty(0)
    days, slots = usuals.calendar.places(since, -(-int(left) // step_minutes), usuals.history.slot_seconds)
    today = usuals.calendar.day_of(window.now).toordinal()
    table = {day: usuals.of(day, today).contacts for day in set(days.tolist())}
    return np.array([table[day][slot] for day, slot in zip(days.tolist(), slots.tolist(), strict=True)])


def _caused(queue: QueueAhead, kernel: Kernel) -> FloatArray:
    """Return the contacts per minute that sends bring, once the queue is open to them."""
    minutes, response = len(queue.is_open), Response(kernel)
    wanted = np.zeros(minutes)
    for minute, contacts in queue.sends:
        end = min(minutes, minute + kernel.minutes)
        wanted[minute:end] += contacts * kernel.masses[: end - minute]
    came = through_opening(wanted[np.newaxis], queue.is_open, response.deferral_ratio, response.deferral_mean_minutes)
    found: FloatArray = came[0]
    return found


def per_hour(values: FloatArray, window: Window) -> FloatArray:
    """Return sums per hour of values per minute, NaN where a minute from now on has none, or the hour is over."""
    mean = mean_per_hour(values, window)
    found: FloatArray = mean * np.diff(window.edges)
    return found


def mean_per_hour(values: FloatArray, window: Window) -> FloatArray:
    """Return means over each hour's minutes from now on, NaN where one of them has no value, or the hour is over."""
    lows, highs = np.maximum(window.edges[:-1], window.present), window.edges[1:]
    sums = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
    holes = np.concatenate([[0], np.cumsum(np.isnan(values))])
    counted = np.maximum(highs - lows, 0)
    found = np.full(len(counted), np.nan)
    whole = (counted > 0) & (holes[highs] == holes[np.minimum(lows, highs)])
    found[whole] = (sums[highs] - sums[np.minimum(lows, highs)])[whole] / counted[whole]
    return found
