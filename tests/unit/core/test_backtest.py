"""What a backtest counts, on histories small enough to count by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app.core.backtest.backtest import backtest, course
from app.core.backtest.history import FloorHistory, Looks, minutes_before
from app.core.backtest.limits import shifted
from app.core.backtest.measures import calendar
from app.core.backtest.report import Gap
from app.core.backtest.verdicts import CLOSED, HELD, OPEN, UNKNOWN
from app.core.floor.metric import Metric
from app.core.gate.policy import parse_policy
from app.core.gate.rule import Rule
from tests.support.minutes import MINUTE, NOTHING, START, Cell, ToldQueue, a_history

RULE = {"metric": "backlog", "hold_above": 10, "resume_below": 5}
SIGNS = {OPEN: ".", HELD: "#", UNKNOWN: "?", CLOSED: "-"}


def a_policy(*rules, queues=("*",), **members):
    return parse_policy({"queues": list(queues), "rules": list(rules or [RULE]), **members})


def backlog(*values):
    return ToldQueue({Metric.BACKLOG: [NOTHING if value is None else Cell(value) for value in values]})


def level(*parts):
    """Return a queue's service level from (answered within target, offered) per minute."""
    return ToldQueue({Metric.SERVICE_LEVEL_RATIO: [Cell(None, offered, within) for within, offered in parts]})


def walked(policy, minutes, **queues):
    found = course(policy, a_history(queues, minutes), Looks(0, minutes))
    return "".join(SIGNS[int(code)] for code in found)


def reported(policy, *values, breach=(), start=START, first=0):
    return backtest(
        policy, a_history({"orders": backlog(*values)}, len(values), start), Looks(first, len(values) - first), breach
    )


# --- verdicts ---


def test_a_hold_begins_beyond_the_limit_and_ends_at_the_resume_limit():
    assert walked(a_policy(), 6, orders=backlog(10, 11, 6, 5, 6, 0)) == ".##..."


def test_timers_run_in_whole_minutes():
    policy = a_policy(RULE | {"hold_for_seconds": 61, "resume_for_seconds": 120})
    assert walked(policy, 9, orders=backlog(0, 11, 11, 11, 0, 11, 0, 0, 0)) == "...#####."


def test_a_gap_is_unknown_and_stops_the_timer():
    policy = a_policy(RULE | {"resume_for_seconds": 300})
    assert walked(policy, 9, orders=backlog(11, 0, 0, None, None, None, 0, 0, 0)) == "####??##."


def test_what_is_bad_after_a_gap_holds_at_once():
    policy = a_policy(RULE | {"hold_for_seconds": 600})
    assert walked(policy, 6, orders=backlog(0, 11, None, None, None, 11)) == "...??#"


def test_a_bad_queue_outweighs_one_that_is_not_known():
    queues = {"billing": backlog(0, 0, 0, 0, 0), "orders": backlog(0, None, None, None, 0)}
    assert walked(a_policy(), 5, **queues) == "..??."
    assert walked(a_policy(), 5, **queues | {"billing": backlog(0, 0, 0, 11, 0)}) == "..?#."


def test_a_window_sums_before_it_divides():
    rule = {"metric": "service_level_ratio", "hold_below": 0.5, "window_seconds": 120}
    assert walked(a_policy(rule), 3, orders=level((1, 1), (2, 9), (8, 9))) == ".#."


def test_too_few_contacts_are_not_judged_and_count_as_good():
    rule = {"metric": "service_level_ratio", "hold_below": 0.5, "window_seconds": 60, "min_samples": 3}
    assert walked(a_policy(rule), 4, orders=level((0, 2), (0, 3), (0, 2), (3, 3))) == ".#.."


def test_a_quiet_minute_of_a_queue_that_speaks_is_not_missing_data():
    quiet = ToldQueue(
        {Metric.SPEED_TO_ANSWER_SECONDS: [Cell(None, 4, 80), NOTHING, NOTHING, NOTHING, NOTHING]}, [True] * 5
    )
    rule = {"metric": "speed_to_answer_seconds", "hold_above": 10, "window_seconds": 60}
    assert walked(a_policy(rule), 5, orders=quiet) == "#...."


def test_a_value_on_a_limit_is_on_it_after_a_year_of_sums():
    minutes = 400_000
    told = level(*[(7, 10)] * 4)
    history = a_history({"orders": told}, 4)
    (queue,) = history.queues
    series = queue.metrics[Metric.SERVICE_LEVEL_RATIO]
    for name in ("weight", "total"):
        object.__setattr__(series, name, np.resize(getattr(series, name), minutes))
    object.__setattr__(queue, "heard", np.ones(minutes, bool))
    policy = a_policy({"metric": "service_level_ratio", "hold_below": 0.7, "window_seconds": 900})
    found = course(policy, FloorHistory(START, minutes, [queue]), Looks(0, minutes))
    assert np.all(found == OPEN)


def test_a_policy_that_finds_no_queue_is_unknown_throughout():
    policy = a_policy(queues=["sales-*", "orders"])
    report = reported(policy, 0, 0, 0)
    assert report.measures.unknown_ratio == 1.0
    assert report.unmatched == ("sales-*",)


def test_a_history_without_any_queue_is_unknown_throughout():
    report = backtest(a_policy(), FloorHistory(START, 5, []), Looks(0, 5))
    assert (report.measures.unknown_ratio, report.unseen_minutes) == (1.0, 5)
    assert report.gaps == (Gap(START + MINUTE, START + 6 * MINUTE),)


def test_a_queue_is_on_the_floor_from_when_it_was_first_heard_until_it_was_retired():
    late = backlog(None, None, 0, 0, None, None, None)
    assert walked(a_policy(), 7, billing=backlog(*[0] * 7), orders=late) == ".....??"
    late.retired_at = START + timedelta(minutes=5, seconds=30)
    assert walked(a_policy(), 7, billing=backlog(*[0] * 7), orders=late) == "......."


def test_send_windows_close_by_the_wall_clock_on_the_day_it_changes():
    policy = a_policy(time_zone="Europe/Berlin", send_windows=[{"days": ["sun"], "from": "02:30", "to": "03:30"}])
    before, after = (datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 29), (10, 25)))
    for start, opened in ((before, 30), (after, 90)):
        history = a_history({"orders": backlog(*[0] * 180)}, 180, start)
        assert int(np.count_nonzero(course(policy, history, Looks(0, 180)) == OPEN)) == opened


# --- measures ---


def test_holds_are_counted_and_their_lengths_measured():
    measures = reported(a_policy(), 0, 11, 0, 11, 11, 11, 0, 11, 11, 0).measures
    assert (measures.holds, measures.median_hold_seconds, measures.longest_hold_seconds) == (3, 120.0, 180.0)
    assert (measures.open_ratio, measures.held_ratio, measures.unknown_ratio) == (0.4, 0.6, 0.0)


def test_without_holds_there_is_no_length_and_no_precision():
    measures = reported(a_policy(), 0, 0).measures
    assert (measures.holds, measures.median_hold_seconds, measures.precision_ratio) == (0, None, None)


def test_without_any_minute_in_a_window_there_is_no_share():
    policy = a_policy(send_windows=[{"days": ["sun"], "from": "00:00", "to": "24:00"}])
    report = reported(policy, 0, 11, 0)
    assert report.window_minutes == 0
    assert (report.measures.open_ratio, report.measures.holds, report.measures.flips_per_day) == (None, 0, None)


def test_hysteresis_saves_flips():
    report = reported(a_policy(), 0, 11, 8, 11, 8, 11, 0)
    assert report.measures.flips_per_day == 2
    assert report.flips_per_day_without_hysteresis == 6


def test_flips_are_counted_per_local_day():
    values = [11 if minute % 60 == 0 else 0 for minute in range(2 * 1440)]
    policy = a_policy(time_zone="America/Chicago")
    assert reported(policy, *values).measures.flips_per_day == 95 / 3


def test_a_breach_is_the_policys_own_limit_where_nobody_said_otherwise():
    measures = reported(a_policy(RULE | {"hold_for_seconds": 120}), 0, 11, 11, 0, 0, 11, 11, 11, 0).measures
    assert (measures.breaches, measures.missed, measures.holds, measures.precision_ratio) == (2, 2, 1, 1.0)


def test_a_hold_is_right_when_a_breach_follows_within_the_hour():
    slam = Rule(Metric.BACKLOG, hold_above=20)
    late, in_time = [0, 11, *[6] * 60, 21, 0], [0, 11, *[6] * 59, 21, 0]
    assert reported(a_policy(), *in_time, breach=[slam]).measures.precision_ratio == 1.0
    measures = reported(a_policy(), *late, breach=[slam]).measures
    assert (measures.precision_ratio, measures.breaches, measures.missed) == (0.0, 1, 0)


def test_a_breach_is_missed_when_the_gate_was_open_before_it():
    slam = Rule(Metric.BACKLOG, hold_above=20)
    measures = reported(a_policy(), 0, 21, 0, 11, 21, 0, breach=[slam]).measures
    assert (measures.breaches, measures.missed) == (2, 1)


def test_a_breach_outside_the_send_windows_does_not_count():
    policy = a_policy(send_windows=[{"days": ["mon"], "from": "06:03", "to": "06:05"}])
    measures = reported(policy, 11, 0, 0, 0, 0, 11).measures
    assert (measures.breaches, measures.missed, measures.holds) == (0, 0, 0)


def test_the_week_is_told_by_the_hours_of_the_policys_zone():
    report = reported(a_policy(time_zone="Asia/Kolkata"), *[0] * 60, *[11] * 30)
    told = {(one.weekday, one.hour): one for one in report.week if one.minutes}
    assert {place: (one.minutes, one.held_ratio) for place, one in told.items()} == {
        (0, 11): (29, 0.0),
        (0, 12): (60, pytest.approx(29 / 60)),
        (0, 13): (1, 1.0),
    }
    assert len(report.week) == 168


def test_a_local_hour_that_comes_twice_has_twice_the_minutes():
    found = calendar("Europe/Berlin", datetime(2026, 10, 24, 22, tzinfo=UTC), 25 * 60)
    assert np.bincount(found.week_hours, minlength=168)[6 * 24 : 7 * 24].tolist() == [60, 60, 120, *[60] * 21]
    assert len(set(found.days.tolist())) == 1


# --- limits moved ---


def test_each_limit_is_moved_down_and_up_by_a_fifth():
    report = reported(a_policy(), 0, 9, 0, 11, 0, 13, 0)
    assert [(one.factor, one.rule.hold_limit, one.rule.resume_limit, one.measures.holds) for one in report.shifts] == [
        (0.8, 8.0, 4.0, 3),
        (1.2, 12.0, 6.0, 1),
    ]
    assert [one.measures.breaches for one in report.shifts] == [2, 2]
    assert report.shifts[0].measures.precision_ratio == 1.0


def test_a_moved_ratio_stays_a_ratio():
    rule = Rule(Metric.SERVICE_LEVEL_RATIO, hold_below=0.75, resume_above=0.9)
    assert (shifted(rule, 1.2).hold_below, shifted(rule, 1.2).resume_above) == (0.9, 1.0)
    assert (shifted(rule, 0.8).hold_below, shifted(rule, 0.8).resume_above) == (0.6, 0.72)


# --- what was not there ---


def test_gaps_are_told_and_counted():
    report = reported(a_policy(), 0, 0, None, None, None, None, 0, None, None, 0)
    assert report.unseen_minutes == 4
    assert report.gaps == (Gap(START + 4 * MINUTE, START + 7 * MINUTE), Gap(START + 9 * MINUTE, START + 10 * MINUTE))


def test_of_very_many_gaps_the_longest_are_told_in_order():
    values = [part for length in range(2, 42) for part in (0, *[None] * length)]
    report = reported(a_policy(), *values)
    lengths = [(gap.until - gap.start) / MINUTE for gap in report.gaps]
    assert lengths == list(range(21, 41))
    assert report.unseen_minutes == sum(range(1, 41))


def test_each_queue_says_how_much_of_it_was_known():
    queues = {"billing": backlog(0, 0, 0, 0), "orders": backlog(0, None, None, None)}
    report = backtest(a_policy(), a_history(queues, 4), Looks(0, 4))
    assert [(one.name, one.known_ratio) for one in report.queues] == [("billing", 1.0), ("orders", 0.5)]


def test_progress_ends_at_the_whole():
    told: list[float] = []
    queues = {"billing": backlog(0), "orders": backlog(0)}
    backtest(a_policy(), a_history(queues, 1), Looks(0, 1), progress=told.append)
    assert told == [0.5, 1.0]


def test_the_first_look_needs_the_longest_window_and_data_that_is_not_stale():
    rules = a_policy({"metric": "speed_to_answer_seconds", "hold_above": 1, "window_seconds": 3600}).rules
    assert minutes_before(rules, 120) >= 60
    assert minutes_before(rules, 86_400) >= 1440
