import numpy as np
import pytest

from app.core.forecast.check import ScenarioRefused
from app.core.forecast.erlang_a import ErlangA
from app.core.forecast.predict import distributions, predict
from app.core.forecast.ratios import abandonment, mean_wait, service_level, speed_to_answer
from tests.unit.core.forecast.scenarios import a_scenario


def test_with_patience_as_long_as_handling_the_number_in_the_system_is_that_of_infinitely_many_servers():
    course = predict(a_scenario(patience_seconds=300.0, agents=20, busy=20, waiting=11))
    expected = 6.2 / 60 * 300 + (31 - 6.2 / 60 * 300) * np.exp(-3600 / 300)
    assert course.end[0] @ np.arange(course.end.shape[1]) == pytest.approx(expected, abs=1e-3)


def test_after_hours_of_the_same_it_is_erlang_a():
    course = predict(a_scenario(minutes=600, per_minute=7.8))
    steady = ErlangA(7.8 / 60, 1 / 300, 1 / 180, 40)
    assert service_level(course)[0, -1] == pytest.approx(steady.service_level(20), abs=1e-6)
    assert speed_to_answer(course)[0, -1] == pytest.approx(steady.speed_to_answer, abs=1e-4)
    assert mean_wait(course)[0, -1] == pytest.approx(steady.mean_wait, abs=1e-4)
    assert abandonment(course)[0, -1] == pytest.approx(steady.abandonment_ratio, abs=1e-6)
    assert course.abandoned_in_target[0, -1] / 39 == pytest.approx(steady.abandoned_early(20), abs=1e-6)
    assert course.backlog[0, -1] == pytest.approx(steady.backlog, abs=1e-5)
    assert course.backlog_end_sd[0, -1] ** 2 == pytest.approx(steady.backlog_variance, abs=1e-4)
    assert course.busy[0, -1] == pytest.approx(steady.busy, abs=1e-5)
    assert course.all_busy[0, -1] == pytest.approx(1 - steady.no_wait_ratio, abs=1e-6)


def test_offered_contacts_are_answered_or_give_up():
    course = predict(a_scenario(per_minute=12.0))
    np.testing.assert_allclose(course.offered, 60.0)
    np.testing.assert_allclose(course.answered + course.abandoned, course.offered)
    assert course.abandoned.min() > 0.1


def test_without_patience_everybody_is_answered_in_the_end_and_waits_are_those_of_the_answered():
    course = predict(a_scenario(per_minute=7.0, patience_seconds=None))
    np.testing.assert_allclose(course.answered, course.offered)
    assert course.abandoned.max() == course.abandoned_in_target.max() == 0
    np.testing.assert_allclose(course.wait_seconds, course.answered_wait_seconds)


def test_a_distribution_of_a_later_minute_goes_on_where_the_first_run_was():
    agents = np.repeat([40, 36, 44], 20)
    scenario = a_scenario(agents=agents, per_minute=8.0)
    whole = predict(scenario)
    for minute in (20, 25, 40):
        later = a_scenario(minutes=60 - minute, agents=agents[minute:], per_minute=8.0)
        rest = predict(later, start=distributions(scenario, [minute]))
        np.testing.assert_allclose(rest.backlog, whole.backlog[:, minute // 5 :], rtol=2e-3)
        np.testing.assert_allclose(rest.answered_in_target, whole.answered_in_target[:, minute // 5 :], rtol=2e-3)


def test_distributions_are_one_per_minute_asked_for_and_the_last_is_the_end():
    scenario = a_scenario()
    found = distributions(scenario, [0, 30, 60])
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert found[0, 31] == 1
    np.testing.assert_allclose(found[2], predict(scenario).end[0], atol=1e-14)
    assert distributions(scenario, []).shape[0] == 0
    with pytest.raises(ValueError, match="minute 61 must be 0 to 60"):
        distributions(scenario, [61])


def test_rows_are_predicted_as_each_alone():
    scenario = a_scenario()
    rows = scenario.arrivals_per_second * np.array([[0.5], [1.0], [2.0]])
    together = predict(scenario, rows, backlog_above=(5,))
    for row, rates in enumerate(rows):
        alone = predict(scenario, rates[None, :], backlog_above=(5,))
        np.testing.assert_allclose(together.answered_wait_seconds[row], alone.answered_wait_seconds[0], atol=0.05)
        np.testing.assert_allclose(together.backlog_above[5][row], alone.backlog_above[5][0], atol=1e-3)
        np.testing.assert_allclose(together.end[row, : alone.end.shape[1]], alone.end[0], atol=1e-6)


def test_more_rows_than_fit_at_once_are_predicted_in_parts(monkeypatch):
    scenario = a_scenario()
    rows = scenario.arrivals_per_second * np.array([[0.5], [1.0], [2.0], [0.7]])
    at_once = predict(scenario, rows, backlog_above=(0, 5))
    monkeypatch.setattr("app.core.forecast.predict.BLOCK_VALUES", 30_000)
    in_parts = predict(scenario, rows, backlog_above=(0, 5))
    np.testing.assert_allclose(in_parts.end, at_once.end, atol=1e-12)
    np.testing.assert_allclose(in_parts.backlog_above[0], at_once.backlog_above[0], atol=1e-12)
    np.testing.assert_allclose(in_parts.wait_seconds, at_once.wait_seconds, atol=1e-9)
    assert in_parts.never_recovers.tolist() == [False] * 4


def test_each_row_may_have_its_own_start():
    scenario = a_scenario(minutes=10)
    starts = np.zeros((2, 60))
    starts[0, 20] = starts[1, 55] = 1
    course = predict(scenario, np.stack([scenario.arrivals_per_second] * 2), start=starts)
    assert course.backlog[0, 0] < 0.01
    assert course.backlog[1, 0] == pytest.approx(predict(a_scenario(minutes=10, busy=40, waiting=15)).backlog[0, 0])


def test_the_backlog_is_told_with_its_spread_and_its_tail():
    course = predict(a_scenario(per_minute=12.0), backlog_above=(0, 20, 1e9))
    end = course.end[0]
    waiting = np.maximum(np.arange(len(end)) - 40, 0)
    assert course.backlog_end[0, -1] == pytest.approx(end @ waiting)
    assert course.backlog_end_sd[0, -1] == pytest.approx(np.sqrt(end @ waiting**2 - (end @ waiting) ** 2))
    ninetieth = course.backlog_end_p90[0, -1]
    assert end[waiting <= ninetieth].sum() >= 0.9 > end[waiting < ninetieth].sum()
    assert course.backlog_above[20][0, -1] == pytest.approx(end[waiting > 20].sum(), abs=0.01)
    assert (course.backlog_above[0] >= course.backlog_above[20]).all()
    assert course.backlog_above[1e9].max() == 0


def test_the_last_interval_may_be_shorter():
    course, longer = predict(a_scenario(minutes=7)), predict(a_scenario(minutes=10))
    np.testing.assert_allclose(course.offered, [[31.0, 12.4]])
    assert course.backlog.shape == (1, 2)
    assert course.backlog[0, 0] == pytest.approx(longer.backlog[0, 0])
    assert predict(a_scenario(minutes=1)).offered.tolist() == [[pytest.approx(6.2)]]


def test_idle_agents_take_those_who_wait_at_once():
    waiting_beside_idle = predict(a_scenario(busy=30, waiting=5))
    np.testing.assert_allclose(waiting_beside_idle.backlog, predict(a_scenario(busy=35, waiting=0)).backlog)


def test_more_busy_contacts_than_agents_leave_with_those_who_handle_them():
    over_running = predict(a_scenario(busy=50, waiting=7))
    np.testing.assert_allclose(over_running.backlog, predict(a_scenario(busy=40, waiting=7)).backlog)


def test_steps_are_parts_of_a_minute():
    scenario = a_scenario(minutes=10, per_minute=9.0)
    fine = predict(scenario, step_seconds=1.0)
    np.testing.assert_allclose(predict(scenario, step_seconds=10).backlog, fine.backlog, rtol=2e-3)
    np.testing.assert_allclose(predict(scenario).backlog, fine.backlog, atol=1e-2)
    np.testing.assert_array_equal(
        predict(scenario, step_seconds=25).backlog, predict(scenario, step_seconds=20).backlog
    )
    for wrong in (0.0, -1.0, 61.0, float("nan")):
        with pytest.raises(ValueError, match="step_seconds"):
            predict(scenario, step_seconds=wrong)


def test_a_scenario_that_is_not_sound_is_refused():
    with pytest.raises(ScenarioRefused, match="handle_seconds"):
        predict(a_scenario(handle_seconds=0.0))
    with pytest.raises(ScenarioRefused, match="handle_seconds"):
        distributions(a_scenario(handle_seconds=0.0), [0])


@pytest.mark.parametrize("patience", [15.0, 180.0, None])
def test_who_is_too_far_back_to_be_served_within_the_target_may_be_left_out_of_its_correction(patience, monkeypatch):
    agents = np.repeat([40, 30, 0, 44], 15)
    scenario = a_scenario(agents=agents, per_minute=9.0, patience_seconds=patience, busy=40, waiting=30)
    near = predict(scenario)
    monkeypatch.setattr("app.core.forecast.sums.within_reach", lambda _staffing, _drain, states, _target: states)
    everybody = predict(scenario)
    np.testing.assert_allclose(near.answered_in_target, everybody.answered_in_target, atol=1e-8)
    np.testing.assert_allclose(near.abandoned_in_target, everybody.abandoned_in_target, atol=1e-8)
    assert near.answered_in_target.min() >= 0


def test_changes_need_not_be_followed_to_places_where_nobody_waits(monkeypatch):
    scenario = a_scenario(agents=np.repeat([40, 34, 44], 20), per_minute=8.0)
    everywhere = predict(scenario)
    monkeypatch.setattr("app.core.forecast.staffing_change.MOST_PLACES", 60)
    near = predict(scenario)
    np.testing.assert_allclose(near.answered_wait_seconds, everywhere.answered_wait_seconds, rtol=1e-3)
    np.testing.assert_allclose(near.answered_in_target, everywhere.answered_in_target, rtol=1e-6)


@pytest.mark.parametrize("patience", [None, 300.0])
def test_who_just_misses_an_outage_is_not_counted_among_those_who_sit_it_out(patience):
    agents = np.repeat([80, 0, 80], [8, 6, 6])
    scenario = a_scenario(20, 76.0, agents, handle_seconds=60.0, patience_seconds=patience, busy=76)
    usual, fine = (speed_to_answer(predict(scenario, step_seconds=seconds)) for seconds in (30.0, 3.0))
    np.testing.assert_allclose(usual, fine, atol=0.4)


def test_a_backlog_that_soon_gives_up_is_averaged_over_the_seconds_in_which_it_does():
    scenario = a_scenario(20, 8.0, patience_seconds=20.0, busy=40, waiting=100)
    usual, fine = (predict(scenario, step_seconds=seconds) for seconds in (30.0, 1.0))
    np.testing.assert_allclose(usual.backlog, fine.backlog, atol=0.02)
    np.testing.assert_allclose(usual.answered_in_target, fine.answered_in_target, atol=0.02)


def test_intervals_in_which_nobody_serves_are_as_exact_as_those_in_fine_steps():
    scenario = a_scenario(30, 8.0, np.repeat([40, 0, 40], 10), patience_seconds=150.0)
    usual, fine = (speed_to_answer(predict(scenario, step_seconds=seconds)) for seconds in (30.0, 2.0))
    np.testing.assert_allclose(usual, fine, atol=0.1)
