"""A chart in words: for those who read rather than look, and for every screen reader. Pure."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from app.core.floor.metric import Worse
from app.core.forecast.outlook import QueueOutlook
from app.ports.history import HistoryPoint
from app.web.format import clock_time, count, duration, measure, number
from app.web.history.charts import SHUT, Chart, limits
from app.web.history.choice import RANGES, Layer
from app.web.history.marks import Mark
from app.web.outlook.chart import Ahead, band_of
from app.web.outlook.words import expected
from app.web.spans import Span


def caption(chart: Chart) -> str:
    """Return the chart in one sentence: the newest and the worst value, the limit, and the worst that is expected."""
    definition = chart.definition
    known = [point for point in chart.points if point.value is not None]
    span = _span(chart)
    if not known:
        return f"{definition.title} of {chart.title}: no data in the last {span}{_coming(chart)}."
    worst = max(known, key=lambda point: _badness(point, definition.worse))
    newest = measure(known[-1].value, definition.unit)
    extreme = measure(_extreme(worst, definition.worse), definition.unit)
    return (
        f"{definition.title} of {chart.title} over the last {span}: {newest} at the end, "
        f"worst {extreme} at {clock_time(worst.at, chart.zone, today=chart.until)}{_against(chart)}{_coming(chart)}."
    )


def _span(chart: Chart) -> str:
    """Return how far back the chart goes, as the button says it that was pressed for it: `24 h`."""
    length, step = chart.until - chart.start, timedelta(seconds=chart.step_seconds)
    titles = (range_.title for range_ in RANGES.values() if range_.length <= length < range_.length + step)
    return next(titles, duration(length.total_seconds() // 60 * 60))


def _extreme(point: HistoryPoint, worse: Worse) -> float | None:
    edge = point.maximum if worse is Worse.HIGHER else point.minimum
    return point.value if edge is None else edge


def _badness(point: HistoryPoint, worse: Worse) -> float:
    value = _extreme(point, worse) or 0.0
    return value if worse is Worse.HIGHER else -value


def _against(chart: Chart) -> str:
    hold, _ = limits(chart.rule)
    if chart.rule is None or hold is None:
        return "; the policy sets no limit on it"
    word = "above" if chart.rule.hold_above is not None else "below"
    return f"; sends are held {word} {measure(hold, chart.definition.unit)}"


def _coming(chart: Chart) -> str:
    ahead = chart.ahead
    if ahead is None or not (worst := _worst(chart, ahead, ahead.without)):
        return ""
    more = (
        f", {_worst(chart, ahead, ahead.with_send)} with {number(ahead.audience)} sent now" if ahead.with_send else ""
    )
    return f"; ahead, {worst} at worst{more}"


def _worst(chart: Chart, ahead: Ahead, queue: QueueOutlook) -> str:
    """Return the worst expected value and when: `78 % (15:20)`; empty where nobody is expected."""
    means, definition = band_of(queue, chart.metric).mean, chart.definition
    if not np.isfinite(means).any():
        return ""
    place = int(np.nanargmax(means) if definition.worse is Worse.HIGHER else np.nanargmin(means))
    when = ahead.reader.minute(ahead.starts(place))
    return f"{expected(float(means[place]), definition.unit)} ({when})"


def meanwhile(spans: Sequence[Span], marks: Sequence[Mark]) -> str:
    """Return, for all charts of a queue at once, how long the gate was not open and what was sent."""
    shut = [span for span in spans if span.verdict in SHUT]
    seconds = sum((span.until - span.start).total_seconds() for span in shut)
    held = f"The gate was not open in {count(len(shut), 'span')}, {duration(seconds)} in all"
    sends = [mark for mark in marks if mark.layer is Layer.SENDS]
    sent = f"up to {number(sum(mark.amount for mark in sends))} messages were let go" if sends else "nothing was let go"
    return f"{held if shut else 'The gate was open all the time'}; {sent}."
