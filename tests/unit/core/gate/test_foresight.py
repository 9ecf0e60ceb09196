"""What a gate makes of its outlook: it holds, it waits for two good ones, and without a fresh one it knows nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.campaign.campaign import CampaignState
from app.core.floor.metric import Metric
from app.core.forecast.limits import OutlookLimits
from app.core.gate.answer import answer
from app.core.gate.ask import CampaignFacts, Request
from app.core.gate.decide import decide
from app.core.gate.decision import CheckStatus, GateMemory, ReasonCode, Verdict
from app.core.gate.foresight import (
    Elsewhere,
    Foresight,
    OutlookMemory,
    Portion,
    Predicted,
    Reinforcement,
    Room,
    Standing,
    judge,
)
from app.core.gate.override import Effect, Override
from app.core.gate.policy import parse_policy
from app.core.permit.permit import COUNTED, Spent
from tests.support.floors import NOON, backlog_floor

LIMITS = OutlookLimits(service_level_ratio=0.8)
POLICY = parse_policy(
    {
        "queues": ["*"],
        "rules": [{"metric": "backlog", "hold_above": 10}],
        "outlook": {"service_level_ratio": 0.8},
        "time_zone": "America/Chicago",
    }
)
FALLS = Predicted(
    Metric.SERVICE_LEVEL_RATIO,
    "orders",
    NOON + timedelta(minutes=15),
    NOON + timedelta(minutes=30),
    expected=0.712,
    limit=0.8,
    probability=0.34,
)
GOOD = Foresight(NOON, given=1_000, breach_probability=0.02, rooms=(("", Room(25_000, 10.0, FALLS)),))
BAD = replace(GOOD, breach_probability=0.34, breaks=FALLS)


def seconds(number: float):
    return NOON + timedelta(seconds=number)


def decided(foresight, at=0.0, memory=None):
    return decide(backlog_floor(3, at=seconds(at)), POLICY, memory or GateMemory(), seconds(at), foresight=foresight)


# --- how it stands ---


@pytest.mark.parametrize(
    ("foresight", "at", "standing"),
    [
        (None, 0, Standing.MISSING),
        (GOOD, 0, Standing.OPEN),
        (GOOD, 119, Standing.OPEN),
        (GOOD, 120, Standing.STALE),
        (GOOD, -4, Standing.OPEN),
        (GOOD, -6, Standing.STALE),
        (replace(GOOD, breach_probability=0.1), 0, Standing.OPEN),
        (BAD, 0, Standing.HOLDING),
        (replace(GOOD, breach_probability=float("nan")), 0, Standing.HOLDING),
        (replace(GOOD, unknown="nobody says how many agents are here"), 0, Standing.UNKNOWN),
    ],
)
def test_how_an_outlook_stands(foresight, at, standing):
    assert judge(LIMITS, foresight, None, seconds(at))[0] is standing


def test_it_closes_at_once_and_opens_with_the_second_good_outlook():
    standing, memory = judge(LIMITS, BAD, None, NOON)
    assert (standing, memory) == (Standing.HOLDING, OutlookMemory(NOON))
    first = replace(GOOD, at=seconds(30))
    for at in (30, 45):  # looked at twice, it is still one outlook
        standing, memory = judge(LIMITS, first, memory, seconds(at))
        assert (standing, memory) == (Standing.RECOVERING, OutlookMemory(NOON, seconds(30)))
    assert judge(LIMITS, replace(GOOD, at=seconds(60)), memory, seconds(60)) == (Standing.OPEN, None)


def test_a_bad_outlook_between_two_good_ones_begins_anew():
    remembered = OutlookMemory(NOON, seconds(30))
    assert judge(LIMITS, replace(BAD, at=seconds(60)), remembered, seconds(60)) == (
        Standing.HOLDING,
        OutlookMemory(NOON),
    )


@pytest.mark.parametrize("foresight", [None, GOOD, replace(GOOD, at=seconds(200), unknown="no history")])
def test_what_is_missing_old_or_unknown_ends_no_hold(foresight):
    _, memory = judge(LIMITS, foresight, OutlookMemory(NOON), seconds(200))
    assert memory == OutlookMemory(NOON)


# --- the gate ---


def test_a_limit_that_is_likely_to_break_anyway_holds():
    decision, memory = decided(BAD)
    assert (decision.verdict, memory.outlook) == (Verdict.HOLD, OutlookMemory(NOON))
    (reason,) = decision.reasons
    assert reason.code is ReasonCode.PREDICTED_SERVICE_LEVEL_LOW
    assert (reason.queue, reason.observed, reason.op, reason.limit) == ("orders", 0.712, ">=", 0.8)
    assert reason.message == (
        "orders: service level 71 % predicted from 06:15 to 06:30 (America/Chicago), limit 80 %; "
        "34 % chance that a limit breaks even if nothing is sent, 10 % accepted"
    )
    assert decision.checks[-1].status is CheckStatus.HOLDING


@pytest.mark.parametrize(
    ("foresight", "code", "message"),
    [
        (None, "data_outlook_missing", "there is no outlook for this policy yet"),
        (replace(GOOD, unknown="no history"), "data_outlook_missing", "the outlook is unknown: no history"),
        (replace(GOOD, at=seconds(-130)), "data_outlook_stale", "the outlook is 2 min 10 s old, limit 2 min"),
        (
            replace(GOOD, at=seconds(-31), good_for_seconds=30.4),
            "data_outlook_stale",
            "the outlook is 31 s old, limit 30 s, because the floor it started from was older",
        ),
    ],
)
def test_without_an_outlook_that_can_be_relied_on_the_gate_is_unknown(foresight, code, message):
    decision, _ = decided(foresight)
    assert (decision.verdict, decision.reasons[0].code, decision.reasons[0].message) == (Verdict.UNKNOWN, code, message)
    asked = answer(decision, POLICY, Request(1), gate="default", now=NOON, foresight=foresight)
    assert (asked.verdict, asked.allow) == (Verdict.UNKNOWN, 0)


def test_a_go_ends_when_its_outlook_is_too_old():
    decision, _ = decided(replace(GOOD, at=seconds(-100)))
    assert decision.verdict is Verdict.SEND
    assert decision.valid_until == seconds(20)


def test_a_policy_without_an_outlook_looks_at_none():
    plain = parse_policy({"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]})
    decision, memory = decide(backlog_floor(3), plain, GateMemory(outlook=OutlookMemory(NOON)), NOON, foresight=BAD)
    assert (decision.verdict, memory.outlook) == (Verdict.SEND, None)
    asked = answer(decision, plain, Request(10**9), gate="default", now=NOON, foresight=BAD)
    assert asked.verdict is Verdict.SEND


# --- how much ---


def asked(audience, *, foresight=GOOD, given=1_000, overrides=(), facts=None, spent=None):
    decision, _ = decided(foresight)
    return answer(
        decision,
        POLICY,
        Request(audience, facts=facts),
        gate="default",
        overrides=overrides,
        spent=spent or Spent(given=given),
        now=NOON,
        foresight=foresight,
    )


def test_what_was_found_safe_may_go_and_no_more():
    assert (asked(25_000).verdict, asked(25_000).allow) == (Verdict.SEND, 25_000)
    answered = asked(25_001)
    assert (answered.verdict, answered.allow) == (Verdict.THROTTLE, 25_000)
    assert answered.reasons[0].code is ReasonCode.PREDICTED_SERVICE_LEVEL_LOW


def test_without_a_number_it_says_how_many_may_go():
    assert (asked(None).verdict, asked(None).allow) == (Verdict.SEND, 25_000)


def test_the_answer_says_when_the_rest_may_go_and_what_agents_would_change():
    room = Room(
        25_000,
        10.0,
        FALLS,
        next_portions=(Portion(NOON + timedelta(minutes=20), 8_000),),
        reinforcements=(Reinforcement(2, 40_000), Reinforcement(8, 90_000)),
    )
    answered = asked(80_000, foresight=replace(GOOD, rooms=(("", room),)))
    assert answered.reasons[0].message == (
        "more than 25,000 now would break a limit: orders: service level 71 % predicted from 06:15 to 06:30 "
        "(America/Chicago), limit 80 %; 8,000 may go from 06:20 (America/Chicago); "
        "8 more agents would make 80,000 safe now"
    )
    assert answered.retry_at == NOON + timedelta(minutes=15)  # outlooks change: nobody waits longer without asking


@pytest.mark.parametrize(
    ("audience", "said"),
    [
        (33_000, "; the rest may go from 06:20 (America/Chicago); 1 more agent would make 33,000 safe now"),
        (35_000, "; 8,000 may go from 06:20 (America/Chicago), the last of the rest from 06:40 (America/Chicago); "),
        (90_000, "8,000 may go from 06:20 (America/Chicago), 10,000 in parts up to 06:40 (America/Chicago); "),
        (90_000, "; even 8 more agents would make no more than 60,000 safe now"),
    ],
)
def test_the_rest_is_told_in_parts_and_by_whom_it_could_be_handled(audience, said):
    past, first, last = (Portion(NOON + timedelta(minutes=at), size) for at, size in ((0, 9), (20, 8_000), (40, 2_000)))
    room = Room(
        25_000,
        10.0,
        FALLS,
        next_portions=(past, first, last),
        reinforcements=(Reinforcement(1, 33_000), Reinforcement(8, 60_000)),
    )
    assert said in asked(audience, foresight=replace(GOOD, rooms=(("", room),))).reasons[0].message


def test_what_was_given_since_the_outlook_was_made_is_charged():
    assert asked(30_000, given=11_000).allow == 15_000
    assert asked(30_000, given=500).allow == 25_000  # what came back since is free with the next outlook
    held = asked(1, given=26_000)
    assert (held.verdict, held.allow) == (Verdict.HOLD, 0)


def test_what_was_given_since_is_charged_at_the_highest_contact_rate_known():
    rooms = (("", Room(25_000, 10.0, FALLS)), ("quiet", Room(100_000, 2.0, FALLS)), ("angry", Room(5_000, 30.0)))
    foresight = replace(GOOD, rooms=rooms)
    assert asked(30_000, foresight=foresight, given=2_000).allow == 22_000
    assert foresight.room("unheard-of") == rooms[0][1]


def test_an_outlook_that_reckoned_with_no_mail_lets_none_go():
    held = asked(1, foresight=replace(GOOD, rooms=()))
    assert (held.verdict, held.allow) == (Verdict.HOLD, 0)


def test_an_override_that_allows_lifts_what_the_outlook_says():
    allowing = Override("o", "default", Effect.ALLOW, NOON, seconds(600), "Ann", "more agents on their way", NOON)
    lifted = asked(80_000, overrides=(allowing,))
    assert (lifted.verdict, lifted.allow, lifted.override) == (Verdict.SEND, 80_000, allowing)
    anyway = asked(80_000, foresight=BAD, overrides=(allowing,))
    assert (anyway.verdict, anyway.override) == (Verdict.SEND, allowing)
    blind = asked(80_000, foresight=replace(GOOD, rooms=()), overrides=(allowing,))
    assert (blind.verdict, blind.allow) == (Verdict.HOLD, 0)


def test_what_was_given_since_is_charged_as_mail_of_whoever_has_the_least_room_by_a_limit():
    """The same mean contacts, but less is known of one: then fewer of it are safe, and each of them weighs more."""
    rooms = (("", Room(10_000, 10.0, FALLS)), ("known", Room(25_000, 10.0, FALLS)), ("few", Room(40, 10.0)))
    foresight = replace(GOOD, rooms=rooms)
    known = CampaignFacts("known", "default", 10**6, CampaignState.RELEASING)
    assert asked(30_000, foresight=foresight, facts=known, given=9_000).allow == 5_000  # 8,000 as good as 20,000
    assert asked(30_000, foresight=foresight, given=9_000).allow == 2_000


def test_nothing_is_left_for_a_campaign_that_the_outlook_does_not_know():
    announced = CampaignFacts("angry", "default", 10**6, CampaignState.RELEASING)
    held = asked(1, facts=announced)
    assert (held.verdict, held.allow, held.reasons[0].code) == (Verdict.HOLD, 0, ReasonCode.DATA_OUTLOOK_MISSING)
    assert held.reasons[0].message == "the outlook does not reckon with campaign 'angry' yet"
    allowing = Override("o", "default", Effect.ALLOW, NOON, seconds(600), "Ann", "more agents on their way", NOON)
    assert asked(1, facts=announced, overrides=(allowing,)).verdict is Verdict.HOLD


def test_what_was_given_already_needs_no_room_once_more():
    full = replace(GOOD, rooms=(("", Room(0, 10.0, FALLS)),))
    assert asked(1, foresight=full).verdict is Verdict.HOLD
    assert asked(1, foresight=full, spent=COUNTED).verdict is Verdict.SEND
    assert asked(1, foresight=BAD, spent=COUNTED).verdict is Verdict.HOLD
    assert asked(1, foresight=None, spent=COUNTED).verdict is Verdict.UNKNOWN


def test_what_went_through_other_gates_since_is_charged_at_their_highest_contact_rate():
    foresight = replace(GOOD, elsewhere=Elsewhere(500, 30.0))
    assert asked(30_000, foresight=foresight, spent=Spent(given=1_100, given_elsewhere=1_500)).allow == 21_900
    assert asked(30_000, spent=Spent(given=1_100, given_elsewhere=1_500)).allow == 24_900  # comes to other queues
