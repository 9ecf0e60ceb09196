"""How much may go now."""

import pytest

from app.core.gate.headroom import Headroom, headroom
from app.core.gate.policy import parse_policy
from app.core.permit.permit import NOTHING_SPENT, Spent

WAVE, HOUR = "max_audience_per_wave", "max_audience_per_hour"


def a_policy(**caps: int):
    return parse_policy({"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}], **caps})


@pytest.mark.parametrize("policy", [None, a_policy()])
def test_without_caps_there_is_no_limit_whatever_was_spent(policy):
    assert headroom(policy, Spent(10**9, 10**9)) == Headroom(None, None, None)


@pytest.mark.parametrize(
    ("caps", "spent", "left", "capped_by"),
    [
        ({WAVE: 100}, NOTHING_SPENT, 100, WAVE),
        ({WAVE: 100}, Spent(outstanding=60), 40, WAVE),
        ({WAVE: 100}, Spent(outstanding=60, sent_last_hour=1000), 40, WAVE),
        ({WAVE: 100}, Spent(outstanding=130), 0, WAVE),
        ({HOUR: 100}, Spent(outstanding=60, sent_last_hour=30), 10, HOUR),
        ({HOUR: 100}, Spent(sent_last_hour=130), 0, HOUR),
        ({WAVE: 50, HOUR: 100}, NOTHING_SPENT, 50, WAVE),
        ({WAVE: 50, HOUR: 100}, Spent(sent_last_hour=70), 30, HOUR),
        ({WAVE: 50, HOUR: 100}, Spent(outstanding=20, sent_last_hour=40), 30, WAVE),
        ({WAVE: 50, HOUR: 100}, Spent(outstanding=50, sent_last_hour=50), 0, WAVE),
    ],
)
def test_what_is_given_away_is_taken_off_each_cap_and_the_tightest_binds(caps, spent, left, capped_by):
    assert headroom(a_policy(**caps), spent) == (left, capped_by, caps[capped_by])
