"""One metric of one queue over the last week, for limits to be drawn over: a Plotly figure as plain dicts. Pure.

The limits are not part of the figure: a script lays them over it, where they can be dragged. So the plot's box is the
same whatever its labels are, and the script is told what its vertical axis ends at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.core.floor.metric import DEFINITIONS, Metric, MetricDefinition, Worse
from app.ports.history import HistoryPoint
from app.web.axes import time_ticks, value_ticks
from app.web.drawing import Figure, band, layout, x_of
from app.web.format import clock_time, measure
from app.web.palettes import THEMES, Palette

POINTS = 336  # half hours of a week; the envelope takes two more for each
MARGIN = {"l": 64, "r": 10, "t": 10, "b": 40}
HEADROOM = 1.25
LEAST_TOP = {"seconds": 60.0, "ratio": 0.2}
LEAST_TOP_OF_COUNTS = 10.0


@dataclass(frozen=True, slots=True)
class Curve:
    """All a curve shows. points: one per step with data, in order."""

    queue: str
    title: str
    metric: Metric
    start: datetime
    until: datetime
    step_seconds: int
    points: Sequence[HistoryPoint]
    zone: ZoneInfo

    @property
    def steps(self) -> list[HistoryPoint]:
        """A point for each step from the first to the last known one: one without data is empty, so the line breaks."""
        if not self.points:
            return []
        known, first = {point.at: point for point in self.points}, self.points[0].at
        step = timedelta(seconds=self.step_seconds)
        places = (first + place * step for place in range((self.points[-1].at - first) // step + 1))
        return [known.get(at, HistoryPoint(at, None, None, None, 0)) for at in places]


def drawn(curve: Curve, limits: Sequence[float], theme: str) -> dict[str, Any]:
    """Return the figure, its caption, and what the script needs to place limits: the axis' end, and a step of them."""
    definition = DEFINITIONS[curve.metric]
    top = _top(curve, definition, limits)
    return {
        "figure": {"data": _traces(curve, definition, THEMES[theme]), "layout": _layout(curve, top, definition, theme)},
        "caption": caption(curve),
        "top": top,
        "step": step_of(definition, top),
    }


def step_of(definition: MetricDefinition, top: float) -> float:
    """Return how far one key press moves a limit, in the metric's unit."""
    if definition.unit == "ratio":
        return 0.01
    return 5.0 if definition.unit == "seconds" and top > 120 else 1.0  # noqa: PLR2004


def caption(curve: Curve) -> str:
    """Return the curve in one sentence."""
    definition = DEFINITIONS[curve.metric]
    known = [point for point in curve.points if point.value is not None]
    if not known:
        return f"{definition.title} of {curve.title}: no data in the last 7 days."
    worst = max(known, key=lambda point: _badness(point, definition.worse))
    at = clock_time(worst.at, curve.zone, today=curve.until)
    extreme = measure(abs(_badness(worst, definition.worse)), definition.unit)
    newest = measure(known[-1].value, definition.unit)
    told = f"{newest} at the end, worst {extreme} at {at}"
    return f"{definition.title} of {curve.title}, last 7 days by the half hour: {told}."


def _badness(point: HistoryPoint, worse: Worse) -> float:
    if worse is Worse.HIGHER:
        return (point.value if point.maximum is None else point.maximum) or 0.0
    return -((point.value if point.minimum is None else point.minimum) or 0.0)


def _top(curve: Curve, definition: MetricDefinition, limits: Sequence[float]) -> float:
    if definition.unit == "ratio" and definition.worse is Worse.LOWER:
        return 1.0
    highest = [value for point in curve.points for value in (point.value, point.maximum) if value is not None]
    top = max([*highest, *limits, LEAST_TOP.get(definition.unit, LEAST_TOP_OF_COUNTS)]) * HEADROOM
    return min(1.0, top) if definition.unit == "ratio" else top


def _traces(curve: Curve, definition: MetricDefinition, palette: Palette) -> list[Figure]:
    steps = curve.steps
    places = [x_of(point.at) for point in steps]
    x, y = band(places, [point.minimum for point in steps], [point.maximum for point in steps])
    common: Figure = {"type": "scatter", "mode": "lines", "showlegend": False}
    return [
        common
        | {"name": "lowest to highest", "x": x, "y": y, "fill": "toself", "fillcolor": palette.envelope}
        | {"line": {"width": 0}, "hoverinfo": "skip"},
        common
        | {
            "name": definition.title,
            "x": places,
            "y": [point.value for point in steps],
            "line": {"color": palette.line, "width": 1.4},
            "text": [_hover(point, curve, definition.unit) for point in steps],
            "hovertemplate": "%{text}<extra></extra>",
        },
    ]


def _hover(point: HistoryPoint, curve: Curve, unit: str) -> str:
    at = clock_time(point.at, curve.zone, today=curve.until)
    if point.value is None:
        return f"{at}<br>no data"
    return f"{at}<br>{measure(point.value, unit)}, {measure(point.minimum, unit)} to {measure(point.maximum, unit)}"


def _layout(curve: Curve, top: float, definition: MetricDefinition, theme: str) -> Figure:
    days = [each for each in time_ticks(curve.start, curve.until, curve.zone) if ":" not in each[1]]
    ticks = [(at, label.replace(" ", "<br>")) for at, label in days]  # narrow enough for a telephone
    plain = layout(
        (curve.start, curve.until), top, THEMES[theme], times=ticks, values=value_ticks(top, definition.unit)
    )
    plain["xaxis"] |= {"automargin": False, "showgrid": True, "tickangle": 0}
    plain["yaxis"] |= {"automargin": False, "range": [0, top]}
    return plain | {"margin": MARGIN, "uirevision": f"{curve.queue}/{curve.metric}"}
