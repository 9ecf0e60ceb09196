"""From what a wall clock shows to instants: the hour that daylight saving skips, and the one that comes twice."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.core.gate.fields import listed
from app.core.gate.windows import zone
from app.core.problem import Problem
from app.core.staffing.moments import Local
from app.core.staffing.schedule import Interval, Placed

LENGTHS_MINUTES = (5, 6, 10, 15, 20, 30, 60)
_MINUTE = timedelta(minutes=1)


class Line(NamedTuple):
    """What one line of a file says, as written: its number, queue (None: the file has no such column) and times."""

    number: int
    queue: str | None
    start: Local
    end: Local | None
    agents: float


class _Beginning(NamedTuple):
    line: Line
    starts_at: datetime
    ends_at: datetime | None


def placed_by_queue(
    lines: Sequence[Line], time_zone: str | None, interval_minutes: int | None, problems: list[Problem]
) -> dict[str | None, tuple[Placed, ...]]:
    """Return the intervals of each queue in UTC; faults go to `problems`, and then nothing is returned.

    time_zone: of times without an offset. interval_minutes: how long an interval without an end is, None: as long as
    the least time between two that begin one after another.
    """
    by_queue: dict[str | None, list[Line]] = defaultdict(list)
    for line in lines:
        by_queue[line.queue].append(line)
    begun = {queue: list(_beginnings(own, time_zone, problems)) for queue, own in by_queue.items()}
    if problems:
        return {}
    return {queue: tuple(_intervals(own, interval_minutes, problems)) for queue, own in begun.items()}


def line_problem(number: int, detail: str) -> Problem:
    """Return the problem of a line of the file."""
    return Problem(f"/lines/{number}", f"line {number}: {detail}")


def _beginnings(lines: Sequence[Line], time_zone: str | None, problems: list[Problem]) -> Iterator[_Beginning]:
    """Yield lines with their instants. A local time that comes twice is told apart by being in the file twice."""
    times = Counter(line.start.at for line in lines if line.start.offset is None)
    seen: Counter[datetime] = Counter()
    for line in lines:
        try:
            if time_zone is None and (line.start.offset is None or (line.end and line.end.offset is None)):
                raise ValueError(f"{line.start.at:%Y-%m-%d %H:%M} is in no zone; say time_zone=America/Chicago")  # noqa: TRY301
            local = zone(time_zone or "UTC")
            fold = _fold(line.start, local, times[line.start.at], seen[line.start.at])
            seen[line.start.at] += 1
            starts_at = _instant(line.start, local, fold)
            yield _Beginning(line, starts_at, None if line.end is None else _ends_at(line, starts_at, local))
        except (ValueError, OverflowError) as fault:
            problems.append(line_problem(line.number, str(fault)))


def _fold(start: Local, local: ZoneInfo, times: int, seen: int) -> int:
    """Return which of two equal wall clock times is meant, 0 or 1; 0 for one that comes once."""
    if start.offset is not None or not _comes_twice(start.at, local):
        return 0
    if times == 1:
        said = f"{start.at:%Y-%m-%d %H:%M} comes twice in {local.key}, because clocks go back, and is here once"
        raise ValueError(f"{said}; give both, the first one first, or times with their offset from UTC")
    return min(seen, 1)


def _comes_twice(wall: datetime, local: ZoneInfo) -> bool:
    first, second = (wall.replace(tzinfo=local, fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second


def _instant(moment: Local, local: ZoneInfo, fold: int) -> datetime:
    if moment.offset is not None:
        return (moment.at - moment.offset).replace(tzinfo=UTC)
    found = moment.at.replace(tzinfo=local, fold=fold).astimezone(UTC)
    if found.astimezone(local).replace(tzinfo=None) != moment.at:
        said = f"{moment.at:%Y-%m-%d %H:%M} does not exist in {local.key}: clocks go forward over it"
        raise ValueError(f"{said}; leave the line out")
    return found


def _ends_at(line: Line, starts_at: datetime, local: ZoneInfo) -> datetime:
    """Return when an interval ends: as long after its start as the wall clock says, where no offset is given.

    So a half hour stays one though the clocks change at its end, or in it.
    """
    end = line.end
    if end is None or end.offset is not None or line.start.offset is not None:
        return _instant(end or line.start, local, 0)
    return starts_at + (end.at - line.start.at)


def _intervals(
    beginnings: Sequence[_Beginning], interval_minutes: int | None, problems: list[Problem]
) -> Iterator[Placed]:
    length: timedelta | None = None
    if any(each.ends_at is None for each in beginnings):
        try:
            length = _length([each.starts_at for each in beginnings], interval_minutes)
        except ValueError as fault:
            problems.append(line_problem(beginnings[0].line.number, str(fault)))
            return
    for line, starts_at, ends_at in beginnings:
        interval = Interval(starts_at, ends_at or starts_at + (length or _MINUTE), line.agents)
        yield Placed(interval, f"/lines/{line.number}", f"line {line.number}")


def _length(starts: Sequence[datetime], interval_minutes: int | None) -> timedelta:
    """Return how long intervals without an end are: the least that lies between two that begin one after another."""
    if interval_minutes is not None:
        return interval_minutes * _MINUTE
    ordered = sorted(set(starts))
    steps = [later - former for former, later in pairwise(ordered)]
    least = min(steps, default=timedelta()) // _MINUTE
    if least not in LENGTHS_MINUTES:
        lengths = listed([str(minutes) for minutes in LENGTHS_MINUTES])
        what = f"the closest two are {least} min apart" if steps else "there is one alone"
        raise ValueError(f"how long an interval lasts cannot be told: {what}; say interval_minutes, as {lengths}")
    return least * _MINUTE
