"""What an outlook believes of a floor: what is fresh, and a number of this world."""

from datetime import timedelta

import pytest

from app.core.floor.metric import Metric
from app.services.fresh_readings import FreshReadings, NotKnown
from tests.support.floors import NOON, StaticFloor, a_reading, backlog_floor


def fresh(waiting, age_seconds=0.0):
    return FreshReadings(backlog_floor(waiting, age_seconds=age_seconds), "orders", 90.0, NOON)


@pytest.mark.parametrize(("waiting", "age_seconds"), [(0, 0), (3.2, 89.9), (4, -300)])
def test_a_fresh_backlog_is_taken_and_never_rounded_down(waiting, age_seconds):
    assert fresh(waiting, age_seconds).waiting() == {0: 0, 3.2: 4, 4: 4}[waiting]


@pytest.mark.parametrize(
    ("waiting", "age_seconds"),
    [(None, 0), (3, 90), (3, 10**6), (3, -301), (float("nan"), 0), (float("inf"), 0), (-1, 0)],
)
def test_what_is_missing_old_of_the_future_or_no_number_is_not_known(waiting, age_seconds):
    assert fresh(waiting, age_seconds).value(Metric.BACKLOG) is None
    with pytest.raises(NotKnown, match="orders: nobody says how many are waiting"):
        fresh(waiting, age_seconds).waiting()


def test_the_oldest_counts_among_the_fresh_gauges_that_an_outlook_starts_from():
    ages = {
        Metric.BACKLOG: 5,
        Metric.AGENTS_STAFFED: 60,
        Metric.AGENTS_BUSY: 30,
        Metric.CONTACTS_IN_PROGRESS: 90,  # stale, so it is not used
        Metric.OLDEST_WAIT_SECONDS: 80,  # no outlook starts from it
    }
    floor = StaticFloor()
    for metric, age in ages.items():
        floor.put("orders", a_reading(metric, observed_at=NOON - timedelta(seconds=age)))
    assert FreshReadings(floor, "orders", 90.0, NOON).oldest_at() == NOON - timedelta(seconds=60)
    assert FreshReadings(floor, "other", 90.0, NOON).oldest_at() == NOON


@pytest.mark.parametrize(
    ("backlog", "waited_seconds", "quiet_minutes", "waiting"),
    [
        (5, 400, (20, 5), 5),
        (2, 400, (20, 5), 0),  # so few may be a matter of clocks
        (5, 400, (12, 5), 0),
        (5, 200, (20, 5), 0),  # came after it
        (5, 1_300, (20, 5), 0),  # came before it
        (5, None, (20, 5), 0),
    ],
)
def test_who_waits_since_a_time_in_which_nobody_came_is_noticed(backlog, waited_seconds, quiet_minutes, waiting):
    floor = StaticFloor().put("orders", a_reading(Metric.BACKLOG, backlog))
    floor.put("orders", a_reading(Metric.OLDEST_WAIT_SECONDS, waited_seconds))
    began, ended = (NOON - timedelta(minutes=minutes) for minutes in quiet_minutes)
    assert FreshReadings(floor, "orders", 90.0, NOON).came_within(began, ended) == waiting
