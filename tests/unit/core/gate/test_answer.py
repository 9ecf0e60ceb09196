"""What one caller is told, said in examples; tests/property/test_gate_answer.py has what always holds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.campaign.campaign import CampaignState, TrafficClass
from app.core.gate.answer import CampaignFacts, Request, answer
from app.core.gate.decision import Decision, Reason, ReasonCode, Verdict
from app.core.gate.override import Effect, Matcher, Override
from app.core.gate.policy import Mode, parse_policy
from app.core.permit.permit import Spent
from tests.support.floors import NOON

HIGH = Reason(ReasonCode.BACKLOG_HIGH, "orders: 14 waiting, limit 10", binding=True)
STALE = Reason(ReasonCode.DATA_STALE, "orders: backlog is 3 min old, limit 2 min")
SPRING = CampaignFacts(
    "spring",
    "default",
    1000,
    CampaignState.RELEASING,
    announced_at=NOON - timedelta(hours=5),
    missing_acknowledgements=(),
)


def minutes(number: float):
    return NOON + timedelta(minutes=number)


def a_decision(verdict=Verdict.SEND, *reasons, retry_in=None):
    retry_at = None if retry_in is None else NOON + timedelta(seconds=retry_in)
    return Decision(verdict, NOON, NOON, reasons, (), Mode.ENFORCE, NOON, minutes(0.5), retry_at, None)


OPEN = a_decision()
HELD = a_decision(Verdict.HOLD, HIGH, retry_in=240)


def a_policy(**members):
    return parse_policy({"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}], **members})


def an_override(effect=Effect.HOLD, **changes):
    override = Override("ovr_1", "default", effect, minutes(-5), minutes(60), "Ann", "phones are down", minutes(-5))
    return replace(override, **changes)


def told(decision=OPEN, request=None, *overrides, policy=None, given_away=None, **facts):
    request = request or Request(500, campaign="spring", facts=replace(SPRING, **facts))
    policy = policy or a_policy()
    return answer(decision, policy, request, gate="default", overrides=overrides, spent=given_away or Spent(), now=NOON)


def said(answered):
    """Return (verdict, allow, code and message of the binding reason, minutes until it is worth asking again)."""
    reason = answered.reasons[0]
    wait = None if answered.retry_at is None else (answered.retry_at - NOON) / timedelta(minutes=1)
    return answered.verdict, answered.allow, reason.code, reason.message, wait


# --- the campaign itself ---


@pytest.mark.parametrize(
    ("facts", "code", "message", "wait"),
    [
        (
            {"gate": "eu"},
            "campaign_of_other_gate",
            "campaign 'spring' goes through gate 'eu', not 'default'; ask that one",
            60,
        ),
        (
            {"state": CampaignState.GAVE_UP},
            "campaign_ended",
            "campaign 'spring' has ended (gave up); nothing more of it may go",
            60,
        ),
        (
            {"give_up_at": NOON},
            "campaign_ended",
            "campaign 'spring' was to be given up at 12:00 (UTC); nothing more may go",
            60,
        ),
        (
            {"state": CampaignState.PAUSED, "paused_by": "Bob"},
            "campaign_paused",
            "campaign 'spring' was paused by Bob; somebody has to resume it",
            1,
        ),
        ({"state": CampaignState.DRAFT}, "campaign_not_started", "campaign 'spring' is a draft; schedule it first", 1),
        (
            {"earliest_start": minutes(90)},
            "campaign_not_started",
            "campaign 'spring' may not begin before 13:30 (UTC)",
            90,
        ),
        (
            {"awaits_start": True},
            "campaign_not_started",
            "campaign 'spring' is released by hand, and nobody has started it yet",
            1,
        ),
    ],
)
def test_a_campaign_that_may_not_send_is_held_whoever_allows_it(facts, code, message, wait):
    for overrides in ((), (an_override(Effect.ALLOW, even_without_data=True),)):
        assert said(told(OPEN, None, *overrides, **facts)) == (Verdict.HOLD, 0, code, message, wait)


def test_a_campaign_that_its_gate_paused_goes_on_when_the_gate_is_open():
    assert told(state=CampaignState.PAUSED, paused_by="gate").verdict is Verdict.SEND


def test_who_waits_for_the_campaign_and_the_gate_waits_for_the_later_one():
    answered = told(HELD, state=CampaignState.DRAFT)
    assert said(answered)[4] == 4
    assert [(reason.code, reason.binding) for reason in answered.reasons] == [
        ("campaign_not_started", True),
        ("backlog_high", False),
    ]


# --- notice and briefing ---


def test_a_campaign_announced_too_late_waits_until_its_notice_is_over():
    policy = a_policy(notice_minutes=240)
    answered = told(policy=policy, announced_at=minutes(-60))
    message = (
        "this gate wants 4 h of notice; campaign 'spring' was announced at 11:00 (UTC), "
        "so it may go from 15:00 (UTC) on"
    )
    assert said(answered) == (Verdict.HOLD, 0, "notice_too_short", message, 180)
    assert told(policy=policy, announced_at=minutes(-240)).verdict is Verdict.SEND


@pytest.mark.parametrize(
    ("request_", "hint"),
    [
        (Request(), "name the campaign in `campaign`; if there is none, make it and schedule it"),
        (Request(500), "name the campaign in `campaign`; if there is none, make it and schedule it"),
        (Request(500, campaign="sprnig"), "there is no campaign 'sprnig': make it and schedule it"),
        (
            Request(500, campaign="spring", facts=replace(SPRING, announced_at=None)),
            "campaign 'spring' has none: schedule it",
        ),
    ],
)
def test_what_was_announced_to_nobody_is_held_where_notice_is_wanted(request_, hint):
    answered = told(OPEN, request_, policy=a_policy(notice_minutes=240))
    assert said(answered) == (*(Verdict.HOLD, 0, "notice_too_short", f"this gate wants 4 h of notice; {hint}", 240),)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (None, "this gate wants an acknowledged briefing; campaign 'spring' has none: write its briefing"),
        (("orders", "billing"), "the briefing of campaign 'spring' has not been acknowledged yet by orders, billing"),
    ],
)
def test_a_briefing_that_nobody_acknowledged_holds_where_one_is_required(missing, message):
    answered = told(policy=a_policy(briefing="required"), missing_acknowledgements=missing)
    assert said(answered) == (Verdict.HOLD, 0, "briefing_not_acknowledged", message, 1)


def test_what_was_not_told_comes_after_what_the_gate_holds_for():
    answered = told(HELD, Request(500), policy=a_policy(notice_minutes=240, briefing="required"))
    codes = ["backlog_high", "notice_too_short", "briefing_not_acknowledged"]
    assert [reason.code for reason in answered.reasons] == codes
    assert said(answered)[4] == 240


# --- overrides ---


def test_a_hold_says_who_why_and_until_when():
    answered = told(OPEN, None, an_override())
    message = "held by Ann until 13:00 (UTC): phones are down"
    assert said(answered) == (Verdict.HOLD, 0, "override_hold", message, 5)
    assert answered.override == an_override()


def test_an_instant_is_told_in_the_policys_own_zone():
    policy = a_policy(time_zone="America/Chicago")
    assert "until 07:00 (America/Chicago)" in told(OPEN, None, an_override(), policy=policy).reasons[0].message


def test_a_hold_that_ends_soon_is_asked_about_when_it_ends():
    assert said(told(OPEN, None, an_override(ends_at=minutes(2))))[4] == 2


def test_an_allow_lifts_what_the_gate_and_the_notice_hold_for():
    policy = a_policy(notice_minutes=600, briefing="required")
    allow = an_override(Effect.ALLOW)
    answered = told(HELD, None, allow, policy=policy, missing_acknowledgements=("orders",))
    assert (answered.verdict, answered.allow, answered.override) == (Verdict.SEND, 500, allow)
    assert [(reason.code, reason.binding) for reason in answered.reasons] == [
        ("override_allow", True),
        ("backlog_high", False),
        ("notice_too_short", False),
        ("briefing_not_acknowledged", False),
    ]


def test_an_allow_that_nothing_needed_took_no_part():
    answered = told(OPEN, None, an_override(Effect.ALLOW))
    assert (answered.verdict, answered.override, answered.reasons) == (Verdict.SEND, None, ())


@pytest.mark.parametrize("decision", [a_decision(Verdict.UNKNOWN, STALE), a_decision(Verdict.HOLD, HIGH, STALE)])
def test_missing_data_even_beside_a_known_hold_takes_an_allow_that_says_so(decision):
    allow = an_override(Effect.ALLOW)
    assert told(decision, None, allow).verdict is decision.verdict
    assert told(decision, None, replace(allow, even_without_data=True)).verdict is Verdict.SEND
    both = (replace(allow, even_without_data=True, ends_at=minutes(1)), replace(allow, id="ovr_2"))
    assert told(decision, None, *both).override is both[0]


def test_a_hold_goes_before_an_allow():
    overrides = (an_override(Effect.ALLOW, id="ovr_2", ends_at=minutes(120)), an_override())
    assert told(HELD, None, *overrides).override is overrides[1]


def test_of_several_holds_the_one_that_ends_last_is_told():
    overrides = (an_override(id="ovr_2", ends_at=minutes(120)), an_override())
    assert told(HELD, None, *overrides).override is overrides[0]


@pytest.mark.parametrize(("at", "applies"), [(-5.1, False), (-5, True), (59.9, True), (60, False)])
def test_an_override_applies_from_its_start_until_before_its_end(at, applies):
    assert an_override().applies({}, minutes(at)) is applies


@pytest.mark.parametrize(
    ("matcher", "campaigns"),
    [
        (Matcher("campaign", "spring"), ["spring"]),
        (Matcher("campaign", "spr.*", is_regex=True), ["spring", "sprint"]),
        (Matcher("campaign", "spr", is_regex=True), []),
        (Matcher("campaign", "spring", is_equal=False), ["sprint", None]),
        (Matcher("traffic_class", "promotional"), ["spring", "sprint", None]),
    ],
)
def test_matchers_say_whom_it_concerns_and_mail_of_no_known_class_is_promotional(matcher, campaigns):
    asked = (Request(campaign=name, facts=SPRING if name == "spring" else None) for name in ("spring", "sprint", None))
    held = [
        each.campaign for each in asked if told(OPEN, each, an_override(matchers=(matcher,))).verdict is Verdict.HOLD
    ]
    assert held == campaigns


# --- traffic classes ---


def test_an_exempt_class_goes_whatever_the_gate_says_as_far_as_its_audience_reaches():
    policy = a_policy(exempt_traffic_classes=["service"], max_audience_per_wave=10, notice_minutes=600)
    service = {"traffic_class": TrafficClass.SERVICE}
    message = "campaign 'spring' is service mail, which this gate does not hold"
    assert said(told(HELD, policy=policy, **service)) == (Verdict.SEND, 500, "exempt_traffic_class", message, None)
    assert told(HELD, policy=policy, sent=900, **service).allow == 100
    assert told(HELD, policy=policy).verdict is Verdict.HOLD
    assert told(HELD, None, an_override(), policy=policy, **service).verdict is Verdict.HOLD
    assert told(HELD, policy=policy, state=CampaignState.CANCELLED, **service).verdict is Verdict.HOLD


# --- caps ---


@pytest.mark.parametrize(
    ("caps", "spent", "facts", "told_"),
    [
        (
            {"max_audience_per_wave": 400},
            Spent(),
            {},
            (Verdict.THROTTLE, 400, "audience_above_wave_limit", "the policy allows 400 at once", 1),
        ),
        (
            {"max_audience_per_hour": 1500},
            Spent(300, 800, minutes(12)),
            {},
            (
                *(Verdict.THROTTLE, 400, "headroom_spent"),
                *("the policy allows 1,500 in an hour; 1,100 are given away, 400 are left", 12),
            ),
        ),
        (
            {"max_audience_per_hour": 1500},
            Spent(700, 800),
            {},
            (
                *(Verdict.HOLD, 0, "headroom_spent"),
                *("the policy allows 1,500 in an hour; 1,500 are given away, 0 are left", 1),
            ),
        ),
        (
            {},
            Spent(),
            {"sent": 600, "spent": Spent(300, 600, minutes(30))},
            (
                *(Verdict.THROTTLE, 100, "campaign_audience_spent"),
                *("100 of the 1,000 people of campaign 'spring' are left", 30),
            ),
        ),
        (
            {"max_audience_per_wave": 400},
            Spent(),
            {"wave_limit": 50},
            (
                *(Verdict.THROTTLE, 50, "campaign_probing"),
                *("a wave of campaign 'spring' may have 50 people, to see first what it does", 1),
            ),
        ),
        (
            {},
            Spent(),
            {"wave_limit": 50, "spent": Spent(30)},
            (
                *(Verdict.THROTTLE, 20, "campaign_probing"),
                "a wave of campaign 'spring' may have 50 people, to see first what it does; 30 are given away",
                1,
            ),
        ),
    ],
)
def test_what_may_go_is_cut_to_what_the_tightest_cap_leaves(caps, spent, facts, told_):
    assert said(told(policy=a_policy(**caps), given_away=spent, **facts)) == told_


def test_a_cap_binds_also_what_an_override_allows():
    answered = told(HELD, None, an_override(Effect.ALLOW), policy=a_policy(max_audience_per_wave=400))
    assert (answered.verdict, answered.allow) == (Verdict.THROTTLE, 400)
    codes = ["audience_above_wave_limit", "override_allow", "backlog_high"]
    assert [reason.code for reason in answered.reasons] == codes


def test_an_ask_about_no_number_is_told_how_many_could_go():
    assert told(OPEN, Request()).allow is None
    assert told(OPEN, Request(), policy=a_policy(max_audience_per_wave=400)).allow == 400


# --- what nobody overrides ---


@pytest.mark.parametrize("code", [ReasonCode.DATA_STARTING, ReasonCode.DATA_EVALUATION_LATE])
def test_what_was_not_evaluated_is_unknown_even_for_exempt_mail(code):
    late = a_decision(Verdict.UNKNOWN, Reason(code, "too old", binding=True), retry_in=15)
    policy = a_policy(exempt_traffic_classes=["promotional"])
    answered = told(late, None, an_override(Effect.ALLOW, even_without_data=True), policy=policy)
    assert said(answered) == (Verdict.UNKNOWN, 0, code, "too old", 0.25)


def test_without_a_policy_no_allow_counts_because_nobody_knows_the_caps():
    nothing = a_decision(Verdict.UNKNOWN, Reason(ReasonCode.DATA_NO_POLICY, "no policy", binding=True), retry_in=30)
    allow = an_override(Effect.ALLOW, even_without_data=True)
    answered = answer(nothing, None, Request(5), gate="default", overrides=[allow], now=NOON)
    assert (answered.verdict, answered.allow, answered.override) == (Verdict.UNKNOWN, 0, None)
