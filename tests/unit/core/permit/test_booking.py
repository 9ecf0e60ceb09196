"""What counts as sent in the last hour."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.permit.booking import COUNTED, HOUR, MINUTE, earliest, last_hour, minute_of
from tests.support.builders import NOW, after


@pytest.mark.parametrize(
    ("seconds", "counts"), [(0, True), (3599, True), (3600, True), (3659.9, True), (3660, False), (90_000, False)]
)
def test_a_minute_counts_until_its_end_lies_an_hour_back(seconds, counts):
    booked = last_hour({NOW: 7}, after(seconds))
    assert booked.sent == (7 if counts else 0)
    assert booked.frees_at == (NOW + COUNTED if counts else None)


def test_what_a_clock_set_back_has_ahead_of_it_counts():
    assert last_hour({after(7200): 7}, NOW).sent == 7


def test_the_oldest_minute_is_the_first_to_be_free():
    assert last_hour({after(120): 1, after(60): 2}, after(180)) == (3, after(60) + COUNTED)


reports = st.lists(st.tuples(st.floats(0, 3 * 3600), st.integers(1, 1000)), max_size=20)


@given(reports, st.floats(0, 4 * 3600))
def test_no_part_of_the_last_hour_is_left_out_and_nothing_much_older_counts(sent, now):
    minutes: dict[datetime, int] = {}
    for seconds, number in sent:
        minute = minute_of(after(seconds))
        minutes[minute] = minutes.get(minute, 0) + number
    at = after(now)
    counted = last_hour(minutes, at).sent
    assert counted >= sum(number for seconds, number in sent if after(seconds) > at - HOUR)
    assert counted <= sum(number for seconds, number in sent if after(seconds) > at - HOUR - MINUTE)


def test_the_earliest_of_none_is_none():
    assert earliest() is None
    assert earliest(None, NOW, after(1)) == NOW
    assert earliest(NOW, NOW - timedelta(1)) == NOW - timedelta(1)
