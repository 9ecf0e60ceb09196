"""Send windows against the clock on the wall, across the odd hours that daylight saving makes."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.core.gate.windows import Hours, SendWindow, hours

ALL_DAYS = frozenset(range(7))
MON, SUN = frozenset({0}), frozenset({6})
CHICAGO, BERLIN = "America/Chicago", "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def clock(text: str) -> time | None:
    return None if text == "24:00" else time.fromisoformat(text)


def a_window(days: frozenset[int], start: str, until: str) -> SendWindow:
    return SendWindow(days, time.fromisoformat(start), clock(until))


@pytest.mark.parametrize(
    ("now", "state", "changes_at"),
    [
        pytest.param("2026-11-23T14:59:59", "closed", "2026-11-23T15:00:00", id="a second before it opens"),
        pytest.param("2026-11-23T15:00:00", "open", "2026-11-24T00:00:00", id="opens at `from`"),
        pytest.param("2026-11-23T23:59:59", "open", "2026-11-24T00:00:00", id="a second before it closes"),
        pytest.param("2026-11-24T00:00:00", "closed", "2026-11-30T15:00:00", id="closed at `to`, opens in a week"),
    ],
)
def test_monday_nine_to_six_in_chicago_winter(now: str, state: str, changes_at: str):
    assert hours((a_window(MON, "09:00", "18:00"),), CHICAGO, utc(now)) == Hours(state == "open", utc(changes_at))


def test_same_wall_clock_is_another_instant_in_summer():
    assert hours((a_window(MON, "09:00", "18:00"),), CHICAGO, utc("2026-07-06T13:00:00")).changes_at == utc(
        "2026-07-06T14:00:00"
    )


@pytest.mark.parametrize(
    ("start", "until", "opens", "closes"),
    [
        # On 2026-03-08 Chicago's clocks go from 01:59:59 straight to 03:00:00, which is 08:00 UTC.
        pytest.param("01:30", "03:30", "2026-03-08T07:30:00", "2026-03-08T08:30:00", id="skipped hour inside"),
        pytest.param("02:15", "05:00", "2026-03-08T08:00:00", "2026-03-08T10:00:00", id="start is skipped"),
        pytest.param("01:00", "02:45", "2026-03-08T07:00:00", "2026-03-08T08:00:00", id="end is skipped"),
        pytest.param("02:15", "02:45", "2026-03-15T07:15:00", "2026-03-15T07:45:00", id="all of it is skipped"),
    ],
)
def test_an_hour_that_is_skipped(start: str, until: str, opens: str, closes: str):
    windows = (a_window(SUN, start, until),)
    assert hours(windows, CHICAGO, utc("2026-03-08T06:30:00")) == Hours(False, utc(opens))
    assert hours(windows, CHICAGO, utc(opens)) == Hours(True, utc(closes))


def test_an_hour_that_comes_twice_counts_twice():
    # On 2026-11-01 Chicago's 01:00 to 02:00 comes at 06:00 UTC and again at 07:00 UTC.
    windows = (a_window(SUN, "01:15", "01:45"),)
    assert hours(windows, CHICAGO, utc("2026-11-01T06:00:00")) == Hours(False, utc("2026-11-01T06:15:00"))
    assert hours(windows, CHICAGO, utc("2026-11-01T06:30:00")) == Hours(True, utc("2026-11-01T06:45:00"))
    assert hours(windows, CHICAGO, utc("2026-11-01T06:50:00")) == Hours(False, utc("2026-11-01T07:15:00"))
    assert hours(windows, CHICAGO, utc("2026-11-01T07:30:00")) == Hours(True, utc("2026-11-01T07:45:00"))
    assert hours(windows, CHICAGO, utc("2026-11-01T07:45:00")) == Hours(False, utc("2026-11-08T07:15:00"))


def test_a_window_over_the_repeated_hour_is_an_hour_longer():
    windows = (a_window(SUN, "00:00", "06:00"),)
    assert hours(windows, CHICAGO, utc("2026-11-01T05:00:00")) == Hours(True, utc("2026-11-01T12:00:00"))


def test_windows_that_touch_are_one():
    windows = (
        a_window(MON, "09:00", "12:00"),
        a_window(MON, "12:00", "24:00"),
        a_window(frozenset({1}), "00:00", "02:00"),
    )
    assert hours(windows, "UTC", utc("2026-11-23T10:00:00")) == Hours(True, utc("2026-11-24T02:00:00"))


def test_open_all_week_never_changes():
    assert hours((a_window(ALL_DAYS, "00:00", "24:00"),), BERLIN, utc("2026-03-29T00:59:59")) == Hours(True, None)


def test_a_day_that_a_country_left_out_does_not_open():
    # Samoa went from Thursday 2011-12-29 to Saturday 2011-12-31.
    windows = (a_window(frozenset({4}), "09:00", "10:00"),)
    assert hours(windows, "Pacific/Apia", utc("2011-12-29T23:00:00")).changes_at == utc("2012-01-05T19:00:00")


@pytest.mark.parametrize("time_zone", ["UTC", CHICAGO, BERLIN, "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"])
@pytest.mark.parametrize("around", ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"])
def test_agrees_with_the_wall_clock_minute_by_minute(time_zone: str, around: str):
    window = a_window(frozenset({5, 6}), "01:40", "02:20")
    start = utc(f"{around}T00:00:00") - timedelta(hours=14)
    for minute in range(0, 48 * 60, 5):
        now = start + timedelta(minutes=minute)
        local = now.astimezone(ZoneInfo(time_zone))
        expected = local.weekday() in window.days and time(1, 40) <= local.time() < time(2, 20)
        found = hours((window,), time_zone, now)
        assert found.is_open is expected, now
        assert found.changes_at is not None
        assert found.changes_at > now
