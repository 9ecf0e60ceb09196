"""What is drawn on a chart as lines and marks: Plotly's traces, in the order in which they lie. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from html import escape
from textwrap import wrap
from zoneinfo import ZoneInfo

import numpy as np

from app.core.gate.decision import Verdict
from app.ports.history import HistoryPoint
from app.web.drawing import Figure, band, x_of
from app.web.format import clock_time, measure, number
from app.web.history.charts import Chart, layout_of, top_of
from app.web.history.choice import HOUR, Behind, Layer
from app.web.history.marks import Mark
from app.web.outlook.chart import Ahead, band_of, listed
from app.web.outlook.words import expected
from app.web.palettes import THEMES, Palette

DOTS_BELOW = 40  # few points may stand alone, where a line has no length to be seen by
BREAK_STEPS = 3.5
HOVER_WIDTH = 48
NAMES = {Behind.YESTERDAY: "yesterday", Behind.LAST_WEEK: "last week"}
DASHES = {Behind.YESTERDAY: "2px,3px", Behind.LAST_WEEK: "7px,3px"}
# The form of each kind of mark, the same as in the legend, and how high on the scale it stands.
SYMBOLS = {Layer.NOTES: "star", Layer.DEPLOYS: "pentagon", Layer.CHANGES: "cross"}
AT_TOP, AT_FOOT = 0.94, 0.035
SEND_SIZES = 9, 17
FULL_SIZE = 50_000
LINE: Figure = {"type": "scatter", "mode": "lines", "showlegend": False, "connectgaps": False}
SILENT: Figure = {"hoverinfo": "skip"}


def figure(chart: Chart, theme: str) -> Figure:
    """Return {data, layout} for Plotly.react; theme is "dark" or "light"."""
    palette, top = THEMES[theme], top_of(chart)
    traces = [*_behind(chart, palette), *_past(chart, palette), *_ahead(chart, palette), *_marks(chart, palette, top)]
    return {"data": traces, "layout": layout_of(chart, theme)}


# --- lines ---


def unbroken(points: Sequence[HistoryPoint], step: timedelta) -> list[HistoryPoint]:
    """Return the points with an empty one after each that is followed by nothing for more than three steps."""
    whole: list[HistoryPoint] = []
    for place, point in enumerate(points):
        whole.append(point)
        if place + 1 < len(points) and points[place + 1].at - point.at > BREAK_STEPS * step:
            whole.append(HistoryPoint(point.at + step, None, None, None, 0))
    return whole


def _past(chart: Chart, palette: Palette) -> list[Figure]:
    steps = unbroken(chart.points, timedelta(seconds=chart.step_seconds))
    places = [millis(point.at) for point in steps]
    x, y = band(places, [point.minimum for point in steps], [point.maximum for point in steps])
    spread = {"name": "lowest to highest", "x": x, "y": y, "fill": "toself", "fillcolor": palette.envelope}
    line = {
        "name": chart.definition.title,
        "x": places,
        "y": [rounded(point.value) for point in steps],
        "mode": "lines+markers" if len(chart.points) < DOTS_BELOW else "lines",
        "line": {"color": palette.line, "width": 1.8},
        "marker": {"color": palette.line, "size": 5},
        "text": _hovers(chart, steps),
        "hovertemplate": "%{text}<extra></extra>",
    }
    return [LINE | spread | {"line": {"width": 0}} | SILENT, LINE | line]


def millis(at: datetime) -> int:
    """Return an instant as a line has it: milliseconds of UTC, half as long as in words."""
    return int(at.timestamp() * 1000)


def rounded(value: float | None) -> float | None:
    """Return a value as closely as anybody can see it: figures stay small."""
    return None if value is None else round(value, 3)


def _hovers(chart: Chart, steps: Sequence[HistoryPoint]) -> list[str]:
    unit = chart.definition.unit
    when, said = _teller(chart), cache(lambda value: measure(value, unit))
    texts = []
    for point in steps:
        low, high = rounded(point.minimum), rounded(point.maximum)
        spread = "" if low is None or high is None or low == high else f"<br>{said(low)} to {said(high)}"
        texts.append(f"{when(point.at)}<br>{said(rounded(point.value))}{spread}")
    return texts


def _teller(chart: Chart) -> Callable[[datetime], str]:
    """Return what says an instant: with its day, unless the chart is of some hours."""
    if chart.end - chart.start <= 6 * HOUR:
        return lambda at: f"{at.astimezone(chart.zone):%H:%M}"
    return lambda at: f"{at.astimezone(chart.zone):%a %d %b %H:%M}"


def _behind(chart: Chart, palette: Palette) -> list[Figure]:
    """Return earlier days as thin lines. They are read by their name in the legend, not by pointing at them."""
    step = timedelta(seconds=chart.step_seconds)
    traces = []
    for day, course in chart.behind.items():
        steps = unbroken(course, step)
        line = {"color": palette.muted, "width": 1, "dash": DASHES[day]}
        places = {"x": [millis(point.at) for point in steps], "y": [rounded(point.value) for point in steps]}
        traces.append(LINE | {"name": NAMES[day], "line": line, "opacity": 0.75} | places | SILENT)
    return traces


def _ahead(chart: Chart, palette: Palette) -> list[Figure]:
    """Return what is expected: a band of 8 of 10 cases with its mean, and the same for a send that was asked about."""
    ahead = chart.ahead
    if ahead is None:
        return []
    sent = palette.states[Verdict.SEND]
    without = _expected(
        chart, ahead, is_sent=False, colour=palette.envelope, line={"color": palette.muted, "width": 1.8}
    )
    if ahead.with_send is None:
        return without
    dashed = {"color": sent, "width": 2.4, "dash": "7px,4px"}
    return [*without, *_expected(chart, ahead, is_sent=True, colour=palette.sent, line=dashed)]


def _expected(chart: Chart, ahead: Ahead, *, is_sent: bool, colour: str, line: Figure) -> list[Figure]:
    queue = ahead.with_send if is_sent and ahead.with_send else ahead.without
    name = f"{number(ahead.audience)} sent now" if is_sent else "expected"
    half = timedelta(seconds=ahead.outlook.interval_seconds / 2)
    starts = [ahead.starts(place) + half for place in range(len(queue.offered))]
    shown = [place for place, at in enumerate(starts) if chart.until <= at <= chart.end]
    each, unit, when = band_of(queue, chart.metric), chart.definition.unit, _teller(chart)
    low, mean, high = (
        [rounded(values[place]) for place in shown] for values in map(listed, (each.low, each.mean, each.high))
    )
    places = [x_of(starts[place]) for place in shown]
    x, y = band(places, low, high)
    texts = [
        f"{when(starts[place])}, {name}<br>{expected(middle, unit)}, {expected(least, unit)} to {expected(most, unit)}"
        for place, least, middle, most in zip(shown, low, mean, high, strict=True)
    ]
    spread = {"name": "8 of 10 cases", "x": x, "y": y, "fill": "toself", "fillcolor": colour, "line": {"width": 0}}
    said = {
        "name": name,
        "x": places,
        "y": mean,
        "line": line,
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
    }
    return [LINE | spread | SILENT, LINE | said]


# --- marks ---


def _marks(chart: Chart, palette: Palette, top: float) -> list[Figure]:
    own = [mark for mark in chart.marks if mark.layer not in chart.hidden and mark.queue in (None, chart.queue)]
    of = {layer: [mark for mark in own if mark.layer is layer] for layer in Layer}
    traces = []
    if of[Layer.GAPS]:
        traces.append(
            _bars(chart, of[Layer.GAPS], top * AT_FOOT, {"color": palette.states[Verdict.UNKNOWN], "width": 7})
        )
    lasting = [mark for mark in of[Layer.CHANGES] if mark.until is not None]
    if lasting:
        traces.append(_bars(chart, lasting, top * AT_TOP, {"color": palette.text, "width": 3}))
    if of[Layer.SENDS]:
        traces.append(_sends(chart, of[Layer.SENDS], palette, top))
    for layer, symbol in SYMBOLS.items():
        if of[layer]:
            marker = {
                "symbol": symbol,
                "size": 10,
                "color": palette.text,
                "line": {"color": palette.surface, "width": 1},
            }
            traces.append(_points(chart, of[layer], top * AT_TOP, marker, layer.value))
    return traces


def _sends(chart: Chart, sends: Sequence[Mark], palette: Palette, top: float) -> Figure:
    """Return an arrow upwards for each send, the larger the more it may reach."""
    least, most = SEND_SIZES
    sizes = [least + (most - least) * min(1.0, float(np.sqrt(send.amount / FULL_SIZE))) for send in sends]
    edge = {"color": palette.surface, "width": 1}
    marker = {"symbol": "arrow-up", "size": sizes, "color": palette.states[Verdict.SEND], "line": edge}
    return _points(chart, sends, top * AT_FOOT, marker, "sends")


def _points(chart: Chart, marks: Sequence[Mark], height: float, marker: Figure, name: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "showlegend": False,
        "x": [x_of(mark.at) for mark in marks],
        "y": [round(height, 4)] * len(marks),
        "marker": marker,
        "cliponaxis": False,
        "text": [_said(chart, mark) for mark in marks],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _bars(chart: Chart, marks: Sequence[Mark], height: float, line: Figure) -> Figure:
    """Return a thick stroke from the begin to the end of each mark."""
    x: list[str | None] = []
    texts: list[str | None] = []
    for mark in marks:
        x += [x_of(mark.at), x_of(mark.until or mark.at), None]
        texts += [_said(chart, mark)] * 2 + [None]
    y = [None if place is None else round(height, 4) for place in x]
    said = {"text": texts, "hovertemplate": "%{text}<extra></extra>"}
    return LINE | {"name": f"{marks[0].layer}, lasting", "x": x, "y": y, "line": line} | said


def _said(chart: Chart, mark: Mark) -> str:
    return _text_of(mark, chart.zone, chart.until)


@lru_cache(maxsize=1024)  # the charts of a queue have the same marks
def _text_of(mark: Mark, zone: ZoneInfo, today: datetime) -> str:
    """Return what pointing at a mark says. Its words come from people: as text they are safe, and broken into lines."""
    until = "" if mark.until is None else f" to {clock_time(mark.until, zone, today=today)}"
    return "<br>".join([f"{clock_time(mark.at, zone, today=today)}{until}", *_lines(mark.text)])


def _lines(text: str) -> Iterable[str]:
    return (escape(line, quote=False) for line in wrap(text, HOVER_WIDTH))
