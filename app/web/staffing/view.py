"""A queue's schedule as its page shows it: every value as text, in the zone of the schedule. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.core.gate.windows import zone
from app.core.staffing.hours import DAY_MINUTES, Open, OpeningHours
from app.core.staffing.schedule import Interval, Span, day_span, day_total, inside
from app.core.staffing.upload import Understood
from app.services.schedules import DayChange, ScheduleChange
from app.web.format import NONE, count, number

SHOWN_DAYS = 14
_DAY = timedelta(days=1)
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ORDERS = {"mdy": ", dates with the month first", "dmy": ", dates with the day first"}


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day of the schedule: its date, when agents are there, agent-hours, and the highest number at once."""

    day: str
    times: str
    agent_hours: str
    most: str
    is_covered: bool


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A day of an upload, before and after."""

    day: str
    before: str
    after: str
    most: str
    word: str


def day_text(day: date) -> str:
    """Return a date with its weekday: `Mon 23 Nov 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def schedule_rows(intervals: Sequence[Interval], since: datetime, time_zone: str) -> list[DayRow]:
    """Return a row for each of the next days, from the day of `since` on; days that are not covered say so."""
    first = since.astimezone(zone(time_zone)).date()
    days = (first + number * _DAY for number in range(SHOWN_DAYS))
    return [_day_row(day, inside(intervals, day_span(day, time_zone)), time_zone) for day in days]


def shown_span(since: datetime, time_zone: str) -> Span:
    """Return the span that the rows of `schedule_rows` are about."""
    first = since.astimezone(zone(time_zone)).date()
    return Span(day_span(first, time_zone).start, day_span(first + (SHOWN_DAYS - 1) * _DAY, time_zone).end)


def _day_row(day: date, intervals: Sequence[Interval], time_zone: str) -> DayRow:
    total = day_total(intervals)
    if total is None:
        return DayRow(day_text(day), "no schedule", NONE, NONE, is_covered=False)
    hours, most = number(total.agent_hours), number(total.most_agents)
    return DayRow(day_text(day), _times(intervals, time_zone), hours, most, is_covered=True)


def _times(intervals: Sequence[Interval], time_zone: str) -> str:
    """Return from when to when anybody is there, by the wall clock."""
    local = zone(time_zone)
    stretches: list[Span] = []
    for each in intervals:
        if each.agents <= 0:
            continue
        if stretches and stretches[-1].end == each.starts_at:
            stretches[-1] = Span(stretches[-1].start, each.ends_at)
        else:
            stretches.append(Span(each.starts_at, each.ends_at))
    spans = [[f"{at.astimezone(local):%H:%M}" for at in stretch] for stretch in stretches]
    return ", ".join(f"{start}–{'24:00' if end == '00:00' else end}" for start, end in spans) or "nobody"  # noqa: RUF001


def change_rows(change: ScheduleChange) -> list[ChangeRow]:
    """Return what an upload does to each day."""
    return [_change_row(each) for each in change.days]


def _change_row(each: DayChange) -> ChangeRow:
    before, after = (NONE if side is None else number(side.agent_hours) for side in (each.before, each.after))
    most = NONE if each.after is None else number(each.after.most_agents)
    word = "as before" if not each.changed else "new" if each.before is None else "changed"
    return ChangeRow(day_text(each.day), before, after, most, word)


def understood_lines(understood: Understood, time_zone: str) -> list[str]:
    """Return how a file was read, in sentences."""
    columns = ", ".join(f"{role} from “{heading}”" for role, heading in understood.columns.items())
    order = _ORDERS.get(understood.date_order or "", "")
    apart = f"apart by {_SEPARATORS[understood.separator]}; the header is line {understood.header_line}"
    lines = [
        f"{count(understood.lines, 'line')} of {understood.interval_minutes} min, {apart}.",
        f"Columns: {columns}.",
        f"Times are those of {time_zone}{order}.",
    ]
    if understood.left_out:
        lines.append(f"Left out as totals: line {', '.join(map(str, understood.left_out[:20]))}.")
    return lines


def hours_lines(hours: OpeningHours | None) -> list[str]:
    """Return opening hours in lines: by weekday, then closed days and days with other hours."""
    if hours is None:
        return ["Nobody has said when it is open: it is taken to be open always."]
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    lines = [f"{name}: {_stretches(each)}" for name, each in zip(names, hours.weekly, strict=True)]
    lines += [f"{day_text(day)}: {_stretches(each)}" for day, each in hours.special]
    return [*lines, *(f"{day_text(day)}: closed" for day in sorted(hours.closed))]


def _stretches(stretches: Sequence[Open]) -> str:
    return ", ".join(f"{_clock(each.opens)}–{_clock(each.closes)}" for each in stretches) or "closed"  # noqa: RUF001


def _clock(minute: int) -> str:
    return "24:00" if minute == DAY_MINUTES else f"{minute // 60:02}:{minute % 60:02}"
