"""The same day twice as one picture: two curves of the speed to answer, and when each day's emails left. Pure.

All at once is a filled curve, gated a bold line: they differ by shape as well as by colour, and each says its name.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.core.gate.decision import Verdict
from app.core.simulation.daybook import FiveMinutes
from app.core.simulation.twins import Day, Twins
from app.web.axes import time_ticks, value_ticks
from app.web.drawing import Figure, layout, note, x_of
from app.web.format import count, duration, hour_and_minute
from app.web.palettes import THEMES, Palette

HEADROOM = 1.22
RUG = 0.1  # of the height: below zero there is so much room, in the middle of which waves are ticked
LEAST_TOP_SECONDS = 60.0
SHOWN_AT_FIRST = timedelta(hours=4)
AHEAD = timedelta(minutes=20)
NAME_LENGTH = timedelta(minutes=30)
WORTH_A_NAME = 0.08  # of the height: curves closer than that cannot be told apart by a name between them


def figure(twins: Twins, theme: str) -> Figure:
    """Return {data, layout} for Plotly.react; theme is "dark" or "light"."""
    palette = THEMES[theme]
    span, top = (twins.start, _until(twins)), _top(twins)
    plain = layout(span, top, palette, times=time_ticks(*span, twins.zone), values=value_ticks(top, "seconds"))
    plain["yaxis"]["range"] = [-RUG * top, top]
    shapes, notes = _marks(twins, palette)
    names = _names(twins, top, palette)
    return {
        "data": _curves(twins, palette),
        "layout": plain | {"shapes": shapes, "annotations": notes + names, "uirevision": "twins"},
    }


def _until(twins: Twins) -> datetime:
    """Return where the chart ends: some hours at first, then a whole hour ahead of what is told."""
    hour = timedelta(hours=1)
    told = -((twins.start - twins.until - AHEAD) // hour) * hour
    return min(twins.end, twins.start + max(told, SHOWN_AT_FIRST))


def _top(twins: Twins) -> float:
    values = (each.speed_to_answer_seconds for day in (twins.at_once, twins.gated) for each in day.queue)
    return max((value for value in values if value is not None), default=0.0) * HEADROOM or LEAST_TOP_SECONDS


def _curves(twins: Twins, palette: Palette) -> list[Figure]:
    bad, good = palette.states[Verdict.HOLD], palette.states[Verdict.SEND]
    filled = {"fill": "tozeroy", "fillcolor": palette.cost}
    return [
        _curve(twins.at_once.queue, "all at once", bad, 1.6, twins) | filled,
        _curve(twins.gated.queue, "gated", good, 2.8, twins),
        _waves(twins, good, _top(twins)),
    ]


def _curve(series: Sequence[FiveMinutes], name: str, colour: str, width: float, twins: Twins) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "showlegend": False,
        "x": [x_of(each.until) for each in series],
        "y": [each.speed_to_answer_seconds for each in series],
        "line": {"color": colour, "width": width},
        "connectgaps": False,
        "text": [
            f"{hour_and_minute(each.until, twins.zone)}, {name}<br>{duration(each.speed_to_answer_seconds)}"
            for each in series
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _waves(twins: Twins, colour: str, top: float) -> Figure:
    """Return the gated day's waves as ticks below the curves."""
    waves = twins.gated.waves
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "waves",
        "showlegend": False,
        "x": [x_of(wave.start) for wave in waves],
        "y": [-RUG / 2 * top] * len(waves),
        "marker": {"symbol": "line-ns", "size": 7, "line": {"width": 2.5, "color": colour}},
        "text": [
            f"{hour_and_minute(wave.start, twins.zone)}, gated<br>{count(wave.people, 'email')}" for wave in waves
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _marks(twins: Twins, palette: Palette) -> tuple[list[Figure], list[Figure]]:
    """Return the line at which everything left at once, with what it is."""
    colour = palette.states[Verdict.HOLD]
    at = x_of(twins.planned_at)
    line = {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1}
    shape = line | {"line": {"color": colour, "width": 1.5, "dash": "dot"}}
    verb = "leave" if twins.until < twins.planned_at else "left"
    text = f"{hour_and_minute(twins.planned_at, twins.zone)}  {count(twins.audience, 'email')} {verb} at once"
    return [shape], [note(text, at, 1, palette.text, yref="paper", yanchor="bottom", xshift=-4)]


def _names(twins: Twins, top: float, palette: Palette) -> list[Figure]:
    """Return each curve's name on it: at the peak of the one, and where the other lies furthest below it."""
    peak, widest = twins.at_once.peak(twins.planned_at), _widest(twins.at_once, twins.gated, twins.planned_at)
    if peak is None or widest is None or widest[1] < top * WORTH_A_NAME:
        return []
    return [
        _name("all at once", peak.until, twins.at_once.queue, palette.states[Verdict.HOLD]),
        _name("gated", widest[0].until, twins.gated.queue, palette.states[Verdict.SEND]),
    ]


def _name(text: str, at: datetime, series: Sequence[FiveMinutes], colour: str) -> Figure:
    """Return a curve's name, to stand above all of the curve that is below the word."""
    below = [each.speed_to_answer_seconds or 0.0 for each in series if at <= each.until <= at + NAME_LENGTH]
    font = {"size": 13, "weight": 700, "color": colour}
    return note(text, x_of(at), max(below), colour, yanchor="bottom", yshift=2) | {"font": font}


def _widest(at_once: Day, gated: Day, since: datetime) -> tuple[FiveMinutes, float] | None:
    """Return the gated day's five minutes at which it does best against the other, and by how many seconds."""
    gaps = [
        (below, above.speed_to_answer_seconds - below.speed_to_answer_seconds)
        for above, below in zip(at_once.queue, gated.queue, strict=False)
        if below.until > since
        and above.speed_to_answer_seconds is not None
        and below.speed_to_answer_seconds is not None
    ]
    return max(gaps, key=lambda gap: gap[1], default=None)
