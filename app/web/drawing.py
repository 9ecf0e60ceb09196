"""What all charts are drawn with: instants, notes, and a layout without anything on it. Plotly's dicts; pure.

x is UTC so that DST can neither fold nor tear a line; ticks and hover texts are in the center's zone.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TypeVar

from app.web.palettes import Palette

Figure = dict[str, Any]
Place = TypeVar("Place", str, int)  # an instant: in words, or in milliseconds


def x_of(at: datetime) -> str:
    """Return an instant as charts place it."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def note(text: str, x: object, y: object, colour: str, **placed: object) -> Figure:
    """Return a text on the chart, to the right of its place unless `placed` says otherwise."""
    plain: Figure = {"showarrow": False, "font": {"size": 11, "color": colour}, "xanchor": "left", "borderpad": 2}
    return plain | {"text": text, "x": x, "y": y, "xref": "x", "yref": "y"} | placed


def band(
    x: Sequence[Place], low: Sequence[float | None], high: Sequence[float | None]
) -> tuple[list[Place | None], list[float | None]]:
    """Return one closed outline per run of places at which both edges are known, a None after each."""
    across: list[Place | None] = []
    up: list[float | None] = []
    edges = list(zip(x, low, high, strict=True))
    for known, run in groupby(edges, key=lambda edge: edge[1] is not None and edge[2] is not None):
        if known:
            there = list(run)
            back = there[::-1]
            across += [place for place, _, _ in there + back] + [None]
            up += [lowest for _, lowest, _ in there] + [highest for _, _, highest in back] + [None]
    return across, up


def layout(
    span: tuple[datetime, datetime],
    top: float,
    palette: Palette,
    *,
    times: Sequence[tuple[datetime, str]],
    values: Sequence[tuple[float, str]],
) -> Figure:
    """Return the layout of a chart from 0 to `top` over a span of time, with these ticks and nothing drawn yet."""
    axis: Figure = {"gridcolor": palette.grid, "zeroline": False, "fixedrange": True, "ticks": "", "automargin": True}
    return {
        "margin": {"l": 8, "r": 8, "t": 26, "b": 8},
        "font": {"color": palette.muted, "size": 12},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "closest",
        "hoverdistance": 60,
        "hoverlabel": {
            "bgcolor": palette.surface,
            "bordercolor": palette.muted,
            "font": {"color": palette.text, "size": 13},
            "align": "left",
        },
        "dragmode": False,
        "xaxis": axis
        | {
            "type": "date",
            "range": [x_of(at) for at in span],
            "tickvals": [x_of(at) for at, _ in times],
            "ticktext": [label for _, label in times],
            "showgrid": False,
        },
        "yaxis": axis
        | {
            "range": [0, top * 1.02],
            "tickvals": [value for value, _ in values],
            "ticktext": [label for _, label in values],
            "rangemode": "tozero",
        },
    }
