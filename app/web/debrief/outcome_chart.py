"""The chart of what was predicted and what happened: a shade and a dashed line, and a solid one over them. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.core.floor.metric import Worse
from app.core.gate.decision import Verdict
from app.web.axes import time_ticks, value_ticks
from app.web.debrief.outcome import Outcome, between
from app.web.drawing import Figure, band, layout, note, x_of
from app.web.format import measure
from app.web.instants import minute
from app.web.palettes import THEMES, Palette

HEADROOM = 1.15
LEAST_TOP = {"seconds": 30.0, "ratio": 1.0}
LEAST_TOP_CONTACTS = 5.0
MOST_WAVES = 12
AT_EDGE = 0.1  # of the chart: a name there would stand over the axis
MARGIN = {"l": 6, "r": 6, "t": 22, "b": 6}


def figure(shown: Outcome, theme: str) -> Figure:
    """Return {data, layout} for Plotly.react; theme is "dark" or "light"."""
    palette, unit, top = THEMES[theme], shown.definition.unit, _top(shown)
    times, values = time_ticks(*shown.span, shown.zone), value_ticks(top, unit)
    plain = layout(shown.span, top, palette, times=times, values=values)
    limit_shapes, limit_notes = _limit(shown, palette)
    wave_shapes, wave_notes = _waves(shown, palette)
    return {
        "data": [*_predicted(shown, palette), _happened(shown, palette)],
        "layout": plain
        | {"margin": MARGIN, "shapes": limit_shapes + wave_shapes}
        | {"annotations": [*limit_notes, *wave_notes, *_names(shown, palette)]}
        | {"uirevision": f"debrief/{shown.predicted.queue}/{shown.metric}"},
    }


def _top(shown: Outcome) -> float:
    unit = shown.definition.unit
    if unit == "ratio":
        return 1.0
    spread = shown.spread
    found = [value for each in (spread.mean, spread.high, shown.measured) for value in each if value is not None]
    limit = shown.limit.value if shown.limit else 0.0
    return max([*found, limit, LEAST_TOP.get(unit, LEAST_TOP_CONTACTS)]) * HEADROOM


def _middles(starts: Sequence[datetime], step: timedelta) -> list[str]:
    return [x_of(at + step / 2) for at in starts]


def _predicted(shown: Outcome, palette: Palette) -> list[Figure]:
    spread, places = shown.spread, range(len(shown.spread.mean))
    starts = [shown.starts(place) for place in places]
    x = _middles(starts, shown.step)
    across, up = band(x, spread.low, spread.high)
    unit = shown.definition.unit
    hovers = [
        f"{minute(at, shown.zone)}, predicted<br>{measure(mean, unit)}, {between(low, high, unit)}"
        for at, mean, low, high in zip(starts, spread.mean, spread.low, spread.high, strict=True)
    ]
    plain: Figure = {"type": "scatter", "mode": "lines", "showlegend": False}
    shade = {"fill": "toself", "fillcolor": palette.sent, "line": {"width": 0}, "hoverinfo": "skip"}
    line = {"color": palette.states[Verdict.SEND], "width": 2, "dash": "7px,4px"}
    return [
        plain | {"name": "8 of 10 cases", "x": across, "y": up} | shade,
        plain
        | {"name": "predicted", "x": x, "y": list(spread.mean), "line": line, "connectgaps": False}
        | _said(hovers),
    ]


def _happened(shown: Outcome, palette: Palette) -> Figure:
    starts = [shown.at(place) for place in range(len(shown.measured))]
    unit = shown.definition.unit
    hovers = [
        f"{minute(at, shown.zone)}, measured<br>{measure(value, unit)}"
        for at, value in zip(starts, shown.measured, strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "measured",
        "showlegend": False,
        "x": _middles(starts, shown.window_step),
        "y": list(shown.measured),
        "line": {"color": palette.line, "width": 2.2},
        "connectgaps": False,
    } | _said(hovers)


def _said(hovers: list[str]) -> Figure:
    return {"text": hovers, "hovertemplate": "%{text}<extra></extra>"}


def _limit(shown: Outcome, palette: Palette) -> tuple[list[Figure], list[Figure]]:
    if shown.limit is None:
        return [], []
    value, unit = shown.limit.value, shown.definition.unit
    across: Figure = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value}
    inside = "bottom" if shown.definition.worse is Worse.HIGHER else "top"
    placed: Figure = {"xref": "paper", "xanchor": "right", "yanchor": inside, "bgcolor": palette.veil}
    text = f"limit {measure(value, unit)}"
    return [across | {"line": {"color": palette.limit, "width": 1.5}}], [note(text, 1, value, palette.text, **placed)]


def _waves(shown: Outcome, palette: Palette) -> tuple[list[Figure], list[Figure]]:
    """Return a line at each wave with its number above it; of very many, the first ones alone."""
    upright: Figure = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": palette.muted, "width": 1}}
    shapes, notes = [], []
    for number, at in enumerate(shown.waves[:MOST_WAVES], 1):
        shapes.append(upright | {"x0": x_of(at), "x1": x_of(at), "layer": "below"})
        text = str(number) if len(shown.waves) > 1 else "sent"
        placed: Figure = {"yref": "paper", "yanchor": "bottom", "xanchor": "left", "borderpad": 0}
        notes.append(note(text, x_of(at), 1, palette.muted, **placed))
    return shapes, notes


def _names(shown: Outcome, palette: Palette) -> list[Figure]:
    """Return the names of both lines: predicted where its line ends, measured where that was worst."""
    spread, measured = shown.spread.mean, shown.measured
    is_least = shown.definition.worse is Worse.LOWER
    names = []
    ends = [place for place, value in enumerate(spread) if value is not None]
    if ends:
        at, value = shown.starts(ends[-1]), spread[ends[-1]]
        names.append(
            _name("predicted", at, value, palette.states[Verdict.SEND], palette, above=not is_least, side="right")
        )
    known = [(value, place) for place, value in enumerate(measured) if value is not None]
    if known:
        value, place = (min if is_least else max)(known)
        side = "left" if place < len(measured) * AT_EDGE else "center"
        names.append(_name("measured", shown.at(place), value, palette.text, palette, above=not is_least, side=side))
    return names


def _name(
    text: str, at: datetime, value: float | None, colour: str, palette: Palette, *, above: bool, side: str = "center"
) -> Figure:
    placed: Figure = {"yanchor": "bottom", "yshift": 4} if above else {"yanchor": "top", "yshift": -4}
    font = {"size": 12, "weight": 700, "color": colour}
    return note(text, x_of(at), value, colour, font=font, bgcolor=palette.veil, xanchor=side, **placed)
