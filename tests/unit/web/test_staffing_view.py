from datetime import UTC, date, datetime, timedelta

from app.core.staffing.columns import Role
from app.core.staffing.hours_document import parse_hours
from app.core.staffing.moments import DateOrder
from app.core.staffing.schedule import DayTotal, Interval
from app.core.staffing.upload import Understood
from app.services.schedules import DayChange, ScheduleChange
from app.web.staffing.view import change_rows, hours_lines, schedule_rows, shown_span, understood_lines

CHICAGO = "America/Chicago"
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, 6, tzinfo=UTC)


def interval(start, end, agents):
    return Interval(MIDNIGHT + timedelta(hours=start), MIDNIGHT + timedelta(hours=end), agents)


def test_a_day_is_shown_with_its_stretches_on_the_wall_clock():
    intervals = [interval(0, 8, 0), interval(8, 10, 5), interval(10, 12, 7.5), interval(12, 13, 0), interval(13, 24, 2)]
    first, *others = schedule_rows(intervals, NOW, CHICAGO)
    assert (first.day, first.times) == ("Mon 23 Nov 2026", "08:00–12:00, 13:00–24:00")  # noqa: RUF001  as times are written
    assert (first.agent_hours, first.most, first.is_covered) == ("47", "7.5", True)
    assert len(others) == 13
    assert {row.times for row in others} == {"no schedule"}


def test_a_day_with_nobody_is_not_one_without_a_schedule():
    (row, *_) = schedule_rows([interval(0, 24, 0)], NOW, CHICAGO)
    assert (row.times, row.agent_hours) == ("nobody", "0")


def test_two_weeks_are_shown_from_the_local_day_on():
    span = shown_span(NOW, CHICAGO)
    assert (span.start, span.end) == (MIDNIGHT, MIDNIGHT + timedelta(days=14))


def test_each_day_of_an_upload_says_whether_it_changed():
    total = DayTotal(2, 12.5, 9)
    days = [
        DayChange(date(2026, 11, 23), None, total, changed=True),
        DayChange(date(2026, 11, 24), total, total, changed=False),
        DayChange(date(2026, 11, 25), DayTotal(1, 3, 3), total, changed=True),
        DayChange(date(2026, 11, 26), total, None, changed=True),
    ]
    rows = change_rows(ScheduleChange("q", 1, CHICAGO, tuple(days), saved=False))
    assert [(row.before, row.after, row.word) for row in rows] == [
        ("–", "12.5", "new"),  # noqa: RUF001  a dash is nothing
        ("12.5", "12.5", "as before"),
        ("3", "12.5", "changed"),
        ("12.5", "–", "changed"),  # noqa: RUF001  the same
    ]


def test_how_a_file_was_read_is_said_in_sentences():
    columns = {Role.DATE: "Datum", Role.AGENTS: "Offen"}
    lines = understood_lines(Understood(";", 3, columns, DateOrder.DMY, 15, 1, (9, 12)), CHICAGO)
    assert lines == [
        "1 line of 15 min, apart by semicolons; the header is line 3.",
        "Columns: date from “Datum”, agents from “Offen”.",
        "Times are those of America/Chicago, dates with the day first.",
        "Left out as totals: line 9, 12.",
    ]


def test_opening_hours_are_lines_and_none_are_said_as_such():
    assert hours_lines(None) == ["Nobody has said when it is open: it is taken to be open always."]
    weekly = [{"days": ["mon"], "from": "08:00", "to": "12:00"}, {"days": ["mon"], "from": "13:30", "to": "24:00"}]
    special = [{"date": "2026-12-24", "from": "08:00", "to": "13:00"}]
    lines = hours_lines(
        parse_hours({"time_zone": "UTC", "weekly": weekly, "special": special, "closed": ["2026-12-25"]})
    )
    assert lines[:2] == ["Mon: 08:00–12:00, 13:30–24:00", "Tue: closed"]  # noqa: RUF001  as times are written
    assert lines[-2:] == ["Thu 24 Dec 2026: 08:00–13:00", "Fri 25 Dec 2026: closed"]  # noqa: RUF001  the same
