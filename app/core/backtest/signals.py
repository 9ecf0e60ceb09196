"""What each rule sees of each queue at every look: the value that the live gate would read, and whether it may be used.

All looks at once. A gauge is its newest reading. A windowed value is the sum over the trailing window divided by its
contacts, never an average of averages; a ready-made average stands as its source gave it, when it is newer than any
count. A value is carried for as long as it is not stale: a gauge and a ready-made average by its own age, counts by
when anything was heard of the queue, because a quiet queue brings no counts.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from app.core.backtest.history import MINUTE, MINUTE_SECONDS, Looks, MetricMinutes, QueueMinutes, window_minutes
from app.core.floor.metric import Metric
from app.core.forecast.series import BoolArray, FloatArray, IntArray
from app.core.gate.rule import OnMissing, Rule

Codes = NDArray[np.int8]
GOOD, BETWEEN, BAD, BLIND, OFF = range(5)
_MILLION = 1_000_000
_NEVER = -1  # the place of a minute that is not there: before all others


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """What a rule sees of a queue at each look. values: NaN where there is nothing to judge, such as too few contacts.

    blind: missing or stale data. ignored: never reported yet, and the rule says to ignore that.
    """

    values: FloatArray
    blind: BoolArray
    ignored: BoolArray


def signal(queue: QueueMinutes, rule: Rule, looks: Looks, stale_after_seconds: float) -> Signal:
    """Return what a rule sees of a queue; of a queue that was not heard of yet it is blind."""
    series = queue.metrics.get(rule.metric)
    places = np.arange(looks.first, looks.first + looks.count)
    never = np.ones(looks.count, bool) if series is None else places < series.since
    if series is None:
        values, newest = np.full(looks.count, np.nan), np.full(looks.count, _NEVER)
    else:
        readings, at = _readings(series, queue.heard, rule)
        values, newest = looks.of(readings), looks.of(at)
    stale = (places - newest) * MINUTE_SECONDS >= stale_after_seconds
    ignored = never if rule.on_missing is OnMissing.IGNORE else np.zeros(looks.count, bool)
    blind = (stale | never) & ~ignored
    return Signal(np.where(blind | ignored, np.nan, values), blind, ignored)


def grades(seen: Signal, rule: Rule) -> Codes:
    """Return GOOD, BETWEEN, BAD or BLIND for each look; what is not judged by the limits counts as good."""
    values = seen.values
    if rule.hold_above is not None:
        found = (values > rule.resume_limit).view(np.int8) + (values > rule.hold_limit).view(np.int8)
    else:
        found = (values < rule.resume_limit).view(np.int8) + (values < rule.hold_limit).view(np.int8)
    found[seen.blind] = BLIND
    return found


def is_off(queue: QueueMinutes, looks: Looks, start: datetime) -> BoolArray:
    """Return at which looks a queue is not on the floor: not heard of yet, or retired and not heard of since.

    start: of the history.
    """
    places = np.arange(looks.first, looks.first + looks.count)
    off = places < queue.since
    if queue.retired_at is not None:
        retired = (queue.retired_at - start) / MINUTE
        off |= (places + 1 >= retired) & (looks.of(_newest(queue.heard)) < retired)
    return off


def _readings(series: MetricMinutes, heard: BoolArray, rule: Rule) -> tuple[FloatArray, IntArray]:
    """Return the value that is read at the end of each minute, and the minute that it is of."""
    if series.weight is None or series.total is None:
        if series.last is None:
            return np.full(len(heard), np.nan), np.full(len(heard), _NEVER)
        return _carried(series.last)
    counted = _quotients(series.weight, series.total, rule)
    if series.last is None:
        return counted, _newest(heard)
    ready_made, at = _carried(series.last)
    is_newest = (at >= 0) & (at >= _newest(series.weight != 0))
    return np.where(is_newest, ready_made, counted), np.where(is_newest, at, _newest(heard))


def _carried(last: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the newest reading as of each minute, and the minute that it is of."""
    there = np.isfinite(last)
    if there.all():
        return last, np.arange(len(last))
    at = _newest(there)
    return np.where(at >= 0, last[at], np.nan), at


def _newest(there: BoolArray) -> IntArray:
    """Return, for each minute, the newest one up to it that has something; negative where there is none."""
    places = np.arange(len(there))
    return places if there.all() else np.maximum.accumulate(np.where(there, places, _NEVER))


def _quotients(weight: IntArray, total: IntArray, rule: Rule) -> FloatArray:
    """Return sum / contacts over the window that ends with each minute, NaN where there are too few contacts.

    Sums of whole numbers, so that a value on a limit is on it here, too.
    """
    minutes = window_minutes(rule)
    contacts, sums = _trailing(weight, minutes), _trailing(total, minutes)
    enough = contacts >= max(1, rule.min_samples)
    values = np.full(len(contacts), np.nan)
    np.divide(sums, contacts * _MILLION, out=values, where=enough)
    return np.minimum(values, 1.0, out=values) if rule.metric is Metric.SERVICE_LEVEL_RATIO else values


def _trailing(values: IntArray, minutes: int) -> IntArray:
    """Return the sum over the last so many minutes, for each minute."""
    sums = np.cumsum(values)
    trailing = sums.copy()
    trailing[minutes:] -= sums[:-minutes]
    return trailing
