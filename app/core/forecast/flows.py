"""What came in and went out of a queue in equal steps of time, with what is not known told apart from nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from app.core.forecast.series import BoolArray, FloatArray, Series

QUIET_SECONDS = 600
FIELDS = (
    *("offered", "answered", "abandoned", "abandoned_short", "abandoned_at_once"),
    *("handled", "wait_seconds", "handle_seconds"),
)
_OF_CONTACTS = [FIELDS.index(name) for name in ("abandoned_short", "abandoned_at_once", "wait_seconds")]
_LEAST_COUNTED = 0.5
_FEWEST_GONE = 3.0


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

    def quiet(self) -> tuple[datetime, datetime] | None:
        """Return beginning and end of the steps at the end, of those that are known, in which nobody came; or None."""
        known = np.flatnonzero(~np.isnan(self.offered))
        if not len(known) or self.offered[known[-1]] != 0:
            return None
        end = int(known[-1]) + 1
        others = np.flatnonzero(self.offered[:end] != 0)  # those that are not known, too
        first = int(others[-1]) + 1 if len(others) else 0
        step = timedelta(seconds=self.step_seconds)
        return self.start + first * step, self.start + end * step

    def believed(self) -> Series:
        """Return offered, not known where reported counts contradict themselves.

        That is from the beginning of a stretch in which nobody is said to have come until the last of those who were
        answered, or gave up, in it, where these are three at least. Fewer may have waited when it began.
        """
        gone = np.nan_to_num(self.answered) + np.nan_to_num(self.abandoned)
        nobody = (self.offered == 0) & np.isnan(self.wait_seconds)  # contacts themselves, which know waits, are exact
        believed = self.offered.copy()
        edges = np.flatnonzero(np.diff(np.concatenate([[0], nobody.astype(np.int8), [0]])))
        for first, end in edges.reshape(-1, 2).tolist():
            if gone[first:end].sum() >= _FEWEST_GONE:
                believed[first : first + int(np.flatnonzero(gone[first:end])[-1]) + 1] = np.nan
        return Series(self.start, float(self.step_seconds), believed)


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
