"""What is said while a limit is dragged: holds, time held, and bad hours missed, counted by hand."""

from datetime import timedelta

import pytest

from app.core.backtest.comparison import compared, kept_limits
from app.core.backtest.history import Looks
from app.core.floor.metric import Metric
from app.core.gate.policy import parse_policy
from tests.support.minutes import MINUTE, NOTHING, START, Cell, ToldQueue, a_history

RULE = {"metric": "backlog", "hold_above": 10, "resume_below": 5}
HOUR = 60
AN_HOUR_AND_A_BIT = [0] * 59 + [15] * 20 + [0] * 41  # the first look is at 06:01, so 07:00 to 07:19 are bad


def a_policy(*rules, **members):
    return parse_policy({"queues": ["*"], "rules": list(rules or [RULE]), **members})


def beside(values, *policies, judge=None):
    cells = [NOTHING if value is None else Cell(value) for value in values]
    history = a_history({"orders": ToldQueue({Metric.BACKLOG: cells})}, len(values))
    return compared(policies, judge or policies[0], history, Looks(0, len(values)))


def test_holds_are_counted_with_their_times():
    (course,) = beside([0, 11, 11, 0, 0, 12, 0], a_policy()).courses
    assert [(hold.start - START, hold.until - START) for hold in course.held] == [
        (2 * MINUTE, 4 * MINUTE),
        (6 * MINUTE, 7 * MINUTE),
    ]
    assert (course.held_minutes, course.open_minutes, course.unknown_minutes) == (3, 4, 0)


def test_a_looser_limit_misses_the_bad_hour_that_the_saved_one_held():
    saved, looser = a_policy(), a_policy(RULE | {"hold_above": 20})
    found = beside(AN_HOUR_AND_A_BIT, saved, looser)
    assert found.bad_hours == 1
    assert [course.missed_hours for course in found.courses] == [0, 1]
    assert found.courses[1].held == ()


def test_an_hour_of_which_less_than_a_quarter_was_bad_is_not_bad():
    assert beside([0] * 59 + [15] * 14 + [0] * 47, a_policy()).bad_hours == 0


def test_a_bad_quarter_over_two_hours_is_bad_in_neither():
    assert beside([0] * 49 + [15] * 24 + [0] * 47, a_policy()).bad_hours == 0


def test_a_hold_that_comes_when_most_is_over_has_missed_the_hour():
    late = a_policy(RULE | {"hold_for_seconds": 900})
    found = beside(AN_HOUR_AND_A_BIT, a_policy(), late)
    assert len(found.courses[1].held) == 1
    assert found.courses[1].missed_hours == 1


def test_an_hour_in_which_nothing_was_known_is_not_missed():
    blind = a_policy({"metric": "oldest_wait_seconds", "hold_above": 60})
    found = beside(AN_HOUR_AND_A_BIT, a_policy(), blind)
    assert (found.courses[1].unknown_minutes, found.courses[1].missed_hours) == (120, 0)


def test_hours_outside_the_send_windows_are_not_bad():
    windows = [{"days": ["mon"], "from": "08:00", "to": "10:00"}]
    assert beside(AN_HOUR_AND_A_BIT, a_policy(send_windows=windows)).bad_hours == 0


def test_the_span_is_that_of_the_looks():
    found = beside([0] * 5, a_policy())
    assert (found.start, found.until) == (START + MINUTE, START + timedelta(minutes=6))


def test_without_an_outlook_the_hold_limits_are_kept_at_once():
    (kept,) = kept_limits(a_policy(RULE | {"hold_for_seconds": 60}))
    assert (kept.hold_limit, kept.hold_for_seconds) == (10, 0)


@pytest.mark.parametrize(
    ("member", "limit", "metric"),
    [
        ("service_level_ratio", 0.8, Metric.SERVICE_LEVEL_RATIO),
        ("speed_to_answer_seconds", 30, Metric.SPEED_TO_ANSWER_SECONDS),
        ("abandonment_ratio", 0.05, Metric.ABANDONMENT_RATIO),
    ],
)
def test_with_an_outlook_what_it_promises_is_kept(member, limit, metric):
    (kept,) = kept_limits(a_policy(outlook={member: limit, "window_seconds": 1800}))
    assert (kept.metric, kept.hold_limit, kept.window_seconds) == (metric, limit, 1800)


def test_a_backlog_that_an_outlook_promises_has_no_window():
    (kept,) = kept_limits(a_policy(outlook={"backlog": 7}))
    assert (kept.metric, kept.hold_limit, kept.window_seconds) == (Metric.BACKLOG, 7, None)
