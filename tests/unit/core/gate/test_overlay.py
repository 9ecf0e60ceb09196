"""What everybody is told, and since when, while overrides come and go over what the gate says."""

from datetime import timedelta

import pytest

from app.core.gate.decide import decide
from app.core.gate.decision import GateMemory, Verdict
from app.core.gate.overlay import last_told, lay_over, tell
from app.core.gate.override import Effect, Matcher, Override
from app.core.gate.policy import parse_policy
from tests.support.floors import NOON, backlog_floor

POLICY = parse_policy({"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]})


def an_override(effect, start, end, **changes):
    return Override("ovr_1", "default", Effect(effect), at(start), at(end), "Ann", "because", NOON, **changes)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def play(backlogs, *overrides):
    """Return (second, what is told, since which second) at each change of what is told; one backlog per second."""
    memory, changes = GateMemory(), []
    for second, waiting in enumerate(backlogs):
        now, before = at(second), memory
        basis, memory = decide(backlog_floor(waiting, at=now), POLICY, before, now)
        decision, memory = tell(lay_over(basis, POLICY, overrides, now), before, memory, now)
        since = (decision.since - NOON).total_seconds()
        if decision.verdict is not last_told(before)[0]:
            changes.append((second, decision.verdict, since))
        else:
            assert since == changes[-1][2]
        assert last_told(memory) == (decision.verdict, decision.since)
    return changes


def test_without_overrides_it_is_what_the_gate_says():
    assert play([0, 0, 99, 99, 0]) == [(0, "send", 0), (2, "hold", 2), (4, "send", 4)]


def test_a_hold_is_told_from_its_beginning_to_its_end():
    assert play([0] * 6, an_override("hold", 2, 4)) == [(0, "send", 0), (2, "hold", 2), (4, "send", 4)]


def test_a_hold_over_a_held_gate_changes_nothing_that_is_told():
    assert play([0, 99, 99, 99, 99], an_override("hold", 2, 4)) == [(0, "send", 0), (1, "hold", 1)]


def test_a_gate_that_opens_or_shuts_under_an_override_is_told_when_that_ends():
    assert play([99, 99, 0, 0, 0], an_override("hold", 1, 4)) == [(0, "hold", 0), (4, "send", 4)]
    assert play([0, 99, 99, 99], an_override("allow", 0, 3)) == [(0, "send", 0), (3, "hold", 3)]


def test_an_override_that_ends_where_the_gate_says_the_same_by_then_changes_nothing():
    assert play([0, 0, 99, 99, 99, 99], an_override("hold", 1, 4)) == [(0, "send", 0), (1, "hold", 1)]


def test_one_with_matchers_is_not_told_to_everybody():
    some = an_override("hold", 0, 9, matchers=(Matcher("campaign", "spring"),))
    assert play([0, 0], some) == [(0, "send", 0)]


@pytest.mark.parametrize("matchers", [(), (Matcher("campaign", "spring"),)])
@pytest.mark.parametrize(("start", "end", "until"), [(5, 60, 5), (-60, 7, 7), (-60, 60, 30), (40, 60, 30)])
def test_what_is_told_is_good_until_any_override_begins_or_ends(matchers, start, end, until):
    basis, _ = decide(backlog_floor(0), POLICY, GateMemory(), NOON)
    told = lay_over(basis, POLICY, [an_override("allow", start, end, matchers=matchers)], NOON)
    assert (told.verdict, told.valid_until) == (Verdict.SEND, at(until))


def test_it_says_by_whom_it_is_and_what_the_gate_would_have_said():
    basis, _ = decide(backlog_floor(99), POLICY, GateMemory(), NOON)
    told = lay_over(basis, POLICY, [an_override("hold", 0, 60)], NOON)
    assert [(reason.code, reason.binding) for reason in told.reasons] == [
        ("override_hold", True),
        ("backlog_high", False),
    ]
    assert told.checks == basis.checks
