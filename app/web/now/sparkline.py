"""The last half hour of one metric as a few SVG coordinates. Pure; gaps in the data stay gaps in the line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

WIDTH, HEIGHT, PAD = 240.0, 44.0, 3.0
GAP_STEPS = 2.5


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A drawn line: `line` and `area` are SVG path data in a box of width x height, limit_y the limit's height.

    points says how many values are in it (0: nothing to draw); last_x and last_y place the dot on the newest one.
    limit_y is None without a limit. low and high are the extreme values, None without any.
    """

    width: float
    height: float
    line: str
    area: str
    last_x: float | None
    last_y: float | None
    limit_y: float | None
    points: int
    low: float | None
    high: float | None


def sparkline(
    values: Sequence[tuple[datetime, float | None]],
    start: datetime,
    until: datetime,
    *,
    limit: float | None = None,
    step_seconds: float = 60.0,
) -> Sparkline:
    """Return the line of `values` (in order of time) over [start, until]; a None or a missing step breaks it.

    The scale begins at 0 and reaches a little above the highest of values and limit, so the limit is always in sight.
    """
    known = [(at, value) for at, value in values if value is not None and start <= at <= until]
    top = max([value for _, value in known] + [limit or 0.0, 1e-9]) * 1.08
    span = max((until - start).total_seconds(), 1.0)

    def place(at: datetime, value: float) -> tuple[float, float]:
        return (at - start).total_seconds() / span * WIDTH, HEIGHT - PAD - value / top * (HEIGHT - 2 * PAD)

    runs = [[place(*point) for point in run] for run in _runs(known, step_seconds * GAP_STEPS)]
    last = runs[-1][-1] if runs else (None, None)
    return Sparkline(
        width=WIDTH,
        height=HEIGHT,
        line="".join(_path(run) for run in runs),
        area="".join(_closed(run) for run in runs if len(run) > 1),
        last_x=_rounded(last[0]),
        last_y=_rounded(last[1]),
        limit_y=None if limit is None else _rounded(place(start, limit)[1]),
        points=len(known),
        low=min((value for _, value in known), default=None),
        high=max((value for _, value in known), default=None),
    )


def _runs(points: list[tuple[datetime, float]], gap_seconds: float) -> list[list[tuple[datetime, float]]]:
    runs = [[points[0]]] if points else []
    for before, after in pairwise(points):
        if (after[0] - before[0]).total_seconds() > gap_seconds:
            runs.append([])
        runs[-1].append(after)
    return runs


def _path(run: list[tuple[float, float]]) -> str:
    first, *others = run
    # A lone point is drawn as a line of no length: round line ends make it a dot.
    rest = "".join(f"L{x:.1f} {y:.1f}" for x, y in others or [first])
    return f"M{first[0]:.1f} {first[1]:.1f}{rest}"


def _closed(run: list[tuple[float, float]]) -> str:
    return f"{_path(run)}L{run[-1][0]:.1f} {HEIGHT:.1f}L{run[0][0]:.1f} {HEIGHT:.1f}Z"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
