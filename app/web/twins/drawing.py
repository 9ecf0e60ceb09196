"""The same day twice as one picture: two curves of the speed to answer, and when each day's emails left. Pure.

All at once is a filled curve, gated a bold line: they differ by shape as well as by colour, and each says its name.
Across, places are per cents of the width, so that texts keep their size however wide the page is; curves are drawn in
a box of BOX by HEIGHT that is stretched. Down, everything is in pixels.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from app.core.simulation.daybook import FiveMinutes
from app.core.simulation.twins import Day, Twins
from app.web.axes import time_ticks, value_ticks
from app.web.format import count, duration, hour_and_minute

BOX, HEIGHT = 1000.0, 248.0
TOP, GROUND = 24.0, 204.0  # above is a line of text; below are the waves, and under them the times
WAVE_TOP, WAVE_HEIGHT = GROUND + 5, 9
HEADROOM = 1.15
LEAST_TOP_SECONDS = 60.0
SHOWN_AT_FIRST = timedelta(hours=4)
AHEAD = timedelta(minutes=20)
NAME_LENGTH = timedelta(minutes=30)
WORTH_A_NAME = 0.08  # of the height: curves closer than that cannot be told apart by a name between them
EDGE = 33.0  # per cent from an edge: a text that begins nearer than that to the right one ends where it would begin


class Place(NamedTuple):
    """A text: where across in per cent and where down in pixels, what it says, and which of its ends is there."""

    x: float
    y: float
    text: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Drawing:
    """The picture's parts. area, at_once, gated, waves: SVG path data in the box; empty where there is nothing.

    limit: above which the gate holds, None without one. first, step: where the first five minutes of the table are, and
    how far the next ones are from there; steps: how many there are.
    """

    area: str
    at_once: str
    gated: str
    waves: str
    planned: Place
    limit: Place | None
    names: tuple[Place, ...]
    times: tuple[Place, ...]
    values: tuple[Place, ...]
    first: float
    step: float
    steps: int
    box: float = BOX
    height: float = HEIGHT
    top: float = TOP
    ground: float = GROUND


@dataclass(frozen=True, slots=True)
class _Scale:
    """From an instant and seconds to answer to a place."""

    start: datetime
    until: datetime
    top_seconds: float

    def x(self, at: datetime) -> float:
        return round(100 * ((at - self.start) / (self.until - self.start)), 2)

    def y(self, seconds: float) -> float:
        return round(GROUND - seconds / self.top_seconds * (GROUND - TOP), 1)

    def point(self, each: FiveMinutes) -> str:
        return f"{self.x(each.until) * BOX / 100:.1f} {self.y(each.speed_to_answer_seconds or 0.0):.1f}"


def drawing(twins: Twins, limit_seconds: float | None = None) -> Drawing:
    """Return the picture of both days so far. limit_seconds: the speed to answer above which the gate holds."""
    until = _until(twins)
    scale = _Scale(twins.start, until, _top(twins, limit_seconds))
    series = twins.gated.queue
    return Drawing(
        area="".join(_closed(run, scale) for run in _runs(twins.at_once.queue)),
        at_once="".join(_path(run, scale) for run in _runs(twins.at_once.queue)),
        gated="".join(_path(run, scale) for run in _runs(series)),
        waves="".join(f"M{scale.x(wave.start) * BOX / 100:.1f} {WAVE_TOP}v{WAVE_HEIGHT}" for wave in twins.gated.waves),
        planned=_planned(twins, scale),
        limit=None if limit_seconds is None else _limit(limit_seconds, scale),
        names=tuple(_names(twins, scale)),
        times=tuple(_times(twins, until, scale)),
        values=tuple(_values(scale)),
        first=scale.x(series[0].until) if series else 0.0,
        step=round(100 * (timedelta(minutes=5) / (until - twins.start)), 4),
        steps=len(series),
    )


def _until(twins: Twins) -> datetime:
    """Return where the chart ends: some hours at first, then a whole hour ahead of what is told."""
    hour = timedelta(hours=1)
    told = -((twins.start - twins.until - AHEAD) // hour) * hour
    return min(twins.end, twins.start + max(told, SHOWN_AT_FIRST))


def _top(twins: Twins, limit_seconds: float | None) -> float:
    answers = [each.speed_to_answer_seconds or 0.0 for day in (twins.at_once, twins.gated) for each in day.queue]
    return max([*answers, limit_seconds or LEAST_TOP_SECONDS]) * HEADROOM


def _times(twins: Twins, until: datetime, scale: _Scale) -> Iterator[Place]:
    for at, text in time_ticks(twins.start, until, twins.zone):
        yield Place(scale.x(at), HEIGHT - 8, text, "middle")


def _values(scale: _Scale) -> Iterator[Place]:
    for value, text in value_ticks(scale.top_seconds, "seconds"):
        yield Place(0.0, scale.y(value), text, "end")


# --- curves ---


def _runs(series: Sequence[FiveMinutes]) -> Iterator[list[FiveMinutes]]:
    """Yield what lies between the five minutes in which nobody was answered."""
    for known, run in groupby(series, key=lambda each: each.speed_to_answer_seconds is not None):
        if known:
            yield list(run)


def _path(run: Sequence[FiveMinutes], scale: _Scale) -> str:
    first, *others = (scale.point(each) for each in run)
    # A lone point is drawn as a line of no length: round line ends make it a dot.
    return f"M{first}" + "".join(f"L{point}" for point in others or [first])


def _closed(run: Sequence[FiveMinutes], scale: _Scale) -> str:
    left, right = (scale.x(each.until) * BOX / 100 for each in (run[0], run[-1]))
    return f"{_path(run, scale)}L{right:.1f} {GROUND:.1f}L{left:.1f} {GROUND:.1f}Z"


# --- words on it ---


def _planned(twins: Twins, scale: _Scale) -> Place:
    """Return what stands at the line at which everything left at once."""
    x = scale.x(twins.planned_at)
    verb = "leave" if twins.until < twins.planned_at else "left"
    text = f"{hour_and_minute(twins.planned_at, twins.zone)}, {count(twins.audience, 'email')} {verb} at once"
    anchor = "start" if x < EDGE else "end" if x > 100 - EDGE else "middle"
    return Place(x, TOP - 9, text, anchor)


def _limit(seconds: float, scale: _Scale) -> Place:
    return Place(100.0, scale.y(seconds), f"hold above {duration(seconds)}", "end")


def _names(twins: Twins, scale: _Scale) -> Iterator[Place]:
    """Yield each curve's name on it: at the peak of the one, and where the other lies furthest below it."""
    peak, widest = twins.at_once.peak(twins.planned_at), _widest(twins.at_once, twins.gated, twins.planned_at)
    if peak is not None and widest is not None and widest[1] >= scale.top_seconds * WORTH_A_NAME:
        yield _name("all at once", peak.until, twins.at_once.queue, scale)
        yield _name("gated", widest[0].until, twins.gated.queue, scale)


def _name(text: str, at: datetime, series: Iterable[FiveMinutes], scale: _Scale) -> Place:
    """Return a curve's name, to stand above all of the curve that is below the word."""
    x = scale.x(at)
    is_near_end = x > 100 - EDGE
    start = at - NAME_LENGTH if is_near_end else at
    below = [each.speed_to_answer_seconds or 0.0 for each in series if start <= each.until <= start + NAME_LENGTH]
    return Place(x, scale.y(max(below)) - 7, text, "end" if is_near_end else "start")


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
