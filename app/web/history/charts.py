"""One metric of one queue over time: history, limits, verdicts, what happened and what is ahead, as a Plotly figure.

Plain dicts, made on the server; pure. Nothing is said by colour alone: spans have their state's glyph, limits their
words, marks a form of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.floor.metric import DEFINITIONS, Metric, MetricDefinition, Worse
from app.core.gate.decision import Verdict
from app.core.gate.rule import Rule
from app.ports.history import HistoryPoint
from app.web.axes import time_ticks, value_ticks
from app.web.drawing import Figure, layout, note, x_of
from app.web.format import measure
from app.web.history.choice import Behind, Layer
from app.web.history.marks import Mark
from app.web.outlook.chart import Ahead, band_of, listed
from app.web.outlook.words import limit_of
from app.web.palettes import THEMES, Palette
from app.web.spans import Span

GLYPHS = {Verdict.SEND: "●", Verdict.THROTTLE: "▲", Verdict.HOLD: "■", Verdict.UNKNOWN: "◇"}
SHUT = (Verdict.HOLD, Verdict.UNKNOWN)
GLYPH_FROM = 0.025  # a span shorter than that part of the chart has no room for its glyph
HEADROOM = 1.12
LEAST_TOP = {"seconds": 10.0, "ratio": 0.05}
LEAST_TOP_CONTACTS = 4.0
SHADE = {"opacity": 0.13, "layer": "below"}
MARGIN = {"l": 6, "r": 6, "t": 20, "b": 6}


@dataclass(frozen=True, slots=True)
class Chart:
    """All a chart shows. points: one per step with data, in order; rule None: the policy has none on this metric.

    until is now, end the right edge: later than now where there is an outlook. spans: in which the gate stood at which
    verdict, shut ones only where that is drawn. behind: earlier days, their points moved to today. ahead None: the
    outlook does not have this metric, or is not drawn.
    """

    queue: str
    title: str
    metric: Metric
    start: datetime
    until: datetime
    end: datetime
    step_seconds: int
    points: Sequence[HistoryPoint]
    rule: Rule | None
    spans: Sequence[Span]
    zone: ZoneInfo
    marks: Sequence[Mark] = ()
    behind: Mapping[Behind, Sequence[HistoryPoint]] = field(default_factory=dict)
    ahead: Ahead | None = None
    hidden: frozenset[Layer] = frozenset()

    @property
    def definition(self) -> MetricDefinition:
        """What the metric means."""
        return DEFINITIONS[self.metric]


def limits(rule: Rule | None) -> tuple[float | None, float | None]:
    """Return a rule's hold and resume limits, whichever way is worse; None, None without a rule."""
    return (None, None) if rule is None else (rule.hold_limit, rule.resume_limit)


def top_of(chart: Chart) -> float:
    """Return the upper end of the scale: a little above all lines and limits. Shares of all that came reach to one."""
    unit = chart.definition.unit
    if unit == "ratio" and chart.definition.worse is Worse.LOWER:
        return 1.0
    courses = [chart.points, *chart.behind.values()]
    highest = [value for course in courses for point in course for value in (point.value,) if value is not None]
    highest += [point.maximum for point in chart.points if point.maximum is not None]
    bounds = [limit for limit in limits(chart.rule) if limit is not None]
    top = max([*highest, *bounds, *_expected(chart), LEAST_TOP.get(unit, LEAST_TOP_CONTACTS)]) * HEADROOM
    return min(top, 1.0) if unit == "ratio" else top


def _expected(chart: Chart) -> list[float]:
    if chart.ahead is None:
        return []
    queues = [queue for queue in (chart.ahead.without, chart.ahead.with_send) if queue]
    return [value for queue in queues for value in listed(band_of(queue, chart.metric).mean) if value is not None]


def layout_of(chart: Chart, theme: str) -> Figure:
    """Return the layout: axes, and everything that is no line: shades, limits and their words."""
    palette, unit, top = THEMES[theme], chart.definition.unit, top_of(chart)
    times, values = time_ticks(chart.start, chart.end, chart.zone), value_ticks(top, unit)
    plain = layout((chart.start, chart.end), top, palette, times=times, values=values)
    parts = [_shut(chart, palette), _limit_marks(chart, palette, unit), _now(chart, palette)]
    return plain | {
        "margin": MARGIN,
        "hovermode": "closest",
        "shapes": [shape for shapes, _ in parts for shape in shapes],
        "annotations": [each for _, notes in parts for each in notes],
        "uirevision": f"{chart.queue}/{chart.metric}",
    }


def _shut(chart: Chart, palette: Palette) -> tuple[list[Figure], list[Figure]]:
    """Return the shades of the spans in which nothing could be sent, each with its state's glyph above it."""
    shapes: list[Figure] = []
    notes: list[Figure] = []
    whole = (chart.end - chart.start).total_seconds()
    for span in chart.spans:
        if span.verdict not in SHUT:
            continue
        colour = palette.states[span.verdict]
        edge = {"width": 1, "color": colour, "dash": "solid" if span.verdict is Verdict.HOLD else "dot"}
        across: Figure = {"type": "rect", "xref": "x", "yref": "paper", "x0": x_of(span.start), "x1": x_of(span.until)}
        shapes.append(across | {"y0": 0, "y1": 1, "fillcolor": colour, "line": edge} | SHADE)
        if (span.until - span.start).total_seconds() / whole >= GLYPH_FROM:
            placed: Figure = {"yref": "paper", "yanchor": "bottom", "xanchor": "left", "borderpad": 0}
            notes.append(note(GLYPHS[span.verdict], x_of(span.start), 1, colour, **placed))
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


def _now(chart: Chart, palette: Palette) -> tuple[list[Figure], list[Figure]]:
    """Return where the past ends, and the limit that the outlook keeps to from there on; nothing where all is past."""
    if chart.end == chart.until:
        return [], []
    now, end = x_of(chart.until), x_of(chart.end)
    upright: Figure = {"type": "line", "yref": "paper", "x0": now, "x1": now, "y0": 0, "y1": 1}
    shapes = [upright | {"line": {"color": palette.muted, "width": 1}}]
    notes = [note("now", now, 1, palette.muted, yref="paper", yanchor="bottom", xanchor="center", borderpad=0)]
    limit = limit_of(chart.ahead.limits, chart.metric) if chart.ahead else None
    if limit is not None:
        across: Figure = {"type": "line", "x0": now, "x1": end, "y0": limit, "y1": limit}
        shapes.append(across | {"line": {"color": palette.limit, "width": 1.2}})
        inside = "bottom" if chart.definition.worse is Worse.HIGHER else "top"
        text = f"outlook's limit {measure(limit, chart.definition.unit)}"
        placed: Figure = {"xanchor": "right", "yanchor": inside, "bgcolor": palette.veil}
        notes.append(note(text, end, limit, palette.text, **placed))
    return shapes, notes
