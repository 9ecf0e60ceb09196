import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.webhooks.schedule import NORMAL_SECONDS, URGENT_SECONDS, next_wait_seconds


def waits(*, urgent: bool) -> list[float]:
    found: list[float] = []
    while (wait := next_wait_seconds(len(found) + 1, urgent=urgent, jitter=0)) is not None:
        found.append(wait)
    return found


def test_the_normal_schedule_is_the_advised_one():
    minute, hour = 60, 3600
    hours = [2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]
    assert waits(urgent=False) == [5, 5 * minute, 30 * minute, *hours]


def test_what_is_urgent_is_tried_fast_before_the_normal_schedule():
    assert waits(urgent=True) == [1, 2, 4, 8, *waits(urgent=False)]


@pytest.mark.parametrize(("urgent", "schedule"), [(False, NORMAL_SECONDS), (True, URGENT_SECONDS)])
def test_there_are_as_many_tries_as_the_table_has_rows(urgent, schedule):
    assert len(waits(urgent=urgent)) + 1 == len(schedule)


@given(st.integers(1, 13), st.booleans(), st.floats(0, 1), st.floats(0, 1e9))
def test_jitter_adds_at_most_a_fifth_and_what_is_asked_for_is_bounded(tries, urgent, jitter, asked):
    plain = next_wait_seconds(tries, urgent=urgent, jitter=0)
    wait = next_wait_seconds(tries, urgent=urgent, jitter=jitter, asked_seconds=asked)
    if plain is None or wait is None:
        assert plain is wait
    else:
        assert max(plain, min(asked, 60)) <= wait <= max(plain * 1.2, min(asked, 86_400))


def test_a_receiver_may_put_off_the_rest_for_a_day_and_an_urgent_delivery_for_a_minute():
    assert next_wait_seconds(1, urgent=False, jitter=0, asked_seconds=10**9) == 86_400
    assert next_wait_seconds(1, urgent=True, jitter=0, asked_seconds=10**9) == 60
    assert next_wait_seconds(5, urgent=True, jitter=0, asked_seconds=10**9) == 86_400
