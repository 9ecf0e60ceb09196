"""When it will go, in one line, from the real gate over floors made by hand."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core.floor.metric import Metric
from app.core.gate.answer import Request, answer
from app.core.gate.decide import decide
from app.core.gate.decision import GateMemory
from app.core.gate.foresight import Foresight, Portion, Room
from app.core.gate.overlay import lay_over
from app.core.gate.override import Effect, Override
from app.core.gate.policy import parse_policy
from app.core.permit.permit import Spent
from app.services.published import GateState
from app.web.format import THIN
from app.web.now.coming import coming
from app.web.now.views import zone_of
from app.web.outlook.view import ANY_MAIL, Sending
from app.web.outlook.words import Reader
from tests.support.floors import NOON, StaticFloor, a_reading

BACKLOG = {"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 300}
WAIT = {"metric": "oldest_wait_seconds", "hold_above": 120, "resume_below": 60}
STAFF = {"metric": "agents_available", "hold_below": 1, "resume_above": 3}
POLICY: dict[str, Any] = {"queues": ["*"], "time_zone": "America/Chicago", "rules": [BACKLOG]}
SPRING = Sending("spring", "Spring sale", 500_000)
ROOM = Room(40_000, 20.0, next_portions=(Portion(NOON + timedelta(minutes=75), 120_000),))


def a_floor(backlog: int = 2, wait: float = 5.0, available: int = 9, age_seconds: float = 0) -> StaticFloor:
    at = NOON - timedelta(seconds=age_seconds)
    floor = StaticFloor(NOON)
    floor.put(
        "orders",
        a_reading(Metric.BACKLOG, backlog, observed_at=at),
        a_reading(Metric.OLDEST_WAIT_SECONDS, wait, observed_at=at),
        a_reading(Metric.AGENTS_AVAILABLE, available, observed_at=at),
    )
    return floor


def a_state(floor: StaticFloor, memory: GateMemory | None = None, **policy: Any) -> tuple[GateState, GateMemory]:
    parsed = parse_policy(POLICY | policy)
    decision, after = decide(floor, parsed, memory or GateMemory(), NOON)
    return GateState("default", parsed, 1, decision, decision), after


def said(state: GateState, sending: Sending = ANY_MAIL, out: int = 0) -> str:
    asked = Request(sending.left, campaign=sending.id or None)
    answered = answer(
        state.basis,
        state.policy,
        asked,
        gate="default",
        overrides=state.overrides,
        spent=Spent(outstanding=out),
        now=NOON,
        foresight=state.foresight,
    )
    reader = Reader(NOON, zone_of(state), {"orders": "Orders"})
    return coming(state, sending, answered, reader, out=out).replace(THIN, " ")


def test_an_open_gate_lets_any_mail_begin():
    assert said(a_state(a_floor())[0]) == "A send may begin now."


def test_an_open_gate_lets_all_of_the_next_campaign_go():
    assert said(a_state(a_floor())[0], SPRING) == "Spring sale: all 500,000 that are left may go now."


def test_a_cap_says_how_much_of_it_may_go_now():
    state, _ = a_state(a_floor(), max_audience_per_wave=25_000)
    assert said(state, SPRING) == "Spring sale: 25,000 of 500,000 may go now."


def test_what_is_on_its_way_is_said_before_more_may_go():
    state, _ = a_state(a_floor(), max_audience_per_wave=25_000)
    assert said(state, SPRING, out=25_000) == "Spring sale: 25,000 are on their way; more may go when they are out."


def test_a_hold_says_what_must_be_so_first():
    assert said(a_state(a_floor(14))[0]) == "Goes once backlog of Orders is ≤ 5 for 5 min."


@pytest.mark.parametrize(
    ("rules", "ending"),
    [
        ([BACKLOG, WAIT], "backlog of Orders is ≤ 5 for 5 min and oldest wait of Orders is ≤ 1 min."),
        ([BACKLOG, WAIT, STAFF], "and oldest wait of Orders is ≤ 1 min, and 1 more rule passes."),
    ],
)
def test_several_holding_rules_are_named_the_deciding_one_first(rules, ending):
    assert said(a_state(a_floor(14, 200.0, 0), rules=rules)[0]).endswith(ending)


def test_within_limits_again_it_says_from_when():
    _, memory = a_state(a_floor(14))
    state, _ = a_state(a_floor(2), memory)
    assert said(state) == "Within limits again: goes at about 06:05 if it stays so."


def test_the_outlook_adds_from_when_on_it_is_safe_and_for_how_many():
    state, _ = a_state(a_floor(14))
    foresight = Foresight(NOON, rooms=(("spring", ROOM), ("", ROOM)))
    line = said(state._replace(foresight=foresight), SPRING)
    assert line == "Goes once backlog of Orders is ≤ 5 for 5 min; safe from about 07:15 for 120,000."


@pytest.mark.parametrize("changes", [{"unknown": "nobody knows"}, {"at": NOON - timedelta(minutes=3)}])
def test_an_outlook_that_is_unknown_or_too_old_promises_nothing(changes):
    state, _ = a_state(a_floor(14))
    foresight = replace(Foresight(NOON, rooms=(("", ROOM),)), **changes)
    assert "safe from" not in said(state._replace(foresight=foresight))


def test_without_data_nothing_goes_until_it_is_back():
    state, _ = a_state(a_floor(age_seconds=900))
    assert said(state) == "Nothing goes until the missing data is back; then by what it says."


def test_without_a_policy_it_says_so():
    decision, _ = decide(a_floor(), None, GateMemory(), NOON)
    assert said(GateState("default", None, 0, decision, decision)) == "Nothing goes before the gate has a policy."


def test_a_hold_by_hand_says_until_when():
    state, _ = a_state(a_floor())
    ends_at = NOON + timedelta(hours=2)
    by_hand = Override("ovr_1", "default", Effect.HOLD, NOON, ends_at, "Ann", "phones are down", NOON)
    told = lay_over(state.basis, state.policy, (by_hand,), NOON)
    line = said(state._replace(decision=told, overrides=(by_hand,)))
    assert line == "Held by hand until 08:00, or until somebody ends it."


def test_outside_its_window_it_says_when_the_next_one_opens():
    state, _ = a_state(a_floor(), send_windows=[{"days": ["sat", "sun"], "from": "09:00", "to": "18:00"}])
    assert said(state).startswith("Goes from ")
    assert said(state).endswith("when the next send window opens.")


def test_an_open_gate_says_why_the_next_campaign_waits_all_the_same():
    state, _ = a_state(a_floor(), outlook={"service_level_ratio": 0.8})
    line = said(state._replace(decision=a_state(a_floor())[0].decision, basis=a_state(a_floor())[0].basis), SPRING)
    assert line.startswith("Spring sale waits: ")
