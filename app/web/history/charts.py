"""The chart of one metric of one queue: history, limits and verdicts in, a Plotly figure as plain dicts out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.floor.metric import DEFINITIONS, Metric, Worse
from app.core.gate.decision import Verdict
from app.core.gate.rule import Rule
from app.ports.history import HistoryPoint
from app.web.axes import time_ticks, value_ticks
from app.web.drawing import Figure, band, layout, note, x_of
from app.web.format import clock_time, measure
from app.web.palettes import THEMES, Palette
from app.web.spans import Span

GLYPHS = {Verdict.SEND: "●", Verdict.THROTTLE: "▲", Verdict.HOLD: "■", Verdict.UNKNOWN: "◇"}
RIBBON = (5, 22)  # the strip of verdicts lies so many pixels above the plot
WORD_FROM = 0.09  # a span shorter than that part of the chart shows its glyph only
GLYPH_FROM = 0.02
HEADROOM = 1.12
DOTS_BELOW = 40  # few points may stand alone, where a line has no length to be seen by
SHADE = {"opacity": 0.13, "layer": "below"}


@dataclass(frozen=True, slots=True)
class Chart:
    """All a chart shows. points: one per step with data, in order; rule None: the policy has none on this metric."""

    queue: str
    metric: Metric
    start: datetime
    until: datetime
    step_seconds: int
    points: Sequence[HistoryPoint]
    rule: Rule | None
    spans: Sequence[Span]
    zone: ZoneInfo


def figure(chart: Chart, theme: str) -> Figure:
    """Return {data, layout} for Plotly.react; theme is "dark" or "light"."""
    palette = THEMES[theme]
    steps = _every_step(chart)
    top = _top(chart)
    return {"data": _traces(chart, steps, palette), "layout": _layout(chart, top, palette)}


def _every_step(chart: Chart) -> list[HistoryPoint]:
    """Return a point for each step of the span: a step without data is an empty point, so the line breaks there."""
    if not chart.points:
        return []
    known = {point.at: point for point in chart.points}
    step, at = timedelta(seconds=chart.step_seconds), chart.points[0].at
    steps = []
    while at <= chart.points[-1].at:
        steps.append(known.get(at, HistoryPoint(at, None, None, None, 0)))
        at += step
    return steps


def limits(rule: Rule | None) -> tuple[float | None, float | None]:
    """Return a rule's hold and resume limits, whichever way is worse; None, None without a rule."""
    if rule is None:
        return None, None
    if rule.hold_above is not None:
        return rule.hold_above, rule.resume_below
    return rule.hold_below, rule.resume_above


def _top(chart: Chart) -> float:
    highest = [value for point in chart.points for value in (point.value, point.maximum) if value is not None]
    bounds = [limit for limit in limits(chart.rule) if limit is not None]
    unit = DEFINITIONS[chart.metric].unit
    if unit == "ratio" and DEFINITIONS[chart.metric].worse is Worse.LOWER:
        return 1.0
    least = {"seconds": 10.0, "ratio": 0.05}.get(unit, 4.0)
    top = max([*highest, *bounds, least]) * HEADROOM
    return min(top, 1.0) if unit == "ratio" else top


def _traces(chart: Chart, steps: Sequence[HistoryPoint], palette: Palette) -> list[Figure]:
    unit = DEFINITIONS[chart.metric].unit
    places = [x_of(point.at) for point in steps]
    x, y = band(places, [point.minimum for point in steps], [point.maximum for point in steps])
    common: Figure = {"type": "scatter", "mode": "lines", "showlegend": False}
    return [
        common
        | {"name": "lowest to highest", "x": x, "y": y, "fill": "toself", "fillcolor": palette.envelope}
        | {"line": {"width": 0}, "hoverinfo": "skip"},
        common
        | {
            "name": DEFINITIONS[chart.metric].title,
            "x": places,
            "y": [point.value for point in steps],
            "mode": "lines+markers" if len(chart.points) < DOTS_BELOW else "lines",
            "line": {"color": palette.line, "width": 1.8, "shape": "linear"},
            "marker": {"color": palette.line, "size": 5},
            "connectgaps": False,
            "text": [_hover(point, chart, unit) for point in steps],
            "hovertemplate": "%{text}<extra></extra>",
        },
    ]


def _hover(point: HistoryPoint, chart: Chart, unit: str) -> str:
    at = clock_time(point.at, chart.zone, today=chart.until)
    if point.value is None:
        return f"{at}<br>no data"
    spread = ""
    if point.minimum is not None and point.maximum is not None and point.minimum != point.maximum:
        spread = f"<br>{measure(point.minimum, unit)} to {measure(point.maximum, unit)}"
    return f"{at}<br>{measure(point.value, unit)}{spread}"


def _layout(chart: Chart, top: float, palette: Palette) -> Figure:
    unit = DEFINITIONS[chart.metric].unit
    times, values = time_ticks(chart.start, chart.until, chart.zone), value_ticks(top, unit)
    shapes, notes = _verdicts(chart, palette)
    limit_shapes, limit_notes = _limit_marks(chart, palette, unit)
    plain = layout((chart.start, chart.until), top, palette, times=times, values=values)
    return plain | {
        "shapes": shapes + limit_shapes,
        "annotations": notes + limit_notes,
        "uirevision": f"{chart.queue}/{chart.metric}",
    }


def _verdicts(chart: Chart, palette: Palette) -> tuple[list[Figure], list[Figure]]:
    """Return the ribbon above the plot with its words, and the shading of the spans in which nothing could be sent."""
    shapes: list[Figure] = []
    notes: list[Figure] = []
    whole = (chart.until - chart.start).total_seconds()
    for span in chart.spans:
        colour = palette.states[span.verdict]
        across: Figure = {"type": "rect", "xref": "x", "yref": "paper", "x0": x_of(span.start), "x1": x_of(span.until)}
        ribbon = {"ysizemode": "pixel", "yanchor": 1, "y0": RIBBON[0], "y1": RIBBON[1], "fillcolor": colour}
        shapes.append(across | ribbon | {"line": {"width": 0}})
        if span.verdict in {Verdict.HOLD, Verdict.UNKNOWN}:
            edge = {"width": 1, "color": colour, "dash": "solid" if span.verdict is Verdict.HOLD else "dot"}
            shapes.append(across | {"y0": 0, "y1": 1, "fillcolor": colour, "line": edge} | SHADE)
        part = (span.until - span.start).total_seconds() / whole
        if part >= GLYPH_FROM:
            glyph = GLYPHS[span.verdict]
            text = f"{glyph} {span.verdict.upper()}" if part >= WORD_FROM else glyph
            ink = palette.inks[span.verdict]
            middle = sum(RIBBON) / 2
            notes.append(note(text, x_of(span.start), 1, ink, yref="paper", yanchor="middle", yshift=middle))
    return shapes, notes


def _limit_marks(chart: Chart, palette: Palette, unit: str) -> tuple[list[Figure], list[Figure]]:
    hold, resume = limits(chart.rule)
    if chart.rule is None or hold is None:
        return [], []
    above = chart.rule.hold_above is not None
    outer, inner = ("bottom", "top") if above else ("top", "bottom")
    word, back = ("above", "below") if above else ("below", "above")
    across: Figure = {"xref": "paper", "yref": "y", "x0": 0, "x1": 1}
    line = across | {"type": "line", "y0": hold, "y1": hold}
    shapes = [line | {"line": {"color": palette.limit, "width": 1.5, "dash": "dash"}}]
    text = f"hold {word} {measure(hold, unit)}"
    notes = [note(text, 0, hold, palette.text, xref="paper", yanchor=outer, bgcolor=palette.veil)]
    if resume is not None and resume != hold:
        band = {"type": "rect", "y0": min(hold, resume), "y1": max(hold, resume), "fillcolor": palette.resume}
        shapes.append(across | band | {"opacity": 0.1, "line": {"width": 0}, "layer": "below"})
        back_line = across | {"type": "line", "y0": resume, "y1": resume}
        shapes.append(back_line | {"line": {"color": palette.resume, "width": 1, "dash": "dot"}})
        text = f"resume {back} {measure(resume, unit)}"
        notes.append(note(text, 0, resume, palette.muted, xref="paper", yanchor=inner, bgcolor=palette.veil))
    return shapes, notes
