"""What would have come anyway: the forecast as it stood, and how far such forecasts were off before.

Everything is made anew from history, and only from what was known at the time: the forecast uses no step that was not
over, so it says what was said, or would have been said, when the first message went.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

import numpy as np

from app.core.debrief.question import STEP_SECONDS, QueueFacts
from app.core.debrief.window import LEAD, STEP, Look, between
from app.core.forecast.arrivals import ArrivalForecast, forecast
from app.core.forecast.days import by_local_day
from app.core.forecast.series import FloatArray, Series
from app.core.forecast.usual import Usuals
from app.core.forecast.watch import DEFAULT_DISPERSION, overdispersion

TESTED_DAYS = 42
SHIFTS = (timedelta(0), timedelta(hours=-1))
LEAST_VOLUME_RATIO = 0.3
YOUNG = timedelta(days=14)
LED = LEAD // STEP


@dataclass(frozen=True)
class Baseline:
    """One queue's history without the contacts of other campaigns, and the forecasts made from it."""

    facts: QueueFacts

    @cached_property
    def _own(self) -> FloatArray:
        came = self.facts.came_in
        counts = between(came, came.start, came.start + len(came.values) * STEP)
        return np.maximum(counts - np.array(self.facts.lifted), 0.0) if self.facts.lifted else counts

    @cached_property
    def _usuals(self) -> Usuals:
        series = Series(self.facts.came_in.start, STEP_SECONDS, self._own)
        return Usuals(by_local_day(series, self.facts.calendar), self.facts.calendar)

    @cached_property
    def _forecasts(self) -> dict[tuple[datetime, int], ArrivalForecast]:
        return {}

    def forecast(self, at: datetime, steps: int) -> ArrivalForecast:
        """Return the forecast as it stood at a step's beginning, for so many steps."""
        made = self._forecasts.get((at, steps))
        if made is None:
            made = self._forecasts[at, steps] = forecast(self._usuals, at, steps * STEP_SECONDS // 60)
        return made

    def came(self, at: datetime, steps: int) -> FloatArray:
        """Return the contacts that came in these steps, without those of other campaigns; NaN where not known."""
        first = (at - self.facts.came_in.start) // STEP
        if first < 0:
            return np.full(steps, np.nan)
        found: FloatArray = self._own[first : first + steps]
        return np.concatenate([found, np.full(steps - len(found), np.nan)])

    @property
    def begins(self) -> datetime:
        """Where its history begins."""
        return self.facts.came_in.start


class Past(NamedTuple):
    """A span like the window on a day before, and the hour before it: what came, and what was forecast an hour ahead.

    frozen: what was forecast as the span began, without that hour.
    """

    counts: FloatArray
    base: FloatArray
    frozen: FloatArray


@dataclass(frozen=True)
class Baselines:
    """Some queues as one: what came to all of them, and what was forecast of all."""

    queues: Sequence[Baseline]
    look: Look

    @cached_property
    def counts(self) -> FloatArray:
        """What came per step of the window; NaN where one of the queues does not know."""
        return self._came(self.look.start, self.look.steps)

    @cached_property
    def base(self) -> FloatArray:
        """What was forecast as the first message went, per step of the window; NaN where it was not known."""
        return self._base(self.look.start, self.look.steps)

    @cached_property
    def led(self) -> tuple[FloatArray, FloatArray]:
        """Counts and forecast from an hour before the first message on; the forecast is as old as that."""
        start, steps = self.look.start - LEAD, self.look.steps + LED
        return self._came(start, steps), self._base(start, steps)

    @cached_property
    def spread(self) -> tuple[float, float]:
        """The standard deviation of the level as a ratio, and variance / mean of the counts around the forecast."""
        if not self.past:
            return self._assumed_cv(), DEFAULT_DISPERSION
        counts, base = (np.array([getattr(each, name)[LED:] for each in self.past]) for name in ("counts", "base"))
        found = overdispersion(counts, base)
        ratios = self.error_ratios
        cv = float(np.sqrt(np.mean(ratios**2))) if len(ratios) > 1 else self._assumed_cv()
        return max(cv, 0.01), DEFAULT_DISPERSION if np.isnan(found) else found

    @cached_property
    def error_ratios(self) -> FloatArray:
        """(came - forecast) / forecast over spans as long as the window, at its time of day, on the weeks before."""
        return np.array([float(each.counts[LED:].sum() / each.frozen.sum()) - 1 for each in self.past])

    @cached_property
    def past(self) -> Sequence[Past]:
        """The spans of the weeks before that are like the window, and wholly known."""
        shifted = (
            self.look.start - timedelta(days=day) + shift for day in range(1, TESTED_DAYS + 1) for shift in SHIFTS
        )
        ended = (at for at in shifted if at + self.look.steps * STEP <= self.look.start)
        found = (self._past(at) for at in ended if at >= self._begins + YOUNG)
        return [each for each in found if each is not None]

    def _past(self, at: datetime) -> Past | None:
        steps = self.look.steps
        counts = self._came(at - LEAD, steps + LED)
        if np.isnan(counts[LED:]).any() or not counts[LED:].any():
            return None
        frozen = self._base(at, steps)
        if np.isnan(frozen).any() or frozen.sum() < LEAST_VOLUME_RATIO * float(np.nansum(self.base)):
            return None
        return Past(counts, self._base(at - LEAD, steps + LED), frozen)

    @property
    def _begins(self) -> datetime:
        return max((queue.begins for queue in self.queues), default=self.look.start)

    def _assumed_cv(self) -> float:
        cvs = [queue.forecast(self.look.start, self.look.steps).cv for queue in self.queues]
        known = [float(cv.mean()) for cv in cvs if not np.isnan(cv).any()]
        return max(known, default=0.3) or 0.01

    def _came(self, at: datetime, steps: int) -> FloatArray:
        return self._summed([queue.came(at, steps) for queue in self.queues], steps)

    def _base(self, at: datetime, steps: int) -> FloatArray:
        return self._summed([queue.forecast(at, steps).expected.values for queue in self.queues], steps)

    def _summed(self, rows: Sequence[FloatArray], steps: int) -> FloatArray:
        """Return the sum over queues; without any queue nothing is known."""
        summed: FloatArray = np.sum(rows, axis=0) if rows else np.full(steps, np.nan)
        return summed
