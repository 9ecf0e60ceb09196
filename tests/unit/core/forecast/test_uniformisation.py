import numpy as np
import pytest
from scipy.stats import binom, poisson

from app.core.forecast.chain import Drain, leave
from app.core.forecast.uniformisation import advanced, uniformised

EQUAL = Drain(1 / 300, 1 / 300)


def unit_masses(*numbers, states=120):
    return np.stack([(np.arange(states) == number).astype(float) for number in numbers], axis=1)


def test_with_patience_as_long_as_handling_it_is_a_binomial_and_a_poisson_number():
    ((found,),) = uniformised(unit_masses(31), np.array([[0.1]]), np.array([20]), EQUAL, 600.0).transpose(0, 2, 1)
    left, come = np.exp(-2.0), 0.1 * 300 * (1 - np.exp(-2.0))
    expected = np.convolve(binom.pmf(np.arange(120), 31, left), poisson.pmf(np.arange(120), come))[:120]
    np.testing.assert_allclose(found, expected, atol=1e-11)


def test_many_scenarios_side_by_side_are_each_alone():
    rates = np.array([[0.1, 0.3], [0.0, 0.0], [0.9, 0.2]])
    starts = unit_masses(3, 30, 0)
    together = uniformised(starts, rates, np.array([20, 12]), Drain(1 / 300, 1 / 100), 300.0)
    for scenario in range(3):
        alone = uniformised(
            starts[:, scenario : scenario + 1],
            rates[scenario : scenario + 1],
            np.array([20, 12]),
            Drain(1 / 300, 1 / 100),
            300.0,
        )
        np.testing.assert_allclose(together[:, :, scenario], alone[:, :, 0], atol=1e-11)


def test_long_steps_are_as_exact_as_short_ones():
    deaths = Drain(1 / 3, 1 / 2).deaths(np.arange(60.0), 20)
    once = advanced(unit_masses(20, states=60), np.array([5.0]), deaths, 200.0)
    often = unit_masses(20, states=60)
    for _ in range(100):
        often = advanced(often, np.array([5.0]), deaths, 2.0)
    np.testing.assert_allclose(once, often, atol=1e-9)


def test_agents_who_leave_take_the_contact_in_hand_along():
    starts = unit_masses(25)
    both = uniformised(starts, np.zeros((1, 2)), np.array([20, 12]), EQUAL, 60.0)
    fallen = leave(both[0, :, 0], 20, 12)[:, None]
    alone = uniformised(fallen, np.zeros((1, 1)), np.array([12]), EQUAL, 60.0)
    np.testing.assert_allclose(both[1], alone[0], atol=1e-12)


def test_where_nothing_can_happen_nothing_does():
    starts = unit_masses(4)
    found = uniformised(starts, np.zeros((1, 1)), np.array([0]), Drain(1 / 300, 0.0), 3_600.0)
    assert found[0, 4, 0] == pytest.approx(1.0)
