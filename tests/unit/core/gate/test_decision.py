"""A decision that explains itself when asked is a value like one that was told its reasons."""

import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from app.core.gate.decide import decide
from app.core.gate.decision import Decision, GateMemory, Verdict
from app.core.gate.policy import default_policy_document, parse_policy
from tests.support.floors import NOON, StaticFloor, a_reading, backlog_floor


def explained() -> Decision:
    return decide(backlog_floor(None), parse_policy(default_policy_document()), GateMemory(), NOON)[0]


def test_reasons_and_checks_are_built_once():
    decision = explained()
    assert decision.reasons is decision.reasons
    assert decision.checks is decision.checks


def test_equal_to_one_made_from_its_parts():
    decision = explained()
    told = Decision(
        decision.verdict,
        decision.at,
        decision.since,
        decision.reasons,
        decision.checks,
        decision.mode,
        decision.data_as_of,
        decision.valid_until,
        decision.retry_at,
        decision.next_review_at,
    )
    assert explained() == told
    assert hash(explained()) == hash(told)
    assert repr(explained()) == repr(told)


def test_copies_carry_the_reasons():
    decision = explained()
    assert replace(explained(), verdict=Verdict.HOLD).reasons == decision.reasons
    assert copy.copy(explained()) == decision
    assert pickle.loads(pickle.dumps(explained())) == decision  # noqa: S301 -- our own bytes


def test_it_says_the_same_after_the_floor_has_moved_on():
    floor = backlog_floor(20)
    policy = parse_policy({"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]})
    decision, _ = decide(floor, policy, GateMemory(), NOON)
    floor.put("orders", a_reading(value=0))
    assert decision.reasons[0].observed == 20


def test_the_queues_it_looked_at_are_counted_without_building_a_check():
    floor = StaticFloor(NOON).put("billing", a_reading()).put("orders", a_reading()).put("other", a_reading())
    rules = [{"metric": "backlog", "hold_above": 10}, {"metric": "oldest_wait_seconds", "hold_above": 60}]
    decision, _ = decide(floor, parse_policy({"queues": ["*"], "rules": rules}), GateMemory(), NOON)
    assert decision.queues_looked_at() == 3
    assert "checks" not in built(decision)
    assert len({check.queue for check in decision.checks}) == 3
    assert replace(decision, verdict=Verdict.HOLD).queues_looked_at() == 3
    assert decide(floor, None, GateMemory(), NOON)[0].queues_looked_at() == 0


def built(decision: Decision) -> set[str]:
    """Return which of a decision's lazy parts were built already."""
    return {name for name in ("reasons", "checks") if _has(decision, name)}


def _has(decision: Decision, name: str) -> bool:
    try:
        object.__getattribute__(decision, name)
    except AttributeError:
        return False
    return True


def test_it_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        explained().verdict = Verdict.SEND  # type: ignore[misc]


def test_it_has_no_other_attributes():
    with pytest.raises(AttributeError, match="'Decision' object has no attribute 'reason'"):
        _ = explained().reason  # type: ignore[attr-defined]
