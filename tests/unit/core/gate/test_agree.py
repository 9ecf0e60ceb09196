"""Whose memory a replica goes on with: its own where that holds more, for a while; the leader's otherwise."""

from datetime import timedelta

import pytest

from app.core.gate.agree import PATIENCE, agreed
from app.core.gate.decision import GateMemory, Verdict
from tests.support.builders import NOW

A_MOMENT = timedelta(microseconds=1)
ORDER = [Verdict.SEND, Verdict.THROTTLE, Verdict.HOLD, Verdict.UNKNOWN]
PAIRS = [(own, leaders) for own in ORDER for leaders in ORDER]


@pytest.mark.parametrize(("own", "leaders"), PAIRS)
def test_one_s_own_is_kept_for_ten_seconds_only_where_it_is_stricter(own, leaders):
    mine, its = GateMemory(own, NOW), GateMemory(leaders, NOW - timedelta(hours=1))
    kept = mine if ORDER.index(own) > ORDER.index(leaders) else its
    assert agreed(mine, its, NOW) is kept
    assert agreed(mine, its, NOW + PATIENCE - A_MOMENT) is kept
    assert agreed(mine, its, NOW + PATIENCE) is its


@pytest.mark.parametrize("leaders", ORDER)
def test_who_has_decided_nothing_yet_goes_on_with_what_the_leader_remembers(leaders):
    its = GateMemory(leaders, NOW)
    assert agreed(GateMemory(), its, NOW) is its


@pytest.mark.parametrize("own", ORDER[:3])
def test_a_leader_that_has_decided_nothing_yet_is_followed_into_unknown(own):
    assert agreed(GateMemory(own, NOW), GateMemory(), NOW) == GateMemory()
