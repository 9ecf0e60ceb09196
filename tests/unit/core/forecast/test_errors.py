import numpy as np
import pytest

from app.core.forecast.calendar import Calendar
from app.core.forecast.errors import ErrorCv, error_cv
from app.core.forecast.usual import Usuals
from tests.support.arriving import MONDAY, a_history, usuals

TODAY = MONDAY.toordinal() + 84


def noisy(day_cv: float, seed: int = 1) -> Usuals:
    rng = np.random.default_rng(seed)
    rates = a_history(84, lambda *_: 100.0)
    factors = rng.lognormal(0, day_cv, (84, 1)) if day_cv else 1.0
    rates.contacts[:] = rng.poisson(rates.contacts * factors)
    return Usuals(rates, Calendar())


def test_poisson_noise_alone_is_no_error_of_the_forecast():
    found = error_cv(noisy(0.0), TODAY)
    assert found is not None
    assert found.days == 20
    assert max(found.one_hour, found.two_hours, found.four_hours, found.beyond) < 0.03


def test_days_that_differ_are_caught_up_with_while_they_last():
    found = error_cv(noisy(0.2), TODAY)
    assert found is not None
    assert 0.13 < found.beyond < 0.3
    assert found.one_hour < 0.6 * found.beyond


def test_nothing_is_measured_on_too_little():
    assert error_cv(usuals(17), MONDAY.toordinal() + 17) is None
    assert error_cv(usuals(40, lambda *_: 0.0), MONDAY.toordinal() + 40) is None


def test_no_error_is_taken_for_smaller_than_two_percent():
    assert error_cv(usuals(40), MONDAY.toordinal() + 40) == ErrorCv(0.02, 0.02, 0.02, 0.02, days=20)


def test_each_distance_has_its_own():
    cv = ErrorCv(1, 2, 3, 4).at(np.array([0.0, 0.99, 1.0, 2.0, 3.99, 4.0, 30.0]))
    assert cv == pytest.approx([1, 1, 2, 3, 3, 4, 4])
