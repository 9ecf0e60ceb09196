from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.web import format as show

CHICAGO = ZoneInfo("America/Chicago")


def plain(text: str) -> str:
    return text.replace(show.THIN, " ").replace(show.MINUS, "-")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, show.NONE),
        (0, "0 s"),
        (0.04, "0 s"),
        (7.44, "7.4 s"),
        (9.96, "10 s"),
        (45.9, "45 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h"),
        (3900, "1 h 05 min"),
        (86400 + 3 * 3600, "1 d 3 h"),
        (1000 * 86400, "1,000 d"),
        (-35, "-35 s"),
    ],
)
def test_a_duration_reads_in_its_two_largest_units(seconds, text):
    assert plain(show.duration(seconds)) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, show.NONE), (0, "0"), (12345, "12,345"), (3.46, "3.5"), (-0.04, "0"), (-2, "-2")]
)
def test_numbers_are_grouped_and_absence_is_not_zero(value, text):
    assert plain(show.number(value)) == text


def test_a_ratio_keeps_the_decimal_that_tells_it_from_its_limit():
    assert plain(show.percent(0.746)) == "74.6 %"
    assert plain(show.percent(0.75)) == "75 %"
    assert show.percent(None) == show.NONE


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(12, "contacts", "12"), (94, "seconds", "1 min 34 s"), (0.8, "ratio", "80 %"), (None, "ratio", show.NONE)],
)
def test_a_measure_reads_the_way_its_unit_is_read(value, unit, text):
    assert plain(show.measure(value, unit)) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(4, "contacts", "+4"), (-35, "seconds", "-35 s"), (-0.041, "ratio", "-4.1 pp"), (None, "ratio", show.NONE)],
)
def test_a_margin_is_always_signed(value, unit, text):
    assert plain(show.margin(value, unit)) == text


def test_a_time_is_shown_in_the_zone_given_and_with_its_date_on_another_day():
    at = datetime(2026, 11, 17, 3, 5, 9, tzinfo=UTC)
    assert show.clock_time(at, CHICAGO) == "21:05:09"
    assert show.clock_time(at, CHICAGO, today=datetime(2026, 11, 17, 4, tzinfo=UTC)) == "21:05:09"
    assert show.clock_time(at, CHICAGO, today=datetime(2026, 11, 17, 18, tzinfo=UTC)) == "Mon 16 Nov 21:05"
    assert show.clock_time(None, CHICAGO) == show.NONE


def test_the_zone_is_named_as_it_is_called_at_that_instant():
    assert show.zone_name(datetime(2026, 11, 17, tzinfo=UTC), CHICAGO) == "CST, America/Chicago"
    assert show.zone_name(datetime(2026, 7, 17, tzinfo=UTC), CHICAGO) == "CDT, America/Chicago"
    assert show.zone_name(datetime(2026, 7, 17, tzinfo=UTC), ZoneInfo("UTC")) == "UTC"


def test_machine_times_are_utc_in_whole_seconds():
    assert show.iso(datetime(2026, 11, 17, 3, 5, 9, 999, tzinfo=UTC)) == "2026-11-17T03:05:09Z"
    assert show.iso(None) == ""


def test_a_count_agrees_with_its_noun():
    assert show.count(1, "queue") == "1 queue"
    assert show.count(1200, "queue") == "1,200 queues"


def test_an_hour_that_comes_twice_says_which_one_it_is_and_no_other_does():
    first, second = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (6, 7))
    assert show.clock_time(first, CHICAGO) == "01:30:00\u00a0CDT"
    assert show.clock_time(second, CHICAGO) == "01:30:00\u00a0CST"
    assert show.hour_and_minute(second, CHICAGO) == "01:30\u00a0CST"
    assert show.hour_and_minute(datetime(2026, 11, 1, 8, tzinfo=UTC), CHICAGO) == "02:00"
    assert show.hour_and_minute(datetime(2026, 11, 1, 5, 59, tzinfo=UTC), CHICAGO) == "00:59"
    assert show.hour_and_minute(datetime(2026, 3, 8, 8, tzinfo=UTC), CHICAGO) == "03:00"
