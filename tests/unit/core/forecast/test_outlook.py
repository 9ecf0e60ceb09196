from dataclasses import replace

import numpy as np
import pytest

from app.core.forecast.limits import OutlookLimits
from app.core.forecast.outlook import outlook
from app.core.forecast.predict import predict
from app.core.forecast.soundness import CaseRefused
from app.core.forecast.uncertainty import MEAN
from tests.support.cases import a_case, a_queue_case

HOUR = OutlookLimits(service_level_ratio=0.8, horizon_minutes=60)


def a_small_case(limits=HOUR, minutes=60, agents=8, base_per_minute=1.0, busy=5, **fields):
    queue = a_queue_case(agents=agents, base_per_minute=base_per_minute, busy=busy, minutes=minutes, **fields)
    return a_case(queue, limits=limits, minutes=minutes)


def test_it_shows_each_five_minutes_with_and_without_the_send():
    seen = outlook(a_small_case(), 4_000)
    assert (seen.first_minute, seen.interval_seconds, seen.audience_shown) == (0, 300, 4_000)
    assert seen.with_send is not None
    (without,), (with_send,) = seen.without.queues, seen.with_send.queues
    assert len(without.offered) == len(with_send.backlog.mean) == 12
    assert (with_send.offered > without.offered).all()
    assert (with_send.service_level_ratio.mean < without.service_level_ratio.mean).all()
    assert (with_send.backlog.mean > without.backlog.mean).all()
    assert seen.with_send.verdict.probability > seen.without.verdict.probability


def test_without_an_audience_there_is_no_send():
    seen = outlook(a_small_case())
    assert (seen.with_send, seen.audience_shown) == (None, None)


def test_a_send_of_nothing_changes_nothing():
    seen = outlook(a_small_case(), 0)
    assert seen.with_send is not None
    same = seen.with_send.queues[0].service_level_ratio.mean
    assert (same == seen.without.queues[0].service_level_ratio.mean).all()


def test_bands_hold_the_mean_and_are_as_wide_as_what_is_not_known():
    def width(base_cv):
        level = outlook(a_small_case(base_cv=base_cv)).without.queues[0].service_level_ratio
        assert (level.low <= level.mean + 1e-9).all()
        assert (level.mean <= level.high + 1e-9).all()
        return (level.high - level.low).mean()

    assert width(0.0) == pytest.approx(0.0, abs=1e-9)
    assert width(0.3) > 2 * width(0.1) > 0


def test_the_backlog_band_is_that_of_the_chain():
    case = a_small_case(base_cv=0.0, base_per_minute=1.8, busy=8)
    backlog = outlook(case, nodes=MEAN).without.queues[0].backlog
    course = predict(case.queues[0].scenario, backlog_above=(float(backlog.high[-1]), float(backlog.high[-1]) - 1))
    over, over_one_less = (above[0, -1] for above in course.backlog_above.values())
    assert over <= 0.1 < over_one_less
    assert (backlog.low <= backlog.high).all()


def test_where_nobody_comes_there_is_no_service_level():
    level = outlook(a_small_case(base_per_minute=0.0, busy=0)).without.queues[0].service_level_ratio
    assert np.isnan([level.mean, level.low, level.high]).all()


def test_a_queue_that_takes_in_more_than_it_can_handle_never_recovers():
    swamped = a_small_case(patience_seconds=None, base_per_minute=2.0, busy=8)
    assert outlook(swamped).without.queues[0].never_recovers
    assert not outlook(a_small_case()).without.queues[0].never_recovers


def test_of_two_patiences_the_worse_is_shown():
    unknown = outlook(a_small_case(patience_known=False, base_per_minute=1.4)).without.queues[0]
    never = outlook(a_small_case(patience_seconds=None, base_per_minute=1.4)).without.queues[0]
    some = outlook(a_small_case(patience_seconds=300.0, base_per_minute=1.4)).without.queues[0]
    worse = np.minimum(never.service_level_ratio.mean, some.service_level_ratio.mean)
    assert unknown.service_level_ratio.mean == pytest.approx(worse)
    assert unknown.backlog.mean == pytest.approx(never.backlog.mean)


def test_a_send_later_within_the_horizon_changes_nothing_before_it():
    seen = outlook(a_small_case(), 4_000, start_minute=30)
    assert seen.with_send is not None
    before, after = np.split(seen.with_send.queues[0].offered - seen.without.queues[0].offered, [6])
    assert before == pytest.approx(np.zeros(6))
    assert (after > 0).all()


def test_a_send_beyond_the_horizon_is_looked_at_from_its_start_on():
    seen = outlook(a_small_case(minutes=180), 4_000, start_minute=90)
    assert seen.first_minute == 90
    assert seen.with_send is not None
    assert (seen.with_send.queues[0].offered > seen.without.queues[0].offered).all()


def test_a_start_without_a_horizon_is_refused():
    with pytest.raises(CaseRefused, match="leaves no horizon"):
        outlook(a_small_case(), 4_000, start_minute=50)
    with pytest.raises(CaseRefused, match="no start of a send"):
        outlook(a_small_case(), 4_000, start_minute=7)


def test_a_send_that_drowns_the_floor_is_shown_smaller_and_says_so():
    seen = outlook(a_small_case(), 8e9)
    assert seen.audience_shown is not None
    assert seen.audience_shown < 1e6
    assert seen.with_send is not None
    assert seen.with_send.verdict.probability == pytest.approx(1.0)


def test_a_case_that_makes_no_sense_is_refused():
    case = a_small_case()
    with pytest.raises(CaseRefused, match="no limit"):
        outlook(replace(case, limits=OutlookLimits(horizon_minutes=60)))


def test_where_nobody_works_any_more_there_is_no_level_and_the_verdict_is_that_a_limit_breaks():
    queue = a_small_case().queues[0]
    leaving = np.concatenate([np.full(30, 8), np.zeros(30, dtype=np.int64)])
    case = a_case(replace(queue, scenario=replace(queue.scenario, agents=leaving)), limits=HOUR, minutes=60)
    seen = outlook(case).without
    level = seen.queues[0].service_level_ratio
    assert np.isnan(level.mean).tolist() == [False] * 6 + [True] * 6
    assert seen.verdict.probability == pytest.approx(1.0)
