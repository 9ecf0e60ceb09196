"""What is known of a system's clock by the answers it gives."""

import time
from datetime import timedelta
from email.utils import format_datetime

import pytest

from tests.support.builders import NOW
from workers.systems.clocks import hear, listening

WHOLE = NOW.replace(microsecond=0)


def ahead(headers, *, now=WHOLE, took=0.0):
    with listening() as shown:
        hear(headers, time.monotonic() - took)
    return shown.ahead_seconds(now)


@pytest.mark.parametrize("seconds", [-7200, -61, 61, 7200])
def test_a_clock_that_is_off_is_known_by_the_second_and_the_half(seconds):
    found = ahead({"date": format_datetime(WHOLE + timedelta(seconds=seconds), usegmt=True)})
    assert found is not None
    assert abs(found - seconds) <= 1


def test_less_than_anybody_can_tell_is_nothing():
    date = format_datetime(WHOLE, usegmt=True)
    assert ahead({"date": date}, now=NOW) == 0
    assert ahead({"date": date}, now=WHOLE + timedelta(seconds=90), took=120) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"date": "soon"},
        {"date": ""},
        {"date": "Sun, 99 Nov 2026 25:61:61 GMT"},
        {"date": format_datetime(WHOLE - timedelta(hours=1), usegmt=True), "age": "3600"},
    ],
    ids=["no date", "a word", "nothing", "no such day", "kept by a cache"],
)
def test_without_a_sound_date_of_now_nothing_is_known(headers):
    assert ahead(headers) is None


def test_who_does_not_listen_hears_nothing():
    hear({"date": format_datetime(WHOLE, usegmt=True)}, time.monotonic())
    with listening() as shown:
        assert shown.ahead_seconds(NOW) is None
