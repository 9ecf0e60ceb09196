"""What always holds between a gate and its outlook, whatever either says."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.core.gate.answer import answer
from app.core.gate.ask import Request
from app.core.gate.decide import decide
from app.core.gate.decision import GateMemory, Verdict
from app.core.gate.foresight import Foresight, OutlookMemory, Room
from app.core.gate.policy import parse_policy
from app.core.permit.permit import Spent
from tests.support.floors import NOON, backlog_floor

POLICY = parse_policy(
    {
        "queues": ["*"],
        "rules": [{"metric": "backlog", "hold_above": 10}],
        "outlook": {"backlog": 20, "max_breach_probability": 0.1},
    }
)
GO = (Verdict.SEND, Verdict.THROTTLE)
RATES = st.floats(0, 1_000)
ROOMS = st.builds(Room, st.integers(-5, 10**6), RATES)
FORESIGHTS = st.builds(
    Foresight,
    st.integers(-300, 30).map(lambda seconds: NOON + timedelta(seconds=seconds)),
    given=st.integers(0, 10**6),
    breach_probability=st.floats(0, 1) | st.just(float("nan")),
    rooms=st.lists(st.tuples(st.sampled_from(["", "spring", "autumn"]), ROOMS), max_size=3).map(tuple),
    unknown=st.sampled_from(["", "", "no history"]),
)
MEMORIES = st.none() | st.builds(
    OutlookMemory, st.just(NOON - timedelta(hours=1)), st.none() | st.just(NOON - timedelta(minutes=1))
)
AUDIENCES = st.none() | st.integers(1, 10**7)


def told(foresight, remembered, audience, spent):
    floor = backlog_floor(3)
    decision, _ = decide(floor, POLICY, GateMemory(outlook=remembered), NOON, foresight=foresight)
    return answer(decision, POLICY, Request(audience), gate="default", spent=spent, now=NOON, foresight=foresight)


@given(FORESIGHTS | st.none(), MEMORIES, AUDIENCES, st.builds(Spent, given=st.integers(0, 10**6)))
def test_only_a_fresh_outlook_that_knows_and_finds_it_safe_lets_anything_go(foresight, remembered, audience, spent):
    answered = told(foresight, remembered, audience, spent)
    if answered.verdict in GO:
        assert foresight is not None
        assert timedelta(seconds=-5) <= NOON - foresight.at < timedelta(minutes=2)
        assert not foresight.unknown
        assert foresight.breach_probability <= 0.1


@given(FORESIGHTS, AUDIENCES, st.integers(0, 10**6))
def test_never_more_goes_than_was_found_safe_less_what_was_given_since(foresight, audience, given_now):
    answered = told(foresight, None, audience, Spent(given=given_now))
    if answered.verdict in GO:
        room = foresight.room(None)
        assert room is not None
        assert answered.allow is not None
        assert 0 < answered.allow <= room.audience - max(0, given_now - foresight.given)


@given(FORESIGHTS, st.integers(1, 10**6), st.integers(0, 10**5), st.integers(1, 10**5))
def test_giving_away_more_never_leaves_more(foresight, audience, given_before, more):
    first = told(foresight, None, audience, Spent(given=given_before))
    second = told(foresight, None, audience, Spent(given=given_before + more))
    assert (second.allow or 0) <= (first.allow or 0)
