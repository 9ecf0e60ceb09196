import numpy as np
import pytest
from scipy.linalg import expm

from app.core.forecast.chain import Drain, Steps, Stretch, leave, stretches, walk

DRAIN = Drain(1 / 300, 1 / 180)


def unit_mass(number, states=60):
    return (np.arange(states) == number).astype(float)


def dense(masses, rate, agents, seconds, drain=DRAIN):
    """Return the distribution so many seconds later, by a dense matrix exponential."""
    states = np.arange(len(masses), dtype=float)
    deaths = drain.deaths(states, agents)
    rates = np.diag(np.full(len(masses) - 1, rate), 1) + np.diag(deaths[1:], -1)
    rates -= np.diag(rates.sum(axis=1))
    return masses @ expm(rates * seconds)


def walked(rates, agents, starts, steps=2, *, drain=DRAIN, narrow_at=(0,)):
    parts = [8 if minute in narrow_at else 1 for minute in range(len(agents))]
    return walk(np.atleast_2d(rates), stretches(np.asarray(agents)), drain, starts, Steps(steps, parts))


def test_stretches_are_runs_of_equal_staffing():
    assert stretches(np.array([4, 4, 3, 4])) == [Stretch(0, 2, 4), Stretch(2, 3, 3), Stretch(3, 4, 4)]
    assert stretches(np.array([0])) == [Stretch(0, 1, 0)]


def test_departures_are_of_busy_agents_and_of_those_who_give_up():
    assert Drain(2.0, 0.5).deaths(np.arange(5.0), 3).tolist() == [0, 2, 4, 6, 6.5]
    assert Drain(2.0, 0.5).deaths(np.arange(3.0), 0).tolist() == [0, 0.5, 1]


def test_the_distribution_is_that_of_the_matrix_exponential():
    found = walked(np.full(10, 0.15), np.full(10, 40), [unit_mass(31)]).points(0, 0)
    for minute, closeness in ((1, 1.5e-3), (5, 2e-4), (10, 5e-5)):
        np.testing.assert_allclose(found[2 * minute], dense(unit_mass(31), 0.15, 40, 60 * minute), atol=closeness)


def test_shorter_steps_come_closer_as_the_square_of_their_length():
    exact = dense(unit_mass(31), 0.15, 40, 600)
    errors = [
        np.abs(walked(np.full(10, 0.15), np.full(10, 40), [unit_mass(31)], steps).points(0, 0)[-1] - exact).max()
        for steps in (1, 2, 4)
    ]
    assert errors[0] / errors[1] > 3
    assert errors[1] / errors[2] > 3


def test_nothing_is_below_zero_and_nothing_is_lost_from_a_unit_mass():
    for steps in (1, 2, 6):
        found = walked(np.full(5, 0.3), np.full(5, 40), [unit_mass(31)], steps).points(0, 0)
        assert found.min() > -2e-3
        np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)


def test_rates_change_with_the_minute():
    found = walked([0.1, 0.3, 0.0], np.full(3, 40), [unit_mass(31)], 12).points(0, 0)
    expected = unit_mass(31)
    for rate in (0.1, 0.3, 0.0):
        expected = dense(expected, rate, 40, 60)
    np.testing.assert_allclose(found[-1], expected, atol=2e-4)


def test_rows_do_not_touch_each_other_and_keep_their_own_sizes():
    rates = np.array([[0.1, 0.2], [0.4, 0.1]])
    together = walked(rates, [5, 4], [unit_mass(3), unit_mass(9, 40)])
    alone = [walked(rates[:1], [5, 4], [unit_mass(3)]), walked(rates[1:], [5, 4], [unit_mass(9, 40)])]
    for row in (0, 1):
        for position in (0, 1):
            np.testing.assert_allclose(together.points(position, row), alone[row].points(position, 0), atol=1e-14)


def test_agents_who_leave_finish_the_contact_in_hand_and_idle_ones_leave_first():
    busy_and_idle = leave(unit_mass(6), before=10, after=7)
    assert (
        busy_and_idle.tolist() == unit_mass(6).tolist()
    )  # one idle agent too many: nothing in hand is lost to the queue
    three_leave_with_contacts = leave(unit_mass(10), before=10, after=7)
    assert three_leave_with_contacts.tolist() == unit_mass(7).tolist()
    the_queue_stays = leave(unit_mass(14), before=10, after=7)
    assert the_queue_stays.tolist() == unit_mass(11).tolist()
    everybody_leaves = leave(unit_mass(14), before=10, after=0)
    assert everybody_leaves.tolist() == unit_mass(4).tolist()


def test_more_agents_change_no_distribution():
    masses = np.linspace(0, 1, 60)
    assert leave(masses, before=7, after=10) is masses


def test_a_walk_is_continued_across_changes_of_staffing():
    found = walked(np.full(6, 0.15), [40, 40, 36, 36, 42, 42], [unit_mass(41)], 12)
    expected = dense(unit_mass(41), 0.15, 40, 120)
    np.testing.assert_allclose(found.at(2), leave(expected, 40, 36), atol=2e-4)
    expected = dense(leave(expected, 40, 36), 0.15, 36, 120)
    np.testing.assert_allclose(found.at(4), expected, atol=2e-4)
    np.testing.assert_allclose(found.at(6), dense(expected, 0.15, 42, 120), atol=2e-4)


def test_what_comes_near_the_last_state_is_told_per_row():
    spilled = walked(np.array([[0.1], [2.0]]), [5], [unit_mass(3, 30), unit_mass(28, 30)]).spilled()
    assert spilled[0] < 1e-6
    assert spilled[1] > 0.5


@pytest.mark.parametrize("agents", [0, 3])
def test_without_arrivals_the_floor_empties_as_its_agents_and_its_patience_let_it(agents):
    found = walked(np.zeros(120), np.full(120, agents), [unit_mass(8, 20)]).points(0, 0)[-1]
    assert found[0] == pytest.approx(1.0, abs=1e-6)
    lasting = walked(np.zeros(120), np.full(120, 0), [unit_mass(8, 20)], drain=Drain(1 / 300, 0.0)).points(0, 0)[-1]
    assert lasting[8] == pytest.approx(1.0)
