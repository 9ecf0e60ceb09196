"""How much of an audience may go."""

import pytest

from app.core.gate.decide import decide
from app.core.gate.decision import GateMemory
from app.core.gate.headroom import allow
from app.core.gate.policy import parse_policy
from tests.support.floors import NOON, backlog_floor


@pytest.mark.parametrize(
    ("waiting", "cap", "audience", "outcome"),
    [
        (3, None, 500_000, ("send", 500_000)),
        (3, None, None, ("send", None)),
        (3, None, 0, ("send", 0)),
        (3, 25_000, 500_000, ("throttle", 25_000)),
        (3, 25_000, 25_001, ("throttle", 25_000)),
        (3, 25_000, 25_000, ("send", 25_000)),
        (3, 25_000, 1, ("send", 1)),
        (3, 25_000, None, ("send", 25_000)),
        (99, 25_000, 1, ("hold", 0)),
        (99, None, None, ("hold", 0)),
        (None, 25_000, 1, ("unknown", 0)),
        (None, None, None, ("unknown", 0)),
    ],
)
def test_what_may_go(waiting: float | None, cap: int | None, audience: int | None, outcome: tuple[str, int | None]):
    document = {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]}
    policy = parse_policy(document if cap is None else {**document, "max_audience_per_wave": cap})
    decision, _ = decide(backlog_floor(waiting), policy, GateMemory(), NOON)
    assert allow(decision, policy, audience) == outcome


def test_without_a_policy_nothing_may_go():
    decision, _ = decide(backlog_floor(0), None, GateMemory(), NOON)
    assert allow(decision, None, 10) == ("unknown", 0)


def test_a_negative_audience_is_refused():
    decision, _ = decide(backlog_floor(0), None, GateMemory(), NOON)
    with pytest.raises(ValueError, match="audience must be 0 or more, not -1"):
        allow(decision, None, -1)
