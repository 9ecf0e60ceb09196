"""A decision made again from what was kept is the same decision, whatever the floor, the policy and the memory."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.core.campaign.campaign import CampaignState, TrafficClass
from app.core.gate.answer import CampaignFacts, Request, answer
from app.core.gate.decide import decide
from app.core.gate.decision import GateMemory
from app.core.gate.override import Effect, Matcher, Override
from app.core.gate.policy import parse_policy
from app.core.permit.permit import Spent
from app.services.inputs import GateInputs, basis_of, facts_of, is_whole, kept_of, policy_of, read_facts
from app.services.published import GateState
from tests.property.test_gate import broken, floor_of, levels, seconds_of
from tests.support.floors import NOON

RULES: list[dict[str, Any]] = [
    {"metric": "backlog", "hold_above": 5, "resume_below": 2, "hold_for_seconds": 2, "resume_for_seconds": 3},
    {"metric": "service_level_ratio", "hold_below": 0.5, "resume_above": 0.7, "window_seconds": 900, "min_samples": 3},
    {"metric": "agents_available", "hold_below": 1, "on_missing": "ignore"},
]
documents = st.fixed_dictionaries(
    {
        "queues": st.sampled_from([["*"], ["orders"], ["orders", "nobody-*"], ["b*", "orders"]]),
        "rules": st.lists(st.sampled_from(RULES), min_size=1, max_size=3, unique_by=lambda rule: rule["metric"]),
    },
    optional={
        "mode": st.just("shadow"),
        "time_zone": st.just("America/Chicago"),
        "send_windows": st.just([{"days": ["mon"], "from": "09:00", "to": "18:00"}]),
        "stale_after_seconds": st.sampled_from([1, 60]),
        "max_audience_per_wave": st.integers(1, 2_000),
        "max_audience_per_hour": st.integers(1, 5_000),
        "notice_minutes": st.just(60),
        "exempt_traffic_classes": st.just(["service"]),
    },
)
moments = st.integers(-7_200, 7_200).map(lambda seconds: NOON + timedelta(seconds=seconds, microseconds=seconds))
spents = st.builds(Spent, st.integers(0, 3_000), st.integers(0, 3_000), st.none() | moments)
campaigns = st.builds(
    CampaignFacts,
    id=st.just("spring"),
    gate=st.sampled_from(["default", "other"]),
    audience=st.integers(1, 10_000),
    state=st.sampled_from(CampaignState),
    traffic_class=st.sampled_from(TrafficClass),
    announced_at=st.none() | moments,
    earliest_start=st.none() | moments,
    give_up_at=st.none() | moments,
    paused_by=st.none() | st.just("gate") | st.text(),
    missing_acknowledgements=st.none() | st.lists(st.text(), max_size=2).map(tuple),
    wave_limit=st.none() | st.integers(0, 500),
    spent=spents,
    sent=st.integers(0, 10_000),
)
overrides = st.builds(
    Override,
    id=st.uuids().map(str),
    gate=st.just("default"),
    effect=st.sampled_from(Effect),
    starts_at=moments,
    ends_at=moments,
    created_by=st.text(),
    comment=st.text(),
    created_at=moments,
    matchers=st.just(()) | st.just((Matcher("campaign", "spr.*", is_regex=True),)),
    even_without_data=st.booleans(),
)
requests = st.builds(
    Request, st.none() | st.integers(1, 10_000), st.booleans(), st.just("spring"), st.none() | campaigns
)
values = st.one_of(levels, broken)
asks = st.tuples(requests, spents, st.lists(overrides, max_size=3), moments)


def states(document, seconds, *, is_new=False):
    """Yield the gate's state at each second, as the evaluator publishes it."""
    policy, memory = parse_policy(document), GateMemory()
    for count, second in enumerate(seconds):
        now = NOON + timedelta(seconds=count)
        view = floor_of(second, now)
        decision, after = decide(view, policy, memory, now, is_new_policy=is_new)
        inputs = GateInputs(view, policy, memory, is_new_policy=is_new)
        yield GateState("default", policy, 1, decision, decision, (), Spent(), memory, is_new, inputs)
        memory = after


def again(kept, decided_at):
    return basis_of(kept, policy_of(kept), decided_at)


@given(documents, seconds_of(values, most=6), st.booleans())
def test_a_decision_made_again_is_the_same_decision(document, seconds, is_new):
    for state in states(document, seconds, is_new=is_new):
        kept = kept_of(state)
        assert is_whole(kept)
        assert again(kept, state.basis.at) == state.basis


@given(documents, seconds_of(values, most=1), asks)
def test_an_answer_given_again_is_the_same_answer(document, seconds, ask):
    asked, spent, laid_over, at = ask
    (state,) = states(document, seconds)
    state = state._replace(overrides=tuple(laid_over))
    kept, facts = kept_of(state), read_facts(facts_of(state, at, asked, spent))
    first = answer(state.basis, state.policy, asked, gate="default", overrides=laid_over, spent=spent, now=at)
    request = Request(asked.audience, asked.accept_partial, asked.campaign, facts.campaign)
    basis = again(kept, facts.decided_at)
    second = answer(
        basis, policy_of(kept), request, gate="default", overrides=facts.overrides, spent=facts.spent, now=at
    )
    assert second == first
