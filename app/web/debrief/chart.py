"""The curves of a debrief as SVG coordinates: what was measured, and what all at once, or nothing, would have done."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.debrief.question import Values

WIDTH, HEIGHT = 760.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 54.0, 14.0, 12.0, 30.0
NICE = (1, 2, 2.5, 5, 10)
MOST_TIMES = 8
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Curve:
    """One drawn curve: its kind names its colour and dashes, path is SVG path data; "" where nothing is known."""

    kind: str
    label: str
    path: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid: where it is, and what it says."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of width x height, its plot between left, right, top and bottom. described: what it shows, in words."""

    title: str
    unit: str
    described: str
    curves: tuple[Curve, ...]
    heights: tuple[Tick, ...]
    times: tuple[Tick, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True)
class Span:
    """The time along a chart: so many steps of step_seconds from `start` on, told in a zone."""

    start: datetime
    step_seconds: int
    steps: int
    zone: ZoneInfo


def chart(title: str, unit: str, lines: Sequence[tuple[str, str, Values]], span: Span, described: str) -> Chart:
    """Return the chart of some lines (kind, label, values per step); a value that is not known breaks its line.

    The scale begins at 0 and ends at a round number above the highest value; values are drawn in the middle of their
    step.
    """
    known = [value for _, _, values in lines for value in values if value is not None]
    step = _nice(max(known, default=1.0) / 4)
    top = step * max(1, math.ceil(max(known, default=1.0) / step - 1e-9))
    heights = tuple(Tick(_y(step * place, top), f"{step * place:,g}") for place in range(round(top / step) + 1))
    curves = tuple(Curve(kind, label, _path(values, span.steps, top)) for kind, label, values in lines)
    return Chart(title, unit, described, curves, heights, _times(span))


def _path(values: Values, steps: int, top: float) -> str:
    parts, is_broken = [], True
    for place, value in enumerate(values):
        if value is None:
            is_broken = True
            continue
        x = LEFT + (place + 0.5) / steps * (WIDTH - LEFT - RIGHT)
        parts.append(f"{'M' if is_broken else 'L'}{x:.1f} {_y(value, top):.1f}")
        is_broken = False
    return "".join(parts)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM), 1)


def _nice(size: float) -> float:
    """Return the round number at or above a size: 1, 2, 2.5 or 5 times a power of ten."""
    if size <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(size))
    return next(power * factor for factor in NICE if power * factor >= size * (1 - 1e-9))


def _times(span: Span) -> tuple[Tick, ...]:
    """Return the full hours along the time, every second, third, ... one where there are many."""
    seconds = span.steps * span.step_seconds
    every = next(hours for hours in (1, 2, 3, 6, 12, 24) if seconds / _HOUR / hours <= MOST_TIMES) * _HOUR
    if seconds < 2 * _HOUR:
        every = _HOUR // 4
    local = span.start.astimezone(span.zone)
    since_midnight = local.hour * _HOUR + local.minute * 60 + local.second
    ahead = -since_midnight % every
    ticks = []
    while ahead <= seconds:
        at = (span.start + timedelta(seconds=ahead)).astimezone(span.zone)
        ticks.append(Tick(round(LEFT + ahead / seconds * (WIDTH - LEFT - RIGHT), 1), f"{at:%H:%M}"))
        ahead += every
    return tuple(ticks)
