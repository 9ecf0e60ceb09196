from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from app.core.gate.windows import zone
from app.core.staffing.hours import Open, OpeningHours, open_days, open_minutes
from app.core.staffing.hours_document import parse_hours
from app.core.staffing.refused import StaffingRefused

DOCUMENT = {
    "time_zone": "America/Chicago",
    "weekly": [
        {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "12:00"},
        {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "13:00", "to": "20:00"},
        {"days": ["sun"], "from": "00:00", "to": "24:00"},
    ],
    "closed": ["2026-12-25"],
    "special": [{"date": "2026-12-24", "from": "08:00", "to": "13:00"}],
}
HOURS = parse_hours(DOCUMENT)


def utc(year, month, day, hour, minute=0):
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def open_at(*when):
    return bool(open_minutes(HOURS, utc(*when), 1)[0])


def test_a_document_becomes_hours_by_weekday_with_days_of_their_own():
    assert HOURS.weekly[0] == (Open(480, 720), Open(780, 1200))
    assert HOURS.weekly[5] == ()
    assert HOURS.weekly[6] == (Open(0, 1440),)
    assert HOURS.on(date(2026, 12, 25)) == ()
    assert HOURS.on(date(2026, 12, 24)) == (Open(480, 780),)
    assert HOURS.on(date(2026, 12, 23)) == HOURS.weekly[2]


@pytest.mark.parametrize(
    ("when", "is_open"),
    [
        ((2026, 11, 23, 13, 59), False),  # Monday, 07:59 in Chicago
        ((2026, 11, 23, 14, 0), True),
        ((2026, 11, 23, 18, 0), False),  # the break
        ((2026, 11, 24, 1, 59), True),  # still Monday there
        ((2026, 11, 24, 2, 0), False),
        ((2026, 7, 6, 13, 0), True),  # summer time: 08:00
        ((2026, 12, 24, 18, 59), True),
        ((2026, 12, 24, 19, 0), False),
        ((2026, 12, 25, 15, 0), False),
    ],
)
def test_it_is_open_by_the_wall_clock_of_its_zone(when, is_open):
    assert open_at(*when) is is_open


def test_without_hours_it_is_always_open():
    assert open_minutes(None, datetime(2026, 1, 1, tzinfo=UTC), 5).all()
    assert open_days(None, date(2026, 1, 1), 3).tolist() == [True] * 3


@pytest.mark.parametrize(("day", "minutes"), [((2026, 3, 8, 6), 23 * 60), ((2026, 11, 1, 5), 25 * 60)])
def test_a_day_open_around_the_clock_is_as_long_as_its_clocks_make_it(day, minutes):
    found = open_minutes(HOURS, utc(*day), 26 * 60)
    assert found[:minutes].all()
    assert not found[minutes:].any()


def test_an_hour_that_clocks_skip_is_lost_and_one_that_comes_twice_counts_twice():
    night = OpeningHours("America/Chicago", ((),) * 6 + ((Open(60, 150),),))  # Sundays 01:00 to 02:30
    spring, autumn, other = ((2026, 3, 8, 6), 60), ((2026, 11, 1, 5), 150), ((2026, 7, 5, 5), 90)
    for (day, minutes), hours in ((spring, 24), (autumn, 26), (other, 24)):
        assert open_minutes(night, utc(*day), hours * 60).sum() == minutes


def test_every_minute_of_a_year_agrees_with_the_wall_clock():
    start, local = datetime(2026, 1, 1, tzinfo=UTC), zone("America/Chicago")
    found = open_minutes(HOURS, start, 366 * 1440)
    for minute in range(0, 366 * 1440, 997):
        wall = (start + timedelta(minutes=minute)).astimezone(local)
        of_day = wall.hour * 60 + wall.minute
        expected = any(each.opens <= of_day < each.closes for each in HOURS.on(wall.date()))
        assert found[minute] == expected, wall


def test_a_minute_is_open_when_it_is_at_its_beginning():
    before = datetime(2026, 11, 23, 13, 59, 30, tzinfo=UTC)
    assert open_minutes(HOURS, before, 2).tolist() == [False, True]


def test_open_days_are_those_with_any_hours():
    assert open_days(HOURS, date(2026, 12, 24), 4).tolist() == [True, False, False, True]


def test_dates_that_clocks_repeat_keep_their_own_hours():
    havana = parse_hours(
        {"time_zone": "America/Havana", "weekly": [{"days": ["sun"], "from": "00:00", "to": "24:00"}],
         "closed": ["2026-11-01"]}
    )  # fmt: skip
    start = datetime(2026, 10, 31, 12, tzinfo=UTC)
    assert not open_minutes(havana, start, 48 * 60).any()


def refusals(**changes):
    with pytest.raises(StaffingRefused) as refused:
        parse_hours(DOCUMENT | changes)
    return {problem.pointer: problem.detail for problem in refused.value.problems}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"weekly": None}, "/weekly"),
        ({"weekly": [7]}, "/weekly/0"),
        ({"weekly": [{"from": "08:00", "to": "09:00"}]}, "/weekly/0/days"),
        ({"weekly": [{"days": ["mon"], "to": "09:00"}]}, "/weekly/0/from"),
        ({"weekly": [{"days": ["mon"], "from": "09:00", "to": "09:00"}]}, "/weekly/0/to"),
        ({"weekly": [{"days": [["mon"]], "from": "08:00", "to": "09:00"}]}, "/weekly/0/days/0"),
        ({"weekly": [{"days": ["mon"], "from": "08:00", "to": "09:00", "x": 1}]}, "/weekly/0/x"),
        ({"weekly": [{"days": ["mon", "mon"], "from": "08:00", "to": "09:00"}]}, "/weekly/0"),
        ({"closed": "2026-12-25"}, "/closed"),
        ({"closed": [20261225]}, "/closed/0"),
        ({"closed": ["1850-12-25"]}, "/closed/0"),
        ({"special": [{"date": "2026-12-24"}]}, "/special/0/from"),
        ({"time_zone": "localtime"}, "/time_zone"),
        ({"time_zone": None}, "/time_zone"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(changes, pointer):
    assert pointer in refusals(**changes)


@pytest.mark.parametrize("document", [{}, {"weekly": {}}, {"time_zone": [], "weekly": "x", "closed": {}, "special": 3}])
def test_any_document_is_refused_with_problems_and_never_fails_otherwise(document):
    with pytest.raises(StaffingRefused) as refused:
        parse_hours(document)
    assert refused.value.problems


def test_a_year_of_minutes_is_an_array_of_booleans():
    found = open_minutes(HOURS, datetime(2026, 1, 1, tzinfo=UTC), 525_600)
    assert (found.dtype, found.shape) == (np.dtype(bool), (525_600,))
