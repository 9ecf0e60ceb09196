"""A schedule out of a CSV file, as workforce management programs export them: intervals by queue, or every fault.

Nothing is guessed that could be two things. What could be is refused with the option that settles it: which of two
numbers is the month, what a comma in a number means, how long an interval is, in which zone its clock is, which of two
equal hours in autumn is meant.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from app.core.gate.fields import listed, shown
from app.core.problem import Problem
from app.core.staffing.columns import Columns, Role, find_columns
from app.core.staffing.moments import (
    DateOrder,
    Local,
    at,
    date_order,
    read_date,
    read_instant,
    read_number,
    read_time_range,
)
from app.core.staffing.refused import StaffingRefused
from app.core.staffing.schedule import MOST_PROBLEMS, Placed
from app.core.staffing.table import Row, read_table
from app.core.staffing.wall_clock import Line, line_problem, placed_by_queue

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_TOTALS = ("total", "sum", "average", "avg", "summe", "gesamt", "mittel")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read; what is left out is found out, or refused where it could be two things.

    columns: headings by role. time_zone: of times without an offset. order: of 03/04/2026. decimal: "." or ",".
    interval_minutes: how long an interval is that has no end.
    """

    columns: Mapping[Role, str] = field(default_factory=dict)
    time_zone: str | None = None
    order: DateOrder | None = None
    decimal: str | None = None
    interval_minutes: int | None = None


class Understood(NamedTuple):
    """How a file was read: for people to check before they believe it. left_out has lines that are no intervals."""

    separator: str
    header_line: int
    columns: Mapping[Role, str]
    date_order: DateOrder | None
    interval_minutes: int | None
    lines: int
    left_out: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Upload:
    """What a file says: intervals by queue, None for a file without a column of queues; and how it was read."""

    queues: Mapping[str | None, tuple[Placed, ...]]
    understood: Understood


def read_schedule(content: bytes, reading: Reading) -> Upload:
    """Return what a CSV file says. Raises StaffingRefused with a problem for each bad line, at most a hundred."""
    table = read_table(content)
    header, columns = find_columns(table, reading.columns)
    body = [row for row in table.rows if row.line > header.line]
    rows = [row for row in body if not _is_total(row)]
    order = reading.order or date_order(_dates(rows, columns))
    problems: list[Problem] = []
    lines = list(_lines(rows, columns, reading, order, problems))
    placed = {} if problems else placed_by_queue(lines, reading.time_zone, reading.interval_minutes, problems)
    if problems:
        raise StaffingRefused(sorted(problems, key=_line_number)[:MOST_PROBLEMS])
    if not placed:
        raise StaffingRefused([Problem(f"/lines/{header.line}", "there is no interval below the header")])
    lengths = Counter(each.interval.ends_at - each.interval.starts_at for every in placed.values() for each in every)
    understood = Understood(
        separator=table.separator,
        header_line=header.line,
        columns={role: header.cells[place] for role, place in columns.items()},
        date_order=order,
        interval_minutes=lengths.most_common(1)[0][0] // _MINUTE,
        lines=len(rows),
        left_out=tuple(row.line for row in body if _is_total(row)),
    )
    return Upload(placed, understood)


def _line_number(problem: Problem) -> int:
    return int(problem.pointer.rpartition("/")[2])


def _is_total(row: Row) -> bool:
    first = next((cell for cell in row.cells if cell), "").lower()
    return first.startswith(_TOTALS)


def _dates(rows: Sequence[Row], columns: Columns) -> Iterator[str]:
    place = columns.get(Role.DATE, columns.get(Role.START))
    return (row.cell(place) for row in rows)


# --- line by line ---------------------------------------------------------------------------------------------------


def _lines(
    rows: Sequence[Row], columns: Columns, reading: Reading, order: DateOrder | None, problems: list[Problem]
) -> Iterator[Line]:
    for row in rows:
        try:
            yield _line(row, columns, reading, order)
        except (ValueError, OverflowError) as fault:
            problems.append(line_problem(row.line, str(fault)))


def _line(row: Row, columns: Columns, reading: Reading, order: DateOrder | None) -> Line:
    start, end = _times(row, columns, order)
    agents = read_number(row.cell(columns[Role.AGENTS]), reading.decimal)
    queue = row.cell(columns[Role.QUEUE]) if Role.QUEUE in columns else None
    if queue == "":
        raise ValueError("it names no queue")
    return Line(row.line, queue, start, end, agents)


def _times(row: Row, columns: Columns, order: DateOrder | None) -> tuple[Local, Local | None]:
    end = row.cell(columns.get(Role.END))
    if Role.START in columns:
        start = read_instant(row.cell(columns[Role.START]), order)
        return start, _end(start, end, order) if end else None
    day = read_date(row.cell(columns[Role.DATE]), order)
    clock, closing = read_time_range(row.cell(columns[Role.TIME]))
    start = Local(at(day, clock), None)
    if closing is not None:
        closes = at(day, closing)
        return start, Local(closes if closes > start.at else closes + _DAY, None)
    return start, _end(start, end, order) if end else None


def _end(start: Local, text: str, order: DateOrder | None) -> Local:
    """Return an end that is written with its date, or as a time alone: then the first such time after the start."""
    try:
        closing, more = read_time_range(text)
    except ValueError:
        return read_instant(text, order)
    if more is not None:
        raise ValueError(f"{shown(text)} must be one time, at which the interval ends")
    midnight = start.at.replace(hour=0, minute=0)
    closes = midnight + closing.minute * _MINUTE
    return Local(closes if closes > start.at else closes + _DAY, start.offset)


def of_queue(upload: Upload, queue: str, called: str | None = None) -> tuple[Placed, ...]:
    """Return the intervals of one queue; of a file without a column of queues, all.

    called: what the file calls it. Raises StaffingRefused, and names the queues that are there, when it is not.
    """
    if None in upload.queues:
        return upload.queues[None]
    wanted = queue if called is None else called
    if wanted in upload.queues:
        return upload.queues[wanted]
    there = listed([shown(name) for name in sorted(filter(None, upload.queues))][:12])
    said = f"no line is about {shown(wanted)}; the column {shown(upload.understood.columns[Role.QUEUE])} has {there}"
    raise StaffingRefused([Problem("", f"{said}. Say which is meant with queue_value=")])
