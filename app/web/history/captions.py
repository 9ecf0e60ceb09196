"""A chart in words: for those who read rather than look, and for every screen reader. Pure."""

from app.core.floor.metric import DEFINITIONS, Worse
from app.core.gate.decision import Verdict
from app.ports.history import HistoryPoint
from app.web.format import clock_time, count, duration, measure
from app.web.history.charts import Chart, limits


def caption(chart: Chart) -> str:
    """Return the chart in one or two sentences, for those who read rather than look."""
    definition = DEFINITIONS[chart.metric]
    known = [point for point in chart.points if point.value is not None]
    span = duration((chart.until - chart.start).total_seconds())
    if not known:
        return f"{definition.title} of {chart.queue}: no data in the last {span}."
    worst = max(known, key=lambda point: _badness(point, definition.worse))
    newest = measure(known[-1].value, definition.unit)
    extreme = measure(_extreme(worst, definition.worse), definition.unit)
    return (
        f"{definition.title} of {chart.queue} over the last {span}: {newest} at the end, "
        f"worst {extreme} at {clock_time(worst.at, chart.zone, today=chart.until)}{_against(chart)}. {_held(chart)}"
    )


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
    return f"; sends are held {word} {measure(hold, DEFINITIONS[chart.metric].unit)}"


def _held(chart: Chart) -> str:
    held = [span for span in chart.spans if span.verdict in (Verdict.HOLD, Verdict.UNKNOWN)]
    if not held:
        return "The gate was open all the time."
    seconds = sum((span.until - span.start).total_seconds() for span in held)
    return f"The gate was not open in {count(len(held), 'span')}, {duration(seconds)} in all."
