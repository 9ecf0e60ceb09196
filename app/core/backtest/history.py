"""Minute history as arrays: what a backtest reads, queue by queue, and how its looks lie on it.

Minute p of a history is [start + p min, start + (p + 1) min). The look at its end knows the minutes up to p, and its
verdict stands until the next look, a minute later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.core.floor.metric import Metric
from app.core.forecast.series import BoolArray, FloatArray, IntArray
from app.core.gate.rule import MAX_WINDOW_SECONDS, Rule

Value = TypeVar("Value", np.float64, np.int64)

MINUTE = timedelta(minutes=1)
MINUTE_SECONDS = 60
DEFAULT_WINDOW_SECONDS = 300.0  # of a rule that names none: the floor's own


@dataclass(frozen=True, slots=True, eq=False)
class MetricMinutes:
    """One metric of one queue, minute by minute.

    last: the newest reading of each minute, NaN without one; None where the metric only ever came as counts. It is
    what gauges and ready-made averages have. weight, total: the contacts that the minute's counts are about, and their
    sum in millionths of the metric's unit, 0 in a minute without counts; None where the metric never came as counts.
    since: the minute, from 0, in which it was first reported; negative for one before the history begins.
    """

    since: int
    last: FloatArray | None = None
    weight: IntArray | None = None
    total: IntArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class QueueMinutes:
    """One queue's history. heard: whether anything was reported of it in each minute. since as in MetricMinutes.

    metrics has those that were reported at all. retired_at: when people took the queue out of use, None while in use.
    """

    name: str
    since: int
    heard: BoolArray
    metrics: Mapping[Metric, MetricMinutes] = field(default_factory=dict)
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FloorHistory:
    """All queues' minutes from `start` (aware UTC, a whole minute) on; every array has `minutes` values."""

    start: datetime
    minutes: int
    queues: Sequence[QueueMinutes]


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks of a backtest: `count` of them, one a minute; the first one is at the end of minute `first`."""

    first: int
    count: int

    def of(self, values: NDArray[Value]) -> NDArray[Value]:
        """Return what each look sees of values that were computed for every minute."""
        return values[self.first : self.first + self.count]


def minutes_before(rules: Sequence[Rule], stale_after_seconds: float) -> int:
    """Return how many minutes of history the first look needs: the longest window, and data that is not stale yet."""
    longest = max((window_minutes(rule) for rule in rules), default=1)
    return max(longest, ceil(stale_after_seconds / MINUTE_SECONDS)) + MAX_WINDOW_SECONDS // MINUTE_SECONDS


def window_minutes(rule: Rule) -> int:
    """Return a rule's window in minutes; a part of a minute counts as a whole one."""
    return ceil((rule.window_seconds or DEFAULT_WINDOW_SECONDS) / MINUTE_SECONDS)
