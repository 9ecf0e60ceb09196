"""What came in and went out of a queue in equal steps of time, with what is not known told apart from nothing."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from app.core.forecast.series import BoolArray, FloatArray, Series

QUIET_SECONDS = 600
FIELDS = (
    *("offered", "answered", "abandoned", "abandoned_short", "abandoned_at_once"),
    *("handled", "wait_seconds", "handle_seconds"),
)
_OF_CONTACTS = [FIELDS.index(name) for name in ("abandoned_short", "abandoned_at_once", "wait_seconds")]
_LEAST_COUNTED = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class FlowSeries:
    """Sums per step of step_seconds, the first one from `start` (aware UTC); all NaN where nothing was heard.

    offered: contacts that arrived. answered, abandoned, handled: contacts whose wait or handling ended so in the step;
    abandoned_short: those of the step's arrivals who gave up before the queue's limit, not in abandoned;
    abandoned_at_once: those of abandoned who waited at most 5 s. wait_seconds: summed over answered and abandoned.
    These three are NaN where only counts are reported. handle_seconds: summed over handled.
    """

    start: datetime
    step_seconds: int
    offered: FloatArray
    answered: FloatArray
    abandoned: FloatArray
    abandoned_short: FloatArray
    abandoned_at_once: FloatArray
    handled: FloatArray
    wait_seconds: FloatArray
    handle_seconds: FloatArray

    def series(self, name: str = "offered") -> Series:
        """Return one of the sums as a series."""
        values: FloatArray = getattr(self, name)
        return Series(self.start, float(self.step_seconds), values)


def flow_series(
    start: datetime,
    step_seconds: int,
    *,
    steps: int,
    places: FloatArray,
    counted_seconds: FloatArray,
    sums: FloatArray,
) -> FlowSeries:
    """Return so many steps, from those that have entries: places, ascending, and sums, shape (entries, sums).

    counted_seconds: of how many seconds reported counts are in an entry, of all sources together; 0: it is made of
    contacts. What counts give is brought to a whole step, and not known where they cover less than half of it. Between
    two entries made of contacts that are at most 10 minutes apart the source lived: nothing came.
    """
    place = places.astype(np.int64)
    is_counted = counted_seconds > 0
    factor = np.where(is_counted, step_seconds / np.maximum(counted_seconds, 1e-9), 1.0)
    factor[is_counted & (counted_seconds < _LEAST_COUNTED * step_seconds)] = np.nan
    filled = np.full((len(FIELDS), steps), np.nan)
    filled[:, _quiet(place, ~is_counted, steps, QUIET_SECONDS // step_seconds)] = 0.0
    filled[:, place] = sums.T * factor
    for kind in _OF_CONTACTS:
        filled[kind, place[is_counted]] = np.nan
    return FlowSeries(start, step_seconds, *filled)


def _quiet(place: np.ndarray, is_exact: BoolArray, steps: int, most: int) -> BoolArray:
    """Return which steps lie in a gap of fewer than `most` steps between two entries made of contacts."""
    gaps = np.diff(place)
    bridged = np.flatnonzero((gaps > 1) & (gaps <= most) & is_exact[:-1] & is_exact[1:])
    edges = np.zeros(steps + 1)
    edges[place[bridged] + 1] += 1
    edges[place[bridged + 1]] -= 1
    quiet: BoolArray = np.cumsum(edges[:-1]) > 0
    return quiet
