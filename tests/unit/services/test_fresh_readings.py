"""What an outlook believes of a floor: what is fresh, and a number of this world."""

import pytest

from app.core.floor.metric import Metric
from app.services.fresh_readings import FreshReadings, NotKnown
from tests.support.floors import NOON, backlog_floor


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
