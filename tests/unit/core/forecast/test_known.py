"""The case that is made of what is known."""

from dataclasses import replace

import numpy as np
import pytest

from app.core.forecast.foresee import foresee
from app.core.forecast.known import gate_case
from app.core.forecast.refused import ResponseRefused
from app.core.forecast.uncertainty import MEAN
from tests.support.foreseen import MINUTES, STEPS, a_known, a_queue, a_send


def test_steps_become_minutes_from_the_present_on():
    expected = np.arange(STEPS, dtype=float)
    (queue,) = gate_case(a_known(a_queue(expected=expected, cv=expected / 100))).case.queues
    # 120 s of the first step are over: three minutes of it are left, then each step has five
    per_step = queue.scenario.arrivals_per_second * 300
    assert per_step[:9].tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 2]
    assert queue.arrivals_cv[3] == 0.01
    assert len(per_step) == MINUTES


def test_what_was_sent_is_in_flight_with_its_own_doubt():
    known = a_known(sent=(a_send((0.0, 10_000)), a_send((-60.0, 10_000), campaign="before", cv=1.0)))
    (queue,) = gate_case(known).case.queues
    (alone,) = gate_case(a_known(sent=(a_send((0.0, 10_000)),))).case.queues
    assert queue.in_flight.sum() > alone.in_flight.sum() > 0
    assert alone.in_flight.sum() * 60 < 100  # of 100 contacts some come later than is looked ahead
    assert alone.in_flight_cv == pytest.approx(0.5)
    assert queue.in_flight_cv < 0.75  # two campaigns err apart


def test_contacts_that_come_elsewhere_are_not_in_flight_here():
    elsewhere = replace(a_send((0.0, 10_000)), shares=(("billing", 1.0),))
    (queue,) = gate_case(a_known(sent=(elsewhere,))).case.queues
    assert queue.in_flight.sum() == 0


def test_what_was_sent_leaves_less_room():
    free = dict(foresee(gate_case(a_known()), MEAN).sends)[""]
    taken = dict(foresee(gate_case(a_known(sent=(a_send((0.0, 3_000)),))), MEAN).sends)[""]
    assert 0 < taken.audience < free.audience
    assert taken.audience == pytest.approx(free.audience - 3_000, abs=300)  # which takes five minutes to go out


@pytest.mark.parametrize(("waiting", "busy"), [(0, 15), (3, 20)])
def test_where_nobody_says_how_many_are_handled_the_load_does_and_all_are_while_somebody_waits(waiting, busy):
    (queue,) = gate_case(a_known(a_queue(busy=None, waiting=waiting))).case.queues
    assert queue.scenario.busy == busy


def test_a_center_that_opens_nowhere_in_sight_is_refused():
    with pytest.raises(ResponseRefused):
        gate_case(a_known(a_queue(is_open=np.zeros(MINUTES, dtype=bool))))
