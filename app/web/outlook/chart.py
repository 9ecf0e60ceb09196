"""The chart of one queue's next hours: what is expected, and what a send now would make of it. Pure.

Without a send is a solid line, with one a dashed line that says its name; bands are shaded, the limit is labelled.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from app.core.floor.metric import DEFINITIONS, Metric, Worse
from app.core.forecast.breach import Breach
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.outlook import Band, Outlook, Prospect, QueueOutlook
from app.core.forecast.series import FloatArray
from app.core.gate.decision import Verdict
from app.web.axes import time_ticks, value_ticks
from app.web.drawing import Figure, band, layout, note, x_of
from app.web.format import measure, number
from app.web.outlook.words import Reader, chance, expected, limit_of
from app.web.palettes import THEMES, Palette

METRICS = (Metric.SERVICE_LEVEL_RATIO, Metric.SPEED_TO_ANSWER_SECONDS, Metric.BACKLOG)
HEADROOM = 1.15
LOWEST_BELOW = 0.15  # of the height: the name of a lower line would lie on the axis
LEAST_TOP = {"seconds": 30.0, "ratio": 1.0}
LEAST_TOP_CONTACTS = 5.0
WORTH_MARKING = 0.01  # of probability: what breaks more rarely is not shaded


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """All that is known of the next hours, and what of it is looked at. audience None: no send was asked about.

    sent: when the audience is sent, in words.
    """

    at: datetime
    outlook: Outlook
    limits: OutlookLimits
    queue: str
    metric: Metric
    audience: int | None
    reader: Reader
    sent: str = "now"

    @property
    def until(self) -> datetime:
        """The instant to which it reaches."""
        return self.starts(len(self.without.offered))

    @property
    def without(self) -> QueueOutlook:
        """The queue, if nothing more is sent."""
        return _of(self.outlook.without, self.queue)

    @property
    def with_send(self) -> QueueOutlook | None:
        """The queue, if the audience is sent; None where none was asked about."""
        return _of(self.outlook.with_send, self.queue) if self.outlook.with_send else None

    def starts(self, interval: int) -> datetime:
        """Return when an interval begins."""
        minutes = timedelta(minutes=self.outlook.first_minute)
        return self.at + minutes + interval * timedelta(seconds=self.outlook.interval_seconds)

    @property
    def breach(self) -> Breach | None:
        """The window in which this metric of this queue is likeliest to break, with the send if there is one."""
        verdict = (self.outlook.with_send or self.outlook.without).verdict
        return next((each for each in verdict.breaches if (each.queue, each.metric) == (self.queue, self.metric)), None)


def band_of(queue: QueueOutlook, metric: Metric) -> Band:
    """Return a metric of a queue's outlook."""
    match metric:
        case Metric.SERVICE_LEVEL_RATIO:
            return queue.service_level_ratio
        case Metric.SPEED_TO_ANSWER_SECONDS:
            return queue.speed_to_answer_seconds
        case Metric.BACKLOG:
            return queue.backlog
        case _:
            raise ValueError(f"{metric} is not predicted per interval; choose one of {', '.join(METRICS)}")


def _of(prospect: Prospect, name: str) -> QueueOutlook:
    return next(queue for queue in prospect.queues if queue.queue == name)


def figure(ahead: Ahead, theme: str) -> Figure:
    """Return {data, layout} for Plotly.react; theme is "dark" or "light"."""
    palette, top = THEMES[theme], _top(ahead)
    span, unit = (ahead.starts(0), ahead.until), DEFINITIONS[ahead.metric].unit
    plain = layout(span, top, palette, times=time_ticks(*span, ahead.reader.zone), values=value_ticks(top, unit))
    shapes, notes = _marks(ahead, palette)
    return {
        "data": _traces(ahead, palette),
        "layout": plain
        | {"shapes": shapes, "annotations": notes + _names(ahead, palette)}
        | {"uirevision": f"outlook/{ahead.queue}/{ahead.metric}"},
    }


def listed(values: FloatArray) -> list[float | None]:
    """Return values as charts take them: None where there is nothing to have one."""
    return [float(value) if np.isfinite(value) else None for value in values]


def _top(ahead: Ahead) -> float:
    unit = DEFINITIONS[ahead.metric].unit
    if unit == "ratio":
        return 1.0
    queues = [queue for queue in (ahead.without, ahead.with_send) if queue]
    bands = [band_of(queue, ahead.metric) for queue in queues]
    found = [value for each in bands for value in (*listed(each.mean), *listed(each.high)) if value is not None]
    limit = limit_of(ahead.limits, ahead.metric) or 0.0
    return max([*found, limit, LEAST_TOP.get(unit, LEAST_TOP_CONTACTS)]) * HEADROOM


def _traces(ahead: Ahead, palette: Palette) -> list[Figure]:
    sent = palette.states[Verdict.SEND]
    without, with_send = ahead.without, ahead.with_send
    traces = [
        _spread(ahead, without, palette.envelope),
        _line(ahead, without, "nothing sent", {"color": palette.line, "width": 2}),
    ]
    if with_send is not None:
        traces.insert(1, _spread(ahead, with_send, palette.sent))
        line = {"color": sent, "width": 2.8, "dash": "7px,4px"}
        traces.append(_line(ahead, with_send, _said(ahead), line))
    return traces


def _said(ahead: Ahead) -> str:
    return f"{number(ahead.audience)} sent {ahead.sent}"


def _places(ahead: Ahead) -> list[str]:
    """Return where each interval is drawn: at its middle."""
    half = timedelta(seconds=ahead.outlook.interval_seconds / 2)
    return [x_of(ahead.starts(place) + half) for place in range(len(ahead.without.offered))]


def _spread(ahead: Ahead, queue: QueueOutlook, colour: str) -> Figure:
    each = band_of(queue, ahead.metric)
    x, y = band(_places(ahead), listed(each.low), listed(each.high))
    plain: Figure = {"type": "scatter", "mode": "lines", "showlegend": False, "name": "8 of 10 cases"}
    return plain | {"x": x, "y": y, "fill": "toself", "fillcolor": colour, "line": {"width": 0}, "hoverinfo": "skip"}


def _line(ahead: Ahead, queue: QueueOutlook, name: str, line: Figure) -> Figure:
    each = band_of(queue, ahead.metric)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "showlegend": False,
        "x": _places(ahead),
        "y": listed(each.mean),
        "line": line,
        "connectgaps": False,
        "text": _hovers(ahead, each, name),
        "hovertemplate": "%{text}<extra></extra>",
    }


def _hovers(ahead: Ahead, each: Band, name: str) -> list[str]:
    unit, reader = DEFINITIONS[ahead.metric].unit, ahead.reader
    texts = []
    for place, values in enumerate(zip(listed(each.mean), listed(each.low), listed(each.high), strict=True)):
        mean, low, high = (expected(value, unit) for value in values)
        between = f"<br>{low} to {high}" if low != high else ""
        texts.append(f"{reader.span(ahead.starts(place), ahead.starts(place + 1))}, {name}<br>{mean}{between}")
    return texts


def _marks(ahead: Ahead, palette: Palette) -> tuple[list[Figure], list[Figure]]:
    """Return the limit, and the window in which it is likeliest to break, each with what it is."""
    limit = limit_of(ahead.limits, ahead.metric)
    if limit is None:
        return [], []
    definition = DEFINITIONS[ahead.metric]
    line: Figure = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": limit, "y1": limit}
    shapes = [line | {"line": {"color": palette.limit, "width": 1.5}}]
    inside = "bottom" if definition.worse is Worse.HIGHER else "top"
    text = f"limit {measure(limit, definition.unit)}"
    at_end: Figure = {"xref": "paper", "xanchor": "right", "yanchor": inside, "bgcolor": palette.veil}
    notes = [note(text, 1, limit, palette.text, **at_end)]
    breach = ahead.breach
    if breach is not None and breach.probability >= WORTH_MARKING:
        starts, ends = (
            ahead.at + timedelta(seconds=each) for each in (breach.window_start_seconds, breach.window_end_seconds)
        )
        window: Figure = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": x_of(starts), "x1": x_of(ends)}
        shapes.append(window | {"fillcolor": palette.cost, "line": {"width": 0}, "layer": "below"})
        said = f"may break here: {chance(breach.probability, ahead.limits.max_breach_probability)}"
        notes.append(note(said, x_of(starts), 1, palette.text, yref="paper", yanchor="bottom"))
    return shapes, notes


def _names(ahead: Ahead, palette: Palette) -> list[Figure]:
    """Return the name of the send's line where it lies furthest from the other one, and that one's at its end."""
    if ahead.with_send is None:
        return []
    one, other = (band_of(queue, ahead.metric).mean for queue in (ahead.without, ahead.with_send))
    gaps, places = np.abs(one - other), _places(ahead)
    if not np.isfinite(gaps).any():
        return []
    widest, last = int(np.nanargmax(gaps)), int(np.flatnonzero(np.isfinite(gaps))[-1])
    is_above = bool(other[widest] >= one[widest] or other[widest] < LOWEST_BELOW * _top(ahead))
    side = "left" if widest < len(places) / 3 else "right" if widest > len(places) * 2 / 3 else "center"
    sent: Figure = {"xanchor": side} | _placed(above=is_above)
    return [
        _name(_said(ahead), places[widest], other[widest], palette.states[Verdict.SEND], palette, **sent),
        _name(
            "nothing sent",
            places[last],
            one[last],
            palette.text,
            palette,
            xanchor="right",
            **_placed(above=not is_above),
        ),
    ]


def _placed(*, above: bool) -> Figure:
    return {"yanchor": "bottom", "yshift": 5} if above else {"yanchor": "top", "yshift": -5}


def _name(text: str, x: str, y: float, colour: str, palette: Palette, **placed: object) -> Figure:
    font = {"size": 13, "weight": 700, "color": colour}
    return note(text, x, float(y), colour, bgcolor=palette.veil, font=font, **placed)
