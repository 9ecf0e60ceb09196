import numpy as np
import pytest

from app.core.forecast.profiles import is_ordinary, mean, near, share, smoothed, typical, without_odd_days

NAN = np.nan


def test_typical_is_the_median_of_what_is_known_in_each_column():
    rows = np.array([[1.0, NAN, 5.0, NAN], [9.0, 4.0, 1.0, NAN], [2.0, 8.0, NAN, NAN]])
    assert typical(rows) == pytest.approx([2.0, 6.0, 3.0, NAN], nan_ok=True)
    assert mean(rows) == pytest.approx([4.0, 6.0, 3.0, NAN], nan_ok=True)


@pytest.mark.parametrize("rows", [1, 2, 7, 8])
def test_typical_is_numpys_median_where_everything_is_known(rows):
    values = np.random.default_rng(rows).random((rows, 50))
    assert typical(values) == pytest.approx(np.median(values, axis=0))


def test_smoothing_is_over_what_is_known_and_narrower_at_the_ends():
    assert smoothed(np.array([3.0, 0.0, 6.0, 0.0, 3.0]), 3) == pytest.approx([1.5, 3, 2, 3, 1.5])
    assert smoothed(np.array([3.0, NAN, 5.0, 7.0]), 3) == pytest.approx([3, NAN, 6, 6], nan_ok=True)
    assert near(np.ones(4), 99).tolist() == [4.0] * 4


def test_a_quiet_night_after_a_busy_day_is_never_below_nothing():
    days = np.concatenate([np.random.default_rng(4).random((50, 200)), np.zeros((50, 88))], axis=1)
    assert min(smoothed(day, 7).min() for day in days) == 0.0


def test_a_share_is_of_what_both_know():
    assert share(np.array([2.0, NAN, 4.0]), np.array([4.0, 9.0, NAN])) == 0.5
    assert np.isnan(share(np.array([NAN]), np.array([1.0])))


def test_odd_days_are_left_out():
    days = [np.full(4, 10.0), np.full(4, 11.0), np.full(4, 4.9), np.array([9.0, NAN, NAN, NAN])]
    assert len(without_odd_days(days)) == 3
    assert without_odd_days([]) == []
    profile = np.full(4, 10.0)
    assert [is_ordinary(day, profile) for day in days] == [True, True, False, False]
