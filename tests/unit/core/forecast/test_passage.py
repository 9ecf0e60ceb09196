import numpy as np
import pytest
from scipy.linalg import expm

from app.core.forecast.passage import exceeded
from app.core.forecast.predict import predict
from app.core.forecast.scenario import Scenario

MU, THETA = 1 / 300, 1 / 180


def a_scenario(agents, **fields):
    staff = np.asarray(agents, dtype=np.int64)
    defaults = {"handle_seconds": 300.0, "patience_seconds": 180.0, "busy": 1, "waiting": 0}
    return Scenario(np.zeros(len(staff)), staff, **(defaults | fields))


def by_matrix_exponential(arrivals, agents, backlog, minutes):
    """Two to five states and their generator, written out."""
    number = np.arange(agents + backlog + 1)
    deaths = np.minimum(number, agents) * MU + np.maximum(number - agents, 0) * THETA
    generator = np.diag(-(arrivals + deaths)) + np.diag(np.full(len(number) - 1, arrivals), 1) + np.diag(deaths[1:], -1)
    return 1 - expm(generator * 60.0 * minutes)[1].sum()


@pytest.mark.parametrize("backlog", [0, 1, 3])
def test_first_passage_is_that_of_the_generator_without_the_states_above(backlog):
    found = exceeded(a_scenario([2] * 30), np.full((1, 30), 0.008), backlog)
    for minute in (5, 30):
        expected = by_matrix_exponential(0.008, 2, backlog, minute)
        assert found[0, minute - 1] == pytest.approx(expected, abs=2e-4)


def test_it_never_falls_and_is_more_than_the_largest_probability_at_one_instant():
    scenario, arrivals = a_scenario([10] * 60, busy=9), np.full((1, 60), 0.03)
    found = exceeded(scenario, arrivals, 3)[0]
    assert (np.diff(found) >= 0).all()
    assert found[-1] > 1.5 * predict(scenario, arrivals, backlog_above=(3,)).backlog_above[3].max()


def test_each_row_has_its_own_arrivals():
    arrivals = np.array([[0.001] * 10, [0.02] * 10])
    few, many = exceeded(a_scenario([2] * 10), arrivals, 2)[:, -1]
    assert few < 0.01
    assert many > 0.3
    assert exceeded(a_scenario([2] * 10), arrivals[1:], 2)[0, -1] == pytest.approx(many)


def test_what_waits_already_breaks_the_limit_at_once():
    assert (exceeded(a_scenario([2] * 5, busy=2, waiting=4), np.zeros((1, 5)), 3) == 1).all()


def test_who_outstays_a_shift_does_not_wait():
    assert exceeded(a_scenario([2] * 5, busy=9), np.zeros((1, 5)), 3)[0, -1] == pytest.approx(0.0, abs=1e-9)


def test_agents_who_leave_take_what_they_handle_with_them():
    found = exceeded(a_scenario([8, 8, 2, 2], busy=8, handle_seconds=1e6), np.zeros((1, 4)), 3)
    assert found[0, -1] == pytest.approx(0.0, abs=1e-9)


def test_agents_who_come_take_those_who_wait():
    scenario = a_scenario([2] * 3 + [6] * 27, busy=2, waiting=2)
    few = exceeded(a_scenario([2] * 30, busy=2, waiting=2), np.full((1, 30), 0.01), 4)[0]
    more = exceeded(scenario, np.full((1, 30), 0.01), 4)[0]
    assert more[2] == pytest.approx(few[2])
    assert more[-1] < few[-1] / 2


def test_nobody_works_and_contacts_pile_up():
    found = exceeded(a_scenario([0] * 60, busy=0, patience_seconds=None), np.full((1, 60), 0.02), 3)
    assert found[0, -1] > 0.999


def test_a_distribution_may_stand_for_the_start():
    start = np.zeros((1, 12))
    start[0, [1, 11]] = 0.7, 0.3  # with 2 agents and a limit of 3, eleven in the system are too many
    found = exceeded(a_scenario([2] * 2), np.zeros((2, 2)), 3, start=start)
    assert found == pytest.approx(np.full((2, 2), 0.3))


def test_a_limit_beyond_reach_is_not_exceeded_and_one_beyond_calculation_is():
    scenario = a_scenario([40] * 60, busy=30)
    assert (exceeded(scenario, np.full((2, 60), 0.1), 1e6) == 0).all()
    swamped = np.array([[0.1] * 60, [60.0] * 60])
    found = exceeded(a_scenario([40] * 60, busy=30, patience_seconds=None), swamped, 5_000)[:, -1]
    assert found == pytest.approx([0.0, 1.0])


def test_a_high_limit_within_reach_is_calculated():
    found = exceeded(a_scenario([40] * 20, busy=40, patience_seconds=None), np.full((1, 20), 2.1), 2_400)[0, -1]
    assert 0.1 < found < 0.9
