from dataclasses import replace

import numpy as np
import pytest

from app.core.floor.metric import Metric
from app.core.forecast.breach import hold_backlog, hold_windows, judge, probabilities
from app.core.forecast.case import Rate
from app.core.forecast.decisive import decisive, is_safe
from app.core.forecast.judged import spans, windows
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.uncertainty import MEAN, NINE
from tests.support.cases import a_case, a_queue_case

HOUR = OutlookLimits(service_level_ratio=0.8, horizon_minutes=60)


def a_small_queue(queue="orders-voice", minutes=60, agents=8, base_per_minute=1.0, busy=5, **fields):
    return a_queue_case(queue, minutes=minutes, agents=agents, base_per_minute=base_per_minute, busy=busy, **fields)


def a_small_case(limits=HOUR, minutes=60, **fields):
    return a_case(a_small_queue(minutes=minutes, **fields), limits=limits, minutes=minutes)


def now(case, *audiences):
    return np.array([case.sends((0, audience)) for audience in audiences])


def test_windows_lie_side_by_side_and_a_last_part_counts_when_it_is_half_a_window():
    assert windows(180, 900, 5) == [(first, first + 3) for first in range(0, 36, 3)]
    assert windows(40, 900, 5) == [(0, 3), (3, 6), (6, 8)]
    assert windows(35, 900, 5) == [(0, 3), (3, 6)]
    assert windows(10, 900, 5) == [(0, 2)]


def test_a_verdict_names_the_limit_the_queue_the_window_and_the_figures():
    case = a_small_case()
    quiet, loud = judge(case, now(case, 0, 8_000), MEAN)
    assert (quiet.probability, quiet.breaches) == (0.0, ())
    assert loud.probability == 1.0
    (breach,) = loud.breaches
    assert (breach.queue, breach.metric, breach.limit) == ("orders-voice", Metric.SERVICE_LEVEL_RATIO, 0.8)
    assert (breach.window_start_seconds, breach.window_end_seconds) == (0, 900)
    assert breach.expected == breach.if_broken
    assert breach.expected is not None
    assert 0 < breach.expected < 0.8


def test_the_probability_is_the_weight_of_the_nodes_that_break():
    case = a_small_case()
    level = hold_windows(case, now(case, 2_500))[0].values.min(axis=2)[0]
    expected = NINE.weights[level < 0.8].sum()
    assert 0 < expected < 1
    assert probabilities(case, now(case, 2_500))[0] == pytest.approx(expected)


def test_what_a_window_is_if_it_breaks_is_worse_than_what_is_expected_of_it():
    case = a_small_case()
    (breach,) = judge(case, now(case, 2_500))[0].breaches
    assert breach.if_broken is not None
    assert breach.expected is not None
    assert breach.if_broken < 0.8
    assert breach.if_broken < breach.expected


def test_a_backlog_limit_breaks_with_a_probability_at_each_node():
    case = a_small_case(OutlookLimits(backlog=6, horizon_minutes=60))
    (held,) = hold_backlog(case, now(case, 2_500))
    at_all = held.at_all()[0]
    assert ((at_all > 0) & (at_all < 1)).all()
    assert probabilities(case, now(case, 2_500))[0] == pytest.approx(at_all @ NINE.weights)
    assert hold_windows(case, now(case, 2_500)) == ()


def test_a_node_that_breaks_one_limit_counts_once():
    both = replace(HOUR, speed_to_answer_seconds=0.5)
    case = a_small_case(both)
    assert probabilities(case, now(case, 50_000))[0] == pytest.approx(1.0)
    assert {breach.metric for breach in judge(case, now(case, 50_000))[0].breaches} == {
        Metric.SERVICE_LEVEL_RATIO,
        Metric.SPEED_TO_ANSWER_SECONDS,
    }


def test_two_queues_keep_a_backlog_together_with_the_product_of_what_each_keeps():
    limits = OutlookLimits(backlog=4, horizon_minutes=60)
    one = a_small_queue("one")
    alone = probabilities(a_case(one, limits=limits, minutes=60), now(a_small_case(), 0), MEAN)[0]
    both = a_case(one, replace(one, queue="two"), limits=limits, minutes=60)
    assert 0 < alone < 1
    assert probabilities(both, now(both, 0), MEAN)[0] == pytest.approx(1 - (1 - alone) ** 2)


def test_the_worst_queue_rules():
    calm = a_small_queue("calm", share=0.0)
    hit = a_small_queue("hit")
    verdict = judge(a_case(calm, hit, limits=HOUR, minutes=60), now(a_small_case(), 8_000), MEAN)[0]
    assert [breach.queue for breach in verdict.breaches] == ["hit"]


def test_where_nobody_works_while_contacts_come_every_limit_breaks():
    limits = OutlookLimits(0.5, 20.0, 600.0, 0.9, horizon_minutes=60)
    for patience in (180.0, None):
        queue = a_queue_case(agents=8, minutes=60, busy=0, patience_seconds=patience)
        nobody = replace(queue, scenario=replace(queue.scenario, agents=np.zeros(60, dtype=np.int64)))
        verdict = judge(a_case(nobody, limits=limits, minutes=60), now(a_small_case(), 0), MEAN)[0]
        assert verdict.probability == 1.0
        assert {breach.metric for breach in verdict.breaches} >= {
            Metric.SERVICE_LEVEL_RATIO,
            Metric.SPEED_TO_ANSWER_SECONDS,
        }


def test_where_nobody_comes_no_limit_can_break():
    case = a_small_case(base_per_minute=0.0, busy=0)
    (held,) = hold_windows(case, now(case, 0))
    assert np.isnan(held.values).all()
    assert probabilities(case, now(case, 0))[0] == 0.0


def test_unknown_patience_is_held_against_both_nobody_giving_up_and_a_patience_of_300_s():
    unknown = a_small_case(patience_seconds=900.0, patience_known=False)
    each = [a_small_case(patience_seconds=patience) for patience in (None, 300.0)]
    worst = max(probabilities(case, now(case, 2_500))[0] for case in each)
    assert len(hold_windows(unknown, now(unknown, 2_500))) == 2
    assert probabilities(unknown, now(unknown, 2_500))[0] == pytest.approx(worst)


def test_what_is_sent_before_closing_is_judged_at_the_next_opening_too():
    agents = np.concatenate([np.full(30, 8), np.zeros(90), np.full(60, 8)])
    case = a_small_case(minutes=180, agents=agents)
    judged = spans(case.queues[0], HOUR)
    assert [(span.first, span.last, span.anew) for span in judged] == [(0, 60, False), (120, 150, True)]
    edges = [tuple(edge) for one in hold_windows(case, now(case, 3_000)) for edge in one.edges]
    assert edges[-1] == (8_100, 9_000)
    late = now(case, 0)
    late[0, 5] = 6_000  # five minutes before closing: nearly all of it finds the doors closed
    opening = [one for one in judge(case, late, MEAN)[0].breaches if one.window_start_seconds >= 7_200]
    assert opening


def test_only_two_nodes_decide_over_windows_for_ten_percent_and_three_beside_a_backlog():
    case = a_small_case()
    assert decisive(case, NINE).look.sum() == 2
    assert decisive(replace(case, limits=replace(HOUR, backlog=5)), NINE).look.sum() == 3
    assert decisive(case, MEAN).look.tolist() == [True]


@pytest.mark.parametrize("allowed", [0.02, 0.1, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("backlog", [None, 9])
def test_the_nodes_that_decide_decide_as_all_of_them_do(allowed, backlog):
    case = a_small_case(replace(HOUR, max_breach_probability=allowed, backlog=backlog))
    schedules = now(case, *range(0, 8_000, 800))
    assert is_safe(case, schedules).tolist() == (probabilities(case, schedules) <= allowed).tolist()


def test_in_flight_contacts_move_with_the_response_and_not_with_the_level():
    in_flight = np.full(60, 0.05)
    case = a_small_case(in_flight=in_flight, in_flight_cv=0.5, base_per_minute=0.0, busy=0)
    case = replace(case, contacts_per_1000=Rate(10.0, 0.0))
    level = hold_windows(case, now(case, 0))[0].values[0, :, 0].reshape(3, 3)
    assert np.ptp(level, axis=0) == pytest.approx(0.0, abs=1e-9)
    assert (np.diff(level[0]) < 0).all()
