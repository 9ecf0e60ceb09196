"""What "safe" promises, held against days drawn at random.

A day has a level of arrivals and a response of its own, drawn from the distributions that the plan was told, and then
chance. A backlog limit is judged by what happened. Limits on windows are judged by what was to be expected of each
window on that day: the realised figure of one window scatters around it, at 40 agents by more than 10 points, whether
or not anything is sent. How much is shown too.
"""

import numpy as np
import pytest

from app.core.forecast.breach import probabilities
from app.core.forecast.case import Rate
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.passage import exceeded
from app.core.forecast.predict import predict
from app.core.forecast.safe import safe_now
from tests.support.cases import a_case, a_queue_case
from tests.support.paths import draw_levels, draw_paths, rates_of

SEEDS = 200
ALL_THREE = OutlookLimits(service_level_ratio=0.8, speed_to_answer_seconds=30.0, backlog=15.0)
FLOORS = {
    "quiet": a_case(a_queue_case(base_per_minute=4.0, busy=20), limits=ALL_THREE, rate=Rate(10.0, 0.15)),
    "usual": a_case(a_queue_case(base_per_minute=5.0, busy=25), limits=ALL_THREE, rate=Rate(10.0, 0.15)),
    "busy": a_case(a_queue_case(), limits=OutlookLimits(0.8, 20.0, 30.0, None, 25.0), rate=Rate(10.0, 0.15)),
}


def days_broken(case, audience, seed):
    """Return for each seed whether a limit broke: the backlog as it happened, windows as they were to be expected."""
    rng = np.random.default_rng(seed)
    queue, limits = case.queues[0], case.limits
    rates = rates_of(case, audience, *draw_levels(case, SEEDS, rng))
    course = predict(queue.scenario, rates)

    def windows(values):
        return values.reshape(SEEDS, 12, 3).sum(axis=2)  # three intervals of 5 minutes each

    level = windows(course.answered_in_target) / windows(course.offered)
    speed = windows(course.answered_wait_seconds) / windows(course.answered)
    broken = (level < limits.service_level_ratio) | (speed > limits.speed_to_answer_seconds)
    return broken.any(axis=1) | (draw_paths(queue, rates, rng).longest_backlog() > limits.backlog)


@pytest.mark.parametrize("floor", FLOORS)
def test_what_is_safe_keeps_the_limits_on_nine_days_of_ten_and_half_as_much_again_mostly_does_not(floor):
    case = FLOORS[floor]
    size = safe_now(case, 500_000).audience
    assert size > 5_000
    assert days_broken(case, size, seed=11).mean() <= 0.10
    assert days_broken(case, 1.5 * size, seed=12).mean() > 0.50


def test_a_backlog_limit_alone_is_kept_as_it_happens():
    limits = OutlookLimits(backlog=40.0)
    case = a_case(a_queue_case(base_per_minute=5.0, busy=25), limits=limits, rate=Rate(10.0, 0.1))
    size = safe_now(case, 500_000).audience
    rng = np.random.default_rng(5)
    for audience, least, most in ((size, 0.0, 0.10), (1.5 * size, 0.5, 1.0)):
        rates = rates_of(case, audience, *draw_levels(case, SEEDS, rng))
        broken = (draw_paths(case.queues[0], rates, rng).longest_backlog() > limits.backlog).mean()
        assert least <= broken <= most


@pytest.mark.parametrize("backlog", [5, 10, 20])
def test_the_probability_to_exceed_a_backlog_is_that_of_what_happens(backlog):
    case = a_case()
    queue, paths = case.queues[0], 1_500
    rates = rates_of(case, 15_000, np.ones(1), np.ones(1))
    happened = draw_paths(queue, np.repeat(rates, paths, axis=0), np.random.default_rng(3)).longest_backlog() > backlog
    expected = exceeded(queue.scenario, rates, backlog)[0, -1]
    standard_error = np.sqrt(expected * (1 - expected) / paths)
    assert abs(happened.mean() - expected) < 4 * standard_error


def test_single_windows_break_their_limit_by_chance_even_where_nothing_is_sent():
    case = a_case()
    assert probabilities(case, case.sends()[None])[0] == 0.0
    rates = np.repeat(rates_of(case, 0, np.ones(1), np.ones(1)), SEEDS, axis=0)
    level, _ = draw_paths(case.queues[0], rates, np.random.default_rng(8)).windows(900.0, 12, 20.0)
    assert 0.2 < (level < case.limits.service_level_ratio).any(axis=1).mean() < 0.5
