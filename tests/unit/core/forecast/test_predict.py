from dataclasses import replace

import numpy as np
import pytest

from app.core.forecast.predict import distributions, predict
from app.core.forecast.scenario import Scenario

BASE = Scenario(
    arrivals_per_second=np.full(60, 6.2 / 60),
    agents=np.full(60, 40),
    handle_seconds=300.0,
    patience_seconds=180.0,
    busy=31,
    waiting=0,
)


def a_scenario(minutes=60, per_minute=6.2, agents=40, **changes):
    rates, counts = np.full(minutes, per_minute / 60), np.broadcast_to(agents, minutes)
    return replace(BASE, arrivals_per_second=rates, agents=counts, **changes)


def test_with_patience_as_long_as_handling_the_number_in_the_system_is_that_of_infinitely_many_servers():
    course = predict(a_scenario(patience_seconds=300.0, agents=20, busy=20, waiting=11))
    expected = 6.2 / 60 * 300 + (31 - 6.2 / 60 * 300) * np.exp(-3600 / 300)
    assert course.end[0] @ np.arange(course.end.shape[1]) == pytest.approx(expected, abs=1e-3)


def test_offered_contacts_are_answered_or_give_up():
    course = predict(a_scenario(per_minute=12.0))
    np.testing.assert_allclose(course.offered, 60.0)
    np.testing.assert_allclose(course.answered + course.abandoned, course.offered)
    assert course.abandoned.min() > 0.1


def test_a_distribution_of_a_later_minute_goes_on_where_the_first_run_was():
    agents = np.repeat([40, 36, 44], 20)
    scenario = a_scenario(agents=agents, per_minute=8.0)
    whole = predict(scenario)
    for minute in (20, 25, 40):
        later = a_scenario(minutes=60 - minute, agents=agents[minute:], per_minute=8.0)
        rest = predict(later, start=distributions(scenario, [minute]))
        np.testing.assert_allclose(rest.backlog, whole.backlog[:, minute // 5 :], atol=2e-3)
        np.testing.assert_allclose(rest.answered_in_target, whole.answered_in_target[:, minute // 5 :], atol=2e-3)


def test_rows_are_predicted_as_each_alone():
    scenario = a_scenario()
    rows = scenario.arrivals_per_second * np.array([[0.5], [1.0], [2.0]])
    together = predict(scenario, rows, backlog_above=(5,))
    for row, rates in enumerate(rows):
        alone = predict(scenario, rates[None, :], backlog_above=(5,))
        np.testing.assert_allclose(together.answered_wait_seconds[row], alone.answered_wait_seconds[0], atol=1e-9)
        np.testing.assert_allclose(together.backlog_above[5][row], alone.backlog_above[5][0], atol=1e-12)
