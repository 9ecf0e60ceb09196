"""What an outlook says of the messages that then went: values, and what it leaves out or does not know."""

import math
from dataclasses import replace

import numpy as np
import pytest

from app.core.debrief import prediction as module
from app.core.debrief.prediction import prediction
from app.core.forecast.case import Rate
from app.core.forecast.foresee import Sender
from app.core.forecast.learn import GammaRate
from app.core.forecast.response import Response, response_curves
from app.core.forecast.soundness import CaseRefused
from tests.support.foreseen import MINUTES, NOON, a_known, a_queue

HORIZON = 60
SMALL = a_queue(per_minute=0.3, agents=2, busy=1)
BOTH = (("orders", 0.7), ("billing", 0.3))


def a_sender(campaign, mean=10.0, cv=0.5, shares=(("orders", 1.0),)):
    return Sender(campaign, Rate(mean, cv), shares, 100_000)


def known_of(*senders, queues=(SMALL,)):
    return replace(a_known(*queues), senders=(a_sender(""), *senders))


def contacts(made, place=0):
    return sum(each or 0.0 for each in made.queues[place].offered)


# --- values -----------------------------------------------------------------------------------------------------------


def test_it_is_told_per_interval_from_when_the_outlook_was_made():
    made = prediction(known_of(), "", [(0.0, 1_000)])
    (queue,) = made.queues
    assert (made.made_at, queue.queue, made.messages) == (NOON, "orders", 1_000)
    steps = {len(queue.offered)} | {
        len(values)
        for spread in (queue.service_level_ratio, queue.speed_to_answer_seconds, queue.backlog)
        for values in (spread.mean, spread.low, spread.high)
    }
    assert steps == {HORIZON * 60 // made.step_seconds}
    for spread in (queue.speed_to_answer_seconds, queue.backlog):
        edges = [(low, high) for low, high in zip(spread.low, spread.high, strict=True) if low is not None]
        assert len(edges) == len(queue.offered)
        assert all(high is not None and low <= high for low, high in edges)


def test_the_messages_bring_what_people_answer_within_the_horizon():
    exact = known_of(a_sender("spring", cv=0.0))
    without, made = (prediction(exact, "spring", sends) for sends in ([], [(0.0, 2_000), (30.0, 1_000)]))
    assert (without.messages, made.messages) == (0, 3_000)
    assert contacts(without) == pytest.approx(0.3 * HORIZON, rel=1e-3)
    at_once, later = response_curves(Response(), np.ones(HORIZON, dtype=bool), np.array([0, 30]), HORIZON)
    brought = 60 * 10.0 / 1_000 * (2_000 * at_once.sum() + 1_000 * later.sum())
    assert contacts(made) - contacts(without) == pytest.approx(brought, rel=0.001)


def test_the_more_is_sent_the_likelier_a_limit_breaks():
    known = known_of(queues=(a_queue(),))
    chances = [prediction(known, "", [(0.0, messages)]).breach_probability for messages in (0, 3_000, 30_000)]
    assert chances[0] < 0.1 < chances[1] < 0.9 < chances[2] <= 1


def test_what_is_believed_is_the_campaigns_own_or_that_of_any_mail():
    known = known_of(a_sender("spring", 24.0))
    own, unknown = (prediction(known, campaign, [(0.0, 500)]) for campaign in ("spring", "autumn"))
    assert (own.per_1000, unknown.per_1000) == (24.0, 10.0)
    assert contacts(own) > contacts(unknown)
    belief = GammaRate.of_moments(24.0, 12.0**2)
    assert (own.per_1000_low, own.per_1000_high) == (belief.quantile(0.1), belief.quantile(0.9))
    assert own.per_1000_low < 24.0 < own.per_1000_high


@pytest.mark.parametrize("rate", [Rate(12.0, 0.0), Rate(0.0, 0.5)])
def test_a_rate_known_exactly_and_one_of_nothing_have_no_spread(rate):
    made = prediction(known_of(a_sender("spring", rate.mean, rate.cv)), "spring", [(0.0, 500)])
    assert (made.per_1000_low, made.per_1000, made.per_1000_high) == (rate.mean, rate.mean, rate.mean)


# --- which messages ---------------------------------------------------------------------------------------------------


def test_what_goes_after_the_horizon_is_left_out_and_what_went_before_counts_as_at_once():
    late = prediction(known_of(), "", [(10.0, 1_000), (HORIZON, 700), (HORIZON + 30.0, 5)])
    assert late.messages == 1_000
    before, at_once = (prediction(known_of(), "", [(minute, 1_000)]) for minute in (-2.0, 0.0))
    assert before == at_once


def test_what_would_drown_the_floor_many_times_over_is_cut():
    assert prediction(known_of(), "", [(0.0, 9_000_000), (10.0, 1_000_000)]).messages == 100_000  # 1,000 contacts


# --- which queues -----------------------------------------------------------------------------------------------------


def test_queues_that_get_none_of_its_contacts_are_left_out():
    queues = (SMALL, replace(SMALL, queue="billing"), replace(SMALL, queue="care"))
    known = known_of(a_sender("spring", shares=(*BOTH, ("care", 0.0))), queues=queues)
    assert [each.queue for each in prediction(known, "spring", [(0.0, 100)]).queues] == ["orders", "billing"]


def test_of_many_queues_those_are_told_that_most_contacts_come_to(monkeypatch):
    monkeypatch.setattr(module, "MOST_QUEUES", 1)
    known = known_of(a_sender("spring", shares=BOTH[::-1]), queues=(SMALL, replace(SMALL, queue="billing")))
    assert [each.queue for each in prediction(known, "spring", [(0.0, 100)]).queues] == ["orders"]


# --- what is not known ------------------------------------------------------------------------------------------------


def test_where_nobody_works_any_more_there_is_no_level_and_no_number_that_is_none():
    agents = np.where(np.arange(MINUTES) < HORIZON // 2, 2, 0)
    (queue,) = prediction(known_of(queues=(replace(SMALL, agents=agents),)), "", [(0.0, 100)]).queues
    level = queue.service_level_ratio.mean
    assert level[0] is not None
    assert level[-1] is None
    spreads = (queue.service_level_ratio, queue.speed_to_answer_seconds, queue.backlog)
    told = [value for spread in spreads for values in (spread.mean, spread.low, spread.high) for value in values]
    assert all(value is None or math.isfinite(value) for value in told)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(CaseRefused):
        prediction(known_of(queues=(replace(SMALL, step_seconds=0.0),)), "", [(0.0, 100)])
