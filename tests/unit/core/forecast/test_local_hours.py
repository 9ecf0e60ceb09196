"""The hours of local days: weeks of 167, 168 and 169 hours, and the odd changes of clocks."""

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.core.forecast.local_hours import local_hours

CHICAGO = ZoneInfo("America/Chicago")
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("monday", "hours"), [(date(2026, 3, 2), 167), (date(2026, 11, 16), 168), (date(2026, 10, 26), 169)], ids=str
)
def test_a_week_has_the_hours_that_its_clock_strikes(monday, hours):
    edges = local_hours(monday, 7, CHICAGO)
    assert len(edges) == hours + 1
    assert {after - before for before, after in pairwise(edges)} == {HOUR}
    assert f"{edges[0].astimezone(CHICAGO):%a %F %H:%M}" == f"Mon {monday} 00:00"
    assert edges[-1].astimezone(CHICAGO).date() == monday + timedelta(days=7)


def test_the_hour_that_comes_twice_is_there_twice_and_the_one_that_is_skipped_is_not():
    back = [at.astimezone(CHICAGO) for at in local_hours(date(2026, 11, 1), 1, CHICAGO)]
    assert [f"{at:%H %Z}" for at in back[:4]] == ["00 CDT", "01 CDT", "01 CST", "02 CST"]
    forward = [at.astimezone(CHICAGO) for at in local_hours(date(2026, 3, 8), 1, CHICAGO)]
    assert [at.hour for at in forward[:4]] == [0, 1, 3, 4]


def test_where_midnight_is_skipped_the_day_begins_at_one():
    santiago = ZoneInfo("America/Santiago")
    edges = local_hours(date(2026, 9, 6), 1, santiago)
    assert len(edges) == 24
    assert edges[0].astimezone(santiago).hour == 1
    assert len(set(edges)) == len(edges)


def test_where_clocks_change_by_half_an_hour_one_hour_is_longer():
    edges = local_hours(date(2026, 4, 5), 1, ZoneInfo("Australia/Lord_Howe"))
    lengths = [after - before for before, after in pairwise(edges)]
    assert sorted(set(lengths)) == [HOUR, 1.5 * HOUR]
    assert sum(lengths, timedelta()) == 24.5 * HOUR
