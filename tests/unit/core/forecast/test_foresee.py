"""What a gate has to know of the future, for all who may send through it at once."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from app.core.forecast.case import Case, QueueCase, Rate
from app.core.forecast.foresee import Ahead, GateCase, Sender, foresee, look_ahead
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.response import Response, response_curves
from app.core.forecast.safe import Bound, safe_now
from app.core.forecast.scenario import Scenario
from app.core.forecast.soundness import CaseRefused
from app.core.forecast.uncertainty import MEAN

MINUTES = 240
STARTS = np.arange(0, MINUTES, 5)
CURVES = response_curves(Response(), np.ones(MINUTES, dtype=bool), STARTS, MINUTES)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def a_queue(name: str = "orders", *, per_minute: float = 3.0, agents: int = 20, share: float = 1.0) -> QueueCase:
    scenario = Scenario(np.full(MINUTES, per_minute / 60), np.full(MINUTES, agents), 300.0, 180.0, 15, 0)
    return QueueCase(name, scenario, np.full(MINUTES, 0.1), np.zeros(MINUTES), 0.0, share, CURVES)


def a_gate(*queues: QueueCase, senders: tuple[Sender, ...] = (), may_start: bool = True) -> GateCase:
    limits = OutlookLimits(service_level_ratio=0.8, horizon_minutes=60)
    case = Case(NOON, queues or (a_queue(),), Rate(10.0, 1.0), limits, STARTS)
    return GateCase(case, senders or (a_sender(),), np.full(len(STARTS), may_start))


def a_sender(campaign: str = "", per_1000: float = 10.0, *, most: int = 100_000, **shares: float) -> Sender:
    return Sender(campaign, Rate(per_1000, 0.5), tuple((shares or {"orders": 1.0}).items()), most)


def audiences(gate: GateCase) -> dict[str, int]:
    return {campaign: send.audience for campaign, send in foresee(gate, MEAN).sends}


def test_each_sender_gets_what_is_safe_for_its_own_rate_and_queues():
    senders = (
        a_sender(),
        a_sender("twice", 20.0),
        a_sender("elsewhere", billing=1.0),
        a_sender("both", orders=0.5, billing=0.5),
    )
    gate = a_gate(a_queue(), a_queue("billing", per_minute=1.0), senders=senders)
    found = audiences(gate)
    assert found["twice"] == pytest.approx(found[""] / 2, rel=0.02)
    assert found["elsewhere"] > found[""]
    assert found["both"] > found[""]
    assert found[""] == safe_now(gate.of(senders[0]), 100_000, MEAN).audience


def test_no_more_is_found_than_there_is_to_send_and_nothing_forbids_the_rest():
    sends = dict(foresee(a_gate(senders=(a_sender(most=50), a_sender("spring"))), MEAN).sends)
    assert (sends[""].audience, sends[""].bound, sends[""].breach) == (50, Bound.EVERYTHING, None)
    assert sends["spring"].bound is Bound.LIMIT


def test_where_a_limit_breaks_anyway_nobody_may_send():
    found = foresee(a_gate(a_queue(per_minute=6.0)), MEAN)
    assert found.without.probability == 1.0
    ((_, send),) = found.sends
    assert (send.audience, send.bound) == (0, Bound.ALREADY)
    assert send.breach is not None
    assert send.breach.queue == "orders"


def test_what_follows_are_waves_and_what_agents_would_change():
    gate = a_gate()
    now = audiences(gate)[""]
    ahead = look_ahead(gate, gate.senders[0], now, MEAN)
    assert ahead.campaign == ""
    assert [wave.minute for wave in ahead.portions] == sorted({wave.minute for wave in ahead.portions})
    assert all(0 < wave.minute <= 60 and wave.audience > 0 for wave in ahead.portions)
    more = dict(ahead.agents)
    assert now < more[1] < more[2] < more[4]


def test_the_agents_for_everything_are_the_fewest():
    gate = a_gate(senders=(a_sender(most=30_000),))
    ahead = look_ahead(gate, gate.senders[0], audiences(gate)[""], MEAN)
    agents, audience = ahead.agents[-1]
    assert audience == 30_000
    case = gate.of(gate.senders[0])
    assert safe_now(case.with_agents("orders", agents, 0), 30_000, MEAN).bound is Bound.EVERYTHING
    assert safe_now(case.with_agents("orders", agents - 1, 0), 30_000, MEAN).bound is Bound.LIMIT


def test_outside_the_send_windows_nothing_follows():
    gate = a_gate(may_start=False)
    assert look_ahead(gate, gate.senders[0], audiences(gate)[""], MEAN).portions == ()


def test_where_nothing_may_go_now_the_next_window_is_told():
    busy_first = a_queue()
    arrivals = busy_first.scenario.arrivals_per_second.copy()
    arrivals[:40] *= 2
    queue = replace(busy_first, scenario=replace(busy_first.scenario, arrivals_per_second=arrivals))
    gate = a_gate(queue)
    assert audiences(gate) == {"": 0}
    (portion,) = look_ahead(gate, gate.senders[0], 0, MEAN).portions
    assert portion.minute >= 40
    closed = replace(gate, may_start=np.zeros(len(STARTS), dtype=bool))
    assert look_ahead(closed, gate.senders[0], 0, MEAN).portions == ()


def test_who_may_send_everything_needs_nothing_more():
    gate = a_gate(senders=(a_sender(most=50),))
    assert look_ahead(gate, gate.senders[0], 50, MEAN) == Ahead("", (), ())


def test_a_case_that_says_nothing_is_refused():
    arrivals = np.full(MINUTES, np.nan)
    queue = a_queue()
    with pytest.raises(CaseRefused):
        foresee(a_gate(replace(queue, scenario=replace(queue.scenario, arrivals_per_second=arrivals))))
