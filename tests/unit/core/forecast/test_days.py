from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from app.core.forecast.calendar import Calendar
from app.core.forecast.days import by_local_day
from app.core.forecast.series import Series
from tests.support.arriving import a_history, local_days


def test_steps_become_days_and_times_of_the_zone():
    days = local_days(np.arange(600.0), datetime(2026, 6, 1, 20, tzinfo=UTC), "Europe/Berlin")
    assert (days.first_day, days.contacts.shape) == (date(2026, 6, 1), (3, 288))
    assert days.contacts[0, 22 * 12] == 0
    assert np.isnan(days.contacts[0, : 22 * 12]).all()
    assert days.contacts[1, 0] == 24
    assert days.contacts[2].tolist()[: 600 - 24 - 288] == list(range(312, 600))


def test_an_hour_that_comes_twice_holds_the_mean_and_one_that_is_skipped_is_not_known():
    autumn = local_days(np.arange(300.0), datetime(2026, 10, 24, 22, tzinfo=UTC), "Europe/Berlin")
    assert autumn.contacts[0, 24:36].tolist() == [(24 + 36) / 2 + step for step in range(12)]
    spring = local_days(np.ones(276), datetime(2026, 3, 28, 23, tzinfo=UTC), "Europe/Berlin")
    assert spring.contacts.shape == (1, 288)
    assert np.flatnonzero(np.isnan(spring.contacts[0])).tolist() == list(range(24, 36))


def test_lift_is_taken_out_but_never_more_than_came():
    came = Series(datetime(2026, 6, 1, tzinfo=UTC), 300, np.array([5.0, 5.0, np.nan, 5.0]))
    days = by_local_day(came, Calendar(), np.array([2.0, 9.0, 1.0, np.nan]))
    assert days.contacts[0, :2].tolist() == [3.0, 0.0]
    assert np.isnan(days.contacts[0, 2:]).all()


def test_lift_of_another_length_and_odd_steps_are_refused():
    came = Series(datetime(2026, 6, 1, tzinfo=UTC), 300, np.ones(4))
    with pytest.raises(ValueError, match="3 steps where the series has 4"):
        by_local_day(came, Calendar(), np.ones(3))
    with pytest.raises(ValueError, match="420 s do not divide a day"):
        by_local_day(Series(came.start, 420, came.values), Calendar())


def test_days_are_followed_by_later_ones_with_what_lies_between_unknown():
    past, today = a_history(3), a_history(2, first=date(2026, 1, 9))
    joined = past.followed_by(today)
    assert joined.first_day == past.first_day
    assert np.isnan(joined.contacts).all(axis=1).tolist() == [False] * 3 + [True] + [False] * 2
    again = past.followed_by(a_history(1, lambda *_: 1.0, past.first_day + timedelta(days=2)))
    assert again.contacts[-1].tolist() == [1.0] * 288
    assert len(again.contacts) == 3
