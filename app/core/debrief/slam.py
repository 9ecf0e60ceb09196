"""Minutes of slam: for how long a queue was past a limit of its gate, and for how long it would have been.

What all at once would have changed is the difference between two calculations of one model, all at once and as it was
sent. Added to what was measured, step by step, it says what would have been measured then. So a send that did go at
once has avoided nothing, and what the model gets wrong in both calculations drops out.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from app.core.debrief.debrief import Estimate, Slam
from app.core.debrief.floor import WAYS, Calculated, Sums
from app.core.debrief.question import STEP_MINUTES, Limit
from app.core.floor.metric import Metric
from app.core.forecast.series import BoolArray, FloatArray

LEAST_KNOWN = 0.9  # of the window's steps a queue must have been heard in
_Values = Mapping[Metric, FloatArray]


def slam(known: Calculated, limits: Sequence[Limit], headline: Estimate | None) -> Slam:
    """Return the minutes past these limits. headline: the estimate of the campaign's contacts, None for none."""
    heard = [queue for queue, sums in known.measured.items() if _is_heard(sums)]
    if why := _why_unknown(limits, heard):
        return Slam(None, None, None, None, tuple(limits), tuple(heard), why)
    measured = _minutes(_is_over(_values(known.measured[queue]), limits) for queue in heard)
    ways = {queue: own for queue, own in known.ways.items() if queue in heard}
    if not ways:
        said = f"{_told(measured)} What all at once would have changed could not be calculated."
        return Slam(measured, None, None, None, tuple(limits), tuple(heard), said)
    at_once, nothing = (_minutes_of(known, heard, limits, way) for way in ("at_once", "nothing"))
    if headline is None or not headline.is_distinguishable:
        said = f"{_told(measured)} Whether that is less than all at once cannot be told: its contacts may as well be 0."
        return Slam(measured, at_once, nothing, None, tuple(limits), tuple(heard), said)
    said = f"{_told(measured)} All at once it would have been {at_once:g}."
    return Slam(measured, at_once, nothing, at_once - measured, tuple(limits), tuple(heard), said)


def _why_unknown(limits: Sequence[Limit], heard: Sequence[str]) -> str:
    if not limits:
        return "Minutes past a limit are not known: its gate's policy limits nothing that can be told in five minutes."
    if not heard:
        return "Minutes past a limit are not known: no source reported the queues for most of the time."
    return ""


def _told(minutes: float) -> str:
    return f"Some queue was past a limit for {minutes:g} minutes."


def _is_heard(sums: Sums) -> bool:
    known = ~np.isnan(sums.judged) | ~np.isnan(sums.backlog)
    return bool(len(known)) and float(known.mean()) >= LEAST_KNOWN


def _values(sums: Sums) -> dict[Metric, FloatArray]:
    return {
        Metric.BACKLOG: sums.backlog,
        Metric.SERVICE_LEVEL_RATIO: sums.service_level,
        Metric.SPEED_TO_ANSWER_SECONDS: sums.speed_to_answer,
    }


def _minutes_of(known: Calculated, heard: Sequence[str], limits: Sequence[Limit], way: str) -> float:
    """Return the minutes of what was measured, changed by what a way changes; a queue not calculated stays."""
    place = WAYS.index(way)

    def values(queue: str) -> _Values:
        """Return a queue's minutes on that way: what was measured where nothing could be calculated."""
        own = _values(known.measured[queue])
        ways = known.ways.get(queue)
        return own if ways is None else _moved(own, _values(ways[place]), _values(ways[WAYS.index("as_sent")]))

    return _minutes(_is_over(values(queue), limits) for queue in heard)


def _moved(measured: _Values, other: _Values, as_sent: _Values) -> dict[Metric, FloatArray]:
    """Return measured + other - as_sent within what a metric can be; NaN where nothing was measured."""
    moved: dict[Metric, FloatArray] = {}
    for metric, values in measured.items():
        change = np.nan_to_num(other[metric] - as_sent[metric])
        most = 1.0 if metric is Metric.SERVICE_LEVEL_RATIO else np.inf
        moved[metric] = np.clip(values + change, 0.0, most)
    return moved


def _is_over(values: _Values, limits: Sequence[Limit]) -> BoolArray:
    """Return in which steps any limit is passed; what is not known passes none."""
    steps = len(values[Metric.BACKLOG])
    over = np.zeros(steps, dtype=np.bool_)
    for limit in limits:
        own = values[limit.metric]
        over |= own < limit.value if limit.is_least else own > limit.value
    return over


def _minutes(queues: Iterable[BoolArray]) -> float:
    """Return the minutes in which any queue is over."""
    return float(np.logical_or.reduce(list(queues)).sum()) * STEP_MINUTES
