import numpy as np
import pytest

from app.core.forecast.waits import served, served_wait, served_within, still_waiting
from tests.unit.core.forecast.tagged import moved

AHEAD = np.arange(30.0)
FOREVER = 40_000.0
PACES = [(40 / 300, 1 / 180), (2 / 300, 1 / 240), (8 / 240, 0.0), (0.0, 1 / 60), (300 / 300, 1 / 86_400)]


@pytest.mark.parametrize(("drain", "theta"), PACES)
@pytest.mark.parametrize("seconds", [1.0, 20.0, 300.0])
def test_who_is_served_or_waits_by_then_is_what_the_chain_of_one_contact_says(drain, theta, seconds):
    chances = moved(30, drain, theta, seconds)
    np.testing.assert_allclose(served_within(AHEAD, drain, theta, seconds), chances[:, -2], atol=1e-12)
    np.testing.assert_allclose(still_waiting(AHEAD, drain, theta, seconds), chances[:, :-2].sum(axis=1), atol=1e-12)


@pytest.mark.parametrize(("drain", "theta"), PACES)
def test_who_is_served_at_all_is_served_within_a_very_long_time(drain, theta):
    np.testing.assert_allclose(
        served(AHEAD, drain, theta), served_within(AHEAD, drain, theta, FOREVER), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(("drain", "theta"), [PACES[0], PACES[1], PACES[2]])
def test_the_mean_wait_of_those_served_is_the_integral_of_who_is_yet_to_be_served(drain, theta):
    nodes, weights = np.polynomial.legendre.leggauss(150)
    half = 40 / drain
    times = (nodes + 1) * half
    late = [served(AHEAD, drain, theta) - served_within(AHEAD, drain, theta, time) for time in times]
    np.testing.assert_allclose(served_wait(AHEAD, drain, theta), weights @ late * half, rtol=1e-6)


def test_known_values_by_hand():
    one = np.zeros(1)  # nobody ahead, one agent at 1 a minute, patience a minute: the next of two equal clocks rings
    assert served(one, 1.0, 1.0) == pytest.approx(0.5)
    assert served_wait(one, 1.0, 1.0) == pytest.approx(0.25)
    assert served_within(one, 1.0, 1.0, 1.0) == pytest.approx(0.5 * (1 - np.exp(-2)))
    assert still_waiting(one, 1.0, 1.0, 1.0) == pytest.approx(np.exp(-2))


def test_patience_without_end_is_the_limit_of_very_long_patience():
    for law, arguments in ((served, ()), (served_wait, ()), (served_within, (20.0,)), (still_waiting, (20.0,))):
        for theta in (1e-7, 1e-9, 1e-11):
            found, limit = law(AHEAD, 0.5, theta, *arguments), law(AHEAD, 0.5, 0.0, *arguments)
            np.testing.assert_allclose(found, limit, rtol=1e3 * theta + 1e-8, atol=1e-12)


def test_without_agents_nobody_is_served_and_those_with_patience_give_up():
    assert served(AHEAD, 0.0, 0.01).max() == 0
    assert served_wait(AHEAD, 0.0, 0.01).max() == 0
    assert served_within(AHEAD, 0.0, 0.0, 1e6).max() == 0
    np.testing.assert_allclose(still_waiting(AHEAD, 0.0, 0.01, 50.0), np.exp(-0.5))
    np.testing.assert_allclose(still_waiting(AHEAD, 0.0, 0.0, 50.0), 1.0)


def test_a_target_of_nothing_is_met_by_nobody_who_waits():
    assert served_within(AHEAD, 0.5, 0.01, 0.0).max() == 0
    assert still_waiting(AHEAD, 0.5, 0.01, 0.0).min() == 1
