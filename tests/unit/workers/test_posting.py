"""What a receiver may put into its answer, and what is made of it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from workers.posting import retry_after


@pytest.mark.parametrize(("value", "seconds"), [("120", 120.0), (" 7 ", 7.0), ("9" * 5_000, 999_999_999.0)])
def test_a_number_of_seconds_is_taken(value, seconds):
    assert retry_after({"retry-after": value}) == seconds


def test_an_instant_is_so_far_from_now_and_a_past_one_is_now():
    ahead = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    assert retry_after({"retry-after": ahead}) == pytest.approx(600, abs=5)
    assert retry_after({"retry-after": "Sat, 01 Jan 2000 00:00:00 GMT"}) == 0.0


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-5",
        "١٢٣",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
        "Mon, 01 Jan 2024 99999999999999999999:00:00 GMT",
    ],
)
def test_what_is_neither_asks_for_nothing(value):
    assert retry_after({"retry-after": value}) == 0.0
