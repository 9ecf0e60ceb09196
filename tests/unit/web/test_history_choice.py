"""What a URL says that charts show: read leniently, and where its spans begin."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.web.history.choice import RANGES, Behind, Choice, Layer, read_choice

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 22, 15, 7, 42, tzinfo=UTC)
MOST_POINTS = 1_500


def test_a_url_that_says_nothing_shows_three_hours_with_last_week_behind():
    assert read_choice("orders", "", None, "") == Choice("orders", "3h", frozenset({Behind.LAST_WEEK}), frozenset())


def test_what_is_named_and_exists_is_shown_and_what_does_not_is_left_out():
    choice = read_choice("orders", "24h", "yesterday, tomorrow", "sends,colours,outlook")
    assert choice.behind == {Behind.YESTERDAY}
    assert choice.hidden == {Layer.SENDS, Layer.OUTLOOK}
    assert not choice.shows(Layer.SENDS)
    assert choice.shows(Layer.NOTES)
    assert read_choice("orders", "9y", "", "") == Choice("orders", "3h", frozenset())


@pytest.mark.parametrize("name", list(RANGES))
def test_no_chart_has_more_points_than_can_be_seen(name):
    span = NOW - Choice("q", name).begins(NOW, CHICAGO)
    assert RANGES[name].length <= span < RANGES[name].length + timedelta(days=1)
    assert span.total_seconds() / RANGES[name].step_seconds <= MOST_POINTS


@pytest.mark.parametrize(("name", "begins"), [("3h", "12:07:00"), ("24h", "15:05:00"), ("7d", "15:00:00")])
def test_a_span_begins_on_a_whole_step(name, begins):
    assert f"{Choice('q', name).begins(NOW, CHICAGO):%H:%M:%S}" == begins


@pytest.mark.parametrize(("zone", "hour"), [("America/Chicago", 6), ("Asia/Kolkata", 18), ("UTC", 0)])
def test_days_begin_with_the_whole_hour_of_the_centers_midnight(zone, hour):
    start = Choice("q", "1y").begins(NOW, ZoneInfo(zone))
    assert (start.hour, start.minute, start.second) == (hour, 0, 0)
