"""The gate's hysteresis, second by second: read a timeline's columns downwards.

Every gate here has one rule: the backlog of one queue holds sends above 5 waiting after 2 seconds without a break, and
lets them resume at 3 or fewer after 4 seconds without a break. Data is stale at an age of 3 seconds.

    waiting   0-9  the source reports so many waiting    .  it reports nothing, the last value grows older
              n    it reports something that is no number
              x    the floor does not know the metric (any more)
    state     s send    H hold    ? unknown
"""

from datetime import timedelta

import pytest

from app.core.floor.metric import Metric
from app.core.gate.decide import decide
from app.core.gate.decision import GateMemory, Verdict
from app.core.gate.policy import Policy, parse_policy
from tests.support.floors import NOON, StaticFloor, a_reading

TIMELINES = """
a calm queue sends
    waiting  0123543210
    state    ssssssssss

a burst shorter than hold_for changes nothing
    waiting  0099009900
    state    ssssssssss

bad from the first word on holds at once: nobody saw it good
    waiting  9990000000
    state    HHHHHHHsss

bad as soon as data is back holds at once
    waiting  0.....9000000
    state    sss???HHHHHss

bad before a silence and after it holds at once, too
    waiting  09xxxxxx9999
    state    ss??????HHHH

a limit passed for hold_for holds, and resume_for of calm releases
    waiting  00999900000000
    state    ssssHHHHHHssss

at the hold limit is not past it, at the resume limit is within it
    waiting  05555599933333
    state    ssssssssHHHHHs

between the limits an open gate stays open and a held one stays held
    waiting  44449994444444
    state    ssssssHHHHHHHH

a value between the limits breaks hold_for off
    waiting  099499499499949
    state    ssssssssssssHHH

a value between the limits breaks resume_for off
    waiting  099900040000400000
    state    sssHHHHHHHHHHHHHHs

going back and forth holds once and stays held
    waiting  099990009000900090009000
    state    sssHHHHHHHHHHHHHHHHHHHHH

two releases are at least resume_for apart
    waiting  099900000999000009990
    state    sssHHHHHsssHHHHHsssHH

one late report is not a gap yet
    waiting  0..0..0..
    state    sssssssss

silence is unknown from stale_after on, and fresh good data opens at once
    waiting  0.....0
    state    sss???s

silence never releases, and does not count towards the release; a report counts until it is stale
    waiting  09990........0000
    state    sssHHHH??????Hsss

data missing altogether is treated as silence is
    waiting  099900xxxxxxx00000
    state    sssHHH???????HHsss

what is no number is treated as silence is
    waiting  099900nnnnnnn00000
    state    sssHHH???????HHsss

silence while held is unknown, and bad data after it is a hold at once
    waiting  0999.....9900
    state    sssHHH???HHHH

a metric never reported is unknown
    waiting  xxxx000
    state    ????sss
"""

STATES = {Verdict.SEND: "s", Verdict.HOLD: "H", Verdict.UNKNOWN: "?", Verdict.THROTTLE: "t"}


def _policy() -> Policy:
    rule = {"metric": "backlog", "hold_above": 5, "resume_below": 3, "hold_for_seconds": 2, "resume_for_seconds": 4}
    return parse_policy({"queues": ["orders"], "stale_after_seconds": 3, "rules": [rule]})


def _timelines() -> list[object]:
    blocks = [block.strip().splitlines() for block in TIMELINES.strip().split("\n\n")]
    return [pytest.param(waiting.split()[1], state.split()[1], id=name) for name, waiting, state in blocks]


def _play(waiting: str) -> str:
    """Return the state at each second of a timeline."""
    floor, memory, states = StaticFloor().add_queue("orders"), GateMemory(), ""
    for second, sign in enumerate(waiting):
        now = NOON + timedelta(seconds=second)
        if sign == "x":
            floor.readings.clear()
        elif sign != ".":
            value = float("nan") if sign == "n" else float(sign)
            floor.put("orders", a_reading(Metric.BACKLOG, value, observed_at=now))
        decision, memory = decide(floor, _policy(), memory, now)
        states += STATES[decision.verdict]
    return states


@pytest.mark.parametrize(("waiting", "state"), _timelines())
def test_state_per_second(waiting: str, state: str):
    assert _play(waiting) == state
