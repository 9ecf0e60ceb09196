"""Parts of a send on a line of time, ready for SVG. Pure.

Places are per cents of the width, so that texts keep their size however wide the page is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.web.axes import time_ticks

HEIGHT, LABEL_HEIGHT = 46, 14  # pixels: of a drawing, and of the texts above its blocks
LEAST_HEIGHT = 3.0
EDGE_TICKS = (4.0, 96.0)  # per cent: labels nearer to an edge would be cut


class Part(NamedTuple):
    """So many go from a minute on; size is its height beside the others, text its label."""

    minute: float
    minutes: float
    size: float
    text: str


class Block(NamedTuple):
    """A part as a rectangle: x and width in per cent, y and height in pixels; middle is where its text goes."""

    x: float
    width: float
    y: float
    height: float
    middle: float
    text: str


class Tick(NamedTuple):
    """A round time on the axis, in per cent of the width."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A drawing. beyond: what comes after its end, as text; empty where nothing does."""

    height: int
    blocks: tuple[Block, ...]
    ticks: tuple[Tick, ...]
    beyond: str


def timeline(
    parts: Sequence[Part], span: tuple[datetime, datetime], largest: float, zone: ZoneInfo, *, beyond: str = ""
) -> Timeline:
    """Return the drawing of parts over a span. largest: the size that fills the height; beyond: said of later ones."""
    start, end = span
    minutes = (end - start).total_seconds() / 60
    inside = [part for part in parts if part.minute < minutes]
    ticks = [Tick(_per_cent(at - start, end - start), text) for at, text in time_ticks(start, end, zone)]
    return Timeline(
        HEIGHT,
        tuple(_block(part, minutes, largest) for part in inside),
        tuple(tick for tick in ticks if EDGE_TICKS[0] <= tick.x <= EDGE_TICKS[1]),
        beyond if len(inside) < len(parts) else "",
    )


def _block(part: Part, minutes: float, largest: float) -> Block:
    x = 100 * part.minute / minutes
    width = min(100 * part.minutes / minutes, 100 - x)
    height = max(LEAST_HEIGHT, (HEIGHT - LABEL_HEIGHT) * min(1.0, part.size / largest))
    middle = x + width / 2
    return Block(round(x, 2), round(width, 2), round(HEIGHT - height, 1), round(height, 1), round(middle, 2), part.text)


def _per_cent(part: timedelta, whole: timedelta) -> float:
    return round(100 * (part / whole), 2)
