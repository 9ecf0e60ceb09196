"""What holds for an answer whoever asks, whatever people said and whatever was given away."""

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from app.core.campaign.campaign import ENDED, CampaignState, TrafficClass
from app.core.gate.answer import Answered, CampaignFacts, Request, answer
from app.core.gate.decision import Decision, Reason, ReasonCode, Verdict
from app.core.gate.headroom import headroom
from app.core.gate.overlay import lay_over
from app.core.gate.override import Effect, Matcher, Override
from app.core.gate.policy import Mode, Policy, parse_policy
from app.core.permit.permit import Spent
from tests.support.floors import NOON

GO = {Verdict.SEND, Verdict.THROTTLE}
UNSURE = {ReasonCode.DATA_STARTING, ReasonCode.DATA_EVALUATION_LATE}
KNOWN = [ReasonCode.BACKLOG_HIGH, ReasonCode.OUTSIDE_SEND_WINDOW]
DATA = [ReasonCode.DATA_STALE, ReasonCode.DATA_MISSING, ReasonCode.DATA_NO_QUEUES]
BASE = parse_policy({"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]})

counts = st.integers(0, 1000)
instants = st.integers(-90, 90).map(lambda minutes: NOON + timedelta(minutes=minutes))
maybe = st.none() | st.integers(1, 1000) | st.integers(200, 1000)


def a_decision(verdict: Verdict, codes: list[ReasonCode]) -> Decision:
    reasons = tuple(Reason(code, code.value, binding=index == 0) for index, code in enumerate(codes))
    retry_at = None if verdict is Verdict.SEND else NOON + timedelta(seconds=30)
    return Decision(verdict, NOON, NOON, reasons, (), Mode.ENFORCE, NOON, NOON + timedelta(seconds=30), retry_at, None)


holds = st.tuples(st.sampled_from(KNOWN), st.lists(st.sampled_from(KNOWN + DATA), max_size=2)).map(
    lambda codes: a_decision(Verdict.HOLD, [codes[0], *codes[1]])
)
blinds = st.lists(st.sampled_from(DATA), min_size=1, max_size=2).map(lambda codes: a_decision(Verdict.UNKNOWN, codes))
unsure = st.sampled_from(sorted(UNSURE)).map(lambda code: a_decision(Verdict.UNKNOWN, [code]))
shut = holds | blinds
decisions = st.just(a_decision(Verdict.SEND, [])) | shut | unsure

policies = st.builds(
    replace,
    st.just(BASE),
    max_audience_per_wave=maybe,
    max_audience_per_hour=maybe,
    notice_minutes=st.sampled_from([0.0, 0.0, 30.0]),
    briefing_required=st.sampled_from([False, False, True]),
    exempt_traffic_classes=st.sampled_from([frozenset(), frozenset({TrafficClass.SERVICE})]),
)
seldom = st.sampled_from([None, None, None, -60, 60]).map(lambda m: None if m is None else NOON + timedelta(minutes=m))
spents = st.builds(Spent, st.integers(0, 200), st.integers(0, 200), st.none() | instants)
facts = st.builds(
    CampaignFacts,
    id=st.sampled_from(["spring", "summer"]),
    gate=st.sampled_from(["default"] * 7 + ["other"]),
    audience=st.integers(1, 1000),
    state=st.sampled_from([CampaignState.RELEASING] * 12 + list(CampaignState)),
    traffic_class=st.sampled_from(list(TrafficClass)),
    announced_at=instants | st.none(),
    earliest_start=seldom,
    give_up_at=seldom,
    paused_by=st.sampled_from([None, "gate", "ann"]),
    missing_acknowledgements=st.sampled_from([None, (), (), ("orders",)]),
    wave_limit=st.none() | counts,
    spent=st.builds(Spent, st.integers(0, 50)),
    sent=st.integers(0, 50),
    awaits_start=st.sampled_from([False, False, False, True]),
)


@st.composite
def requests(draw: st.DrawFn, knowing: st.SearchStrategy[CampaignFacts | None] | None = None) -> Request:
    known = draw(st.none() | facts if knowing is None else knowing)
    name = known.id if known else draw(st.sampled_from([None, "spring", "autumn"]))
    return Request(draw(maybe), draw(st.booleans()), name, known)


matchers = st.builds(
    Matcher,
    st.sampled_from(["campaign", "traffic_class"]),
    st.sampled_from(["spring", "summer", "service", "promotional", "s.*"]),
    st.booleans(),
    st.booleans(),
)


@st.composite
def overrides(draw: st.DrawFn, effect: Effect | None = None) -> Override:
    starts_at = NOON + timedelta(minutes=draw(st.integers(-60, 10)))
    return Override(
        id=f"ovr_{draw(counts)}",
        gate="default",
        effect=effect or draw(st.sampled_from(list(Effect))),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=draw(st.integers(1, 90))),
        created_by="Ann",
        comment="because",
        created_at=NOON,
        matchers=draw(st.just(()) | st.lists(matchers, max_size=2).map(tuple)),
        even_without_data=draw(st.booleans()),
    )


some_overrides = st.lists(overrides(), max_size=2)


class Case(NamedTuple):
    """All that an answer is made from."""

    decision: Decision
    policy: Policy | None
    request: Request
    overrides: list[Override]
    spent: Spent

    def told(self, *more: Override) -> Answered:
        given = [*self.overrides, *more]
        return answer(
            self.decision, self.policy, self.request, gate="default", overrides=given, spent=self.spent, now=NOON
        )

    @property
    def is_exempt(self) -> bool:
        exempt = self.policy.exempt_traffic_classes if self.policy else frozenset()
        return self.request.facts is not None and self.request.facts.traffic_class in exempt

    def allows(self, answered: Answered) -> bool:
        """Tell whether the answer goes by an override that allows and applies."""
        override = answered.override
        return override is not None and override.effect is Effect.ALLOW and override.applies(self.request.labels, NOON)


def cases(
    decided: st.SearchStrategy[Decision] = decisions,
    policy: st.SearchStrategy[Policy | None] = policies,
    request: st.SearchStrategy[Request] | None = None,
) -> st.SearchStrategy[Case]:
    return st.builds(Case, decided, policy, requests() if request is None else request, some_overrides, spents)


# --- who may turn a no into a go ---


@given(cases(shut | unsure, st.none() | policies))
def test_a_gate_that_is_not_open_lets_nothing_go_but_by_an_allow_or_an_exemption(case):
    answered = case.told()
    assert answered.verdict not in GO or case.is_exempt or case.allows(answered)


@given(cases(decisions, st.none() | policies), overrides(Effect.HOLD))
def test_an_override_that_holds_always_holds(case, hold):
    now_for_all = replace(hold, starts_at=NOON - timedelta(minutes=1), ends_at=NOON + timedelta(minutes=1), matchers=())
    answered = case.told(now_for_all)
    assert answered.verdict not in GO
    assert answered.allow == 0


@given(cases(shut))
def test_missing_data_is_lifted_only_by_an_allow_that_says_so(case):
    answered = case.told()
    if answered.verdict in GO and not case.is_exempt and any(r.code.is_data for r in case.decision.reasons):
        assert answered.override is not None
        assert answered.override.even_without_data


@given(cases(unsure, st.none() | policies))
def test_what_was_not_evaluated_is_unknown_whatever_anybody_said(case):
    assert case.told().verdict is Verdict.UNKNOWN
    assert lay_over(case.decision, case.policy, case.overrides, NOON) is case.decision


@given(cases(shut, st.none()))
def test_without_a_policy_nothing_goes(case):
    assert case.told().verdict not in GO


@given(cases(request=requests(facts)))
def test_no_override_and_no_exemption_moves_a_campaign_that_may_not_go(case):
    known = case.request.facts
    may_not = (
        known.gate != "default"
        or known.state in ENDED | {CampaignState.DRAFT}
        or (known.state is CampaignState.PAUSED and known.paused_by != "gate")
        or (known.give_up_at is not None and known.give_up_at <= NOON)
        or (known.earliest_start is not None and known.earliest_start > NOON)
        or known.awaits_start
    )
    assert not may_not or case.told().verdict not in GO


@given(cases())
def test_nothing_goes_that_the_contact_center_was_not_told_but_by_an_allow_or_an_exemption(case):
    policy, known = case.policy, case.request.facts
    notice = timedelta(minutes=policy.notice_minutes)
    in_time = known is not None and known.announced_at is not None and known.announced_at + notice <= NOON
    briefed = known is not None and known.missing_acknowledgements == ()
    answered = case.told()
    if (policy.notice_minutes and not in_time) or (policy.briefing_required and not briefed):
        assert answered.verdict not in GO or case.is_exempt or case.allows(answered)


# --- how many ---


@given(cases())
def test_no_more_is_allowed_than_was_asked_for_and_than_every_cap_leaves(case):
    answered, known, audience = case.told(), case.request.facts, case.request.audience
    caps = [audience, None if case.is_exempt else headroom(case.policy, case.spent).left]
    if known is not None:
        out = known.spent.outstanding
        probe = None if known.wave_limit is None else max(0, known.wave_limit - out)
        caps += [max(0, known.audience - known.sent - out), probe]
    tightest = min((cap for cap in caps if cap is not None), default=None)
    if answered.verdict in GO:
        assert answered.allow == tightest != 0
        is_part = audience is not None and answered.allow != audience
        assert (answered.verdict is Verdict.THROTTLE) is is_part
    else:
        assert answered.allow == 0


@given(cases(), counts, counts)
def test_the_more_is_given_away_the_less_is_allowed(case, more_out, more_sent):
    spent = case.spent
    more_spent = Spent(spent.outstanding + more_out, spent.sent_last_hour + more_sent, spent.frees_at)
    less, more = case.told(), case._replace(spent=more_spent).told()
    if less.allow is not None:
        assert more.allow is not None
        assert more.allow <= less.allow
    if less.verdict not in GO:
        assert more.verdict not in GO


# --- how it is said ---


@given(cases(decisions, st.none() | policies))
def test_every_no_has_reasons_of_which_the_first_binds_and_a_time_to_ask_again(case):
    answered = case.told()
    assert answered.verdict is Verdict.SEND or answered.reasons
    assert (answered.verdict is Verdict.SEND) is (answered.retry_at is None)
    assert answered.retry_at is None or answered.retry_at > NOON
    assert [index for index, reason in enumerate(answered.reasons) if reason.binding] == (
        [0] if answered.reasons else []
    )


@given(decisions, some_overrides)
def test_what_everybody_is_told_is_what_an_ask_about_nobody_is_answered(decision, given):
    for_all = [each for each in given if not each.matchers]
    everybody = lay_over(decision, BASE, given, NOON)
    asked = Case(decision, BASE, Request(), for_all, Spent()).told()
    assert (everybody.verdict, everybody.reasons) == (asked.verdict, asked.reasons)
