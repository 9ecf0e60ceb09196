"""Where a formula has no value, or a queue no end: what is then said instead."""

import numpy as np
import pytest

from app.core.floor.targets import ServiceLevelVariant
from app.core.forecast.predict import predict
from app.core.forecast.ratios import abandonment, mean_wait, service_level, speed_to_answer
from app.core.forecast.redials import with_redials
from tests.unit.core.forecast.scenarios import a_scenario


def measures(course):
    levels = [service_level(course, variant) for variant in ServiceLevelVariant]
    return [*levels, speed_to_answer(course), mean_wait(course), abandonment(course)]


def test_without_agents_everybody_gives_up_and_no_measure_is_known():
    course = predict(a_scenario(agents=0, busy=0))
    np.testing.assert_allclose(course.abandoned, course.offered)
    np.testing.assert_allclose(course.wait_seconds, course.offered * 180.0)
    assert course.answered.max() == course.busy.max() == 0
    assert course.unattended.all()
    assert all(np.isnan(measure).all() for measure in measures(course))


def test_without_agents_and_without_end_of_patience_waits_are_infinite_and_no_measure_is_known():
    course = predict(a_scenario(agents=0, busy=0, patience_seconds=None))
    assert course.answered.max() == course.abandoned.max() == 0
    assert np.isposinf(course.wait_seconds).all()
    np.testing.assert_allclose(course.backlog_end, np.cumsum(course.offered, axis=1), rtol=1e-3)
    assert course.never_recovers.tolist() == [True]
    assert all(np.isnan(measure).all() for measure in measures(course))


def test_an_outage_is_waited_through_and_its_measures_are_known():
    agents = np.repeat([12, 0, 12], [30, 15, 75])
    course = predict(a_scenario(minutes=120, agents=agents, per_minute=1.8, busy=9))
    assert not course.unattended.any()
    assert np.isfinite(speed_to_answer(course)).all()
    assert service_level(course)[0, 6] < 0.01
    assert 200 < speed_to_answer(course)[0, 6] < 900


def test_only_after_the_last_agent_has_left_is_nothing_known():
    agents = np.repeat([12, 0], [33, 27])
    course = predict(a_scenario(agents=agents, per_minute=1.8, busy=9))
    assert course.unattended.tolist() == [False] * 6 + [True] * 6
    assert np.isnan(service_level(course)[0]).tolist() == course.unattended.tolist()
    np.testing.assert_allclose(course.answered[0, 7:], 0.0)


def test_who_cannot_be_reached_before_the_last_agent_leaves_waits_without_end():
    agents = np.repeat([12, 0], [30, 30])
    course = predict(a_scenario(agents=agents, per_minute=6.0, busy=12, waiting=30, patience_seconds=None))
    assert np.isposinf(course.wait_seconds[0, 5])
    assert course.answered[0, 5] < course.offered[0, 5]


def test_an_interval_without_arrivals_has_no_service_level_rather_than_0_or_100_percent():
    rates = np.repeat([6.2, 0.0, 6.2], [10, 10, 40])
    course = predict(a_scenario(per_minute=rates))
    assert course.offered[0, 2:4].tolist() == [0, 0]
    for measure in measures(course):
        assert np.isnan(measure[0]).tolist() == [False, False, True, True] + [False] * 8


def test_overload_without_end_of_patience_grows_by_what_is_not_handled_and_says_that_it_never_recovers():
    course = predict(a_scenario(minutes=120, agents=10, busy=10, per_minute=4.0, patience_seconds=None))
    growth = np.diff(course.backlog_end[0])
    np.testing.assert_allclose(growth, 5 * (4.0 - 10 / 5), rtol=0.02)
    assert course.never_recovers.tolist() == [True]
    assert np.isfinite(speed_to_answer(course)).all()
    assert speed_to_answer(course)[0, -1] > speed_to_answer(course)[0, 0]


@pytest.mark.parametrize(
    "changes",
    [
        {"patience_seconds": 180.0},  # the excess gives up
        {"per_minute": np.repeat([4.0, 1.0], [60, 60])},  # the peak passes
        {"per_minute": 1.9},  # below what the agents can handle
        {"per_minute": 0.0, "waiting": 500},  # nobody comes any more
    ],
)
def test_a_queue_that_ends_is_not_said_never_to_recover(changes):
    asked = {"minutes": 120, "agents": 10, "busy": 10, "per_minute": 4.0, "patience_seconds": None} | changes
    assert predict(a_scenario(**asked)).never_recovers.tolist() == [False]


def test_doors_that_close_leave_the_queue_to_empty():
    rates = np.repeat([6.2, 0.0], [30, 30])
    course = predict(a_scenario(per_minute=rates, busy=40, waiting=20))
    assert course.backlog_end[0, -1] < 1e-6
    assert np.isnan(speed_to_answer(course)[0, -1])


@pytest.mark.parametrize(("agents", "minutes"), [(700, 60), (2_500, 30)])
def test_hundreds_and_thousands_of_agents_keep_their_load(agents, minutes):
    rate = 0.97 * agents / 300 * 60
    course = predict(a_scenario(minutes=minutes, agents=agents, per_minute=rate, busy=round(0.97 * agents)))
    assert course.busy[0, -1] == pytest.approx(0.97 * agents, rel=0.01)
    assert not course.overflowed.any()


def test_a_queue_beyond_all_states_is_told_to_be_worse_than_its_figures():
    course = predict(a_scenario(minutes=30, per_minute=60_000.0, patience_seconds=None), step_seconds=60)
    assert course.overflowed.tolist() == [True]
    assert course.never_recovers.tolist() == [True]
    assert service_level(course)[0, -1] < 1e-6


def test_redials_add_a_share_of_those_who_gave_up_ten_minutes_before():
    scenario = a_scenario(per_minute=12.0)
    course, rates = predict(scenario), with_redials(scenario)
    added = (rates - scenario.arrivals_per_second)[0]
    assert added[:10].max() == 0
    np.testing.assert_allclose(added[10:], 0.3 * np.repeat(course.backlog[0], 5)[:50] / 180.0)
    assert with_redials(scenario, share=0.0).tolist() == [scenario.arrivals_per_second.tolist()]
    assert predict(scenario, rates).backlog[0, -1] > course.backlog[0, -1]


def test_nobody_redials_who_never_gives_up_or_after_the_horizon():
    lasting = a_scenario(patience_seconds=None)
    assert with_redials(lasting).tolist() == [lasting.arrivals_per_second.tolist()]
    assert with_redials(a_scenario(), after_minutes=60).tolist() == [a_scenario().arrivals_per_second.tolist()]
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="share="):
            with_redials(lasting, share=wrong)
    with pytest.raises(ValueError, match="after_minutes=-1"):
        with_redials(lasting, after_minutes=-1)


def test_a_service_level_is_of_whom_its_name_says():
    course = predict(a_scenario(per_minute=9.0))
    quick, early = course.answered_in_target, course.abandoned_in_target
    expected = {
        ServiceLevelVariant.OFFERED: quick / course.offered,
        ServiceLevelVariant.ANSWERED: quick / course.answered,
        ServiceLevelVariant.LESS_SHORT_ABANDONS: quick / (course.offered - early),
        ServiceLevelVariant.LESS_ABANDONS: quick / (course.offered - course.abandoned),
        ServiceLevelVariant.POSITIVE: (quick + early) / course.offered,
    }
    for variant, level in expected.items():
        np.testing.assert_allclose(service_level(course, variant), level)
