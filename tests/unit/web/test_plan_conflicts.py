"""What is in the way of a send: each rule of the gate, and each claim of others, as a sentence with a way out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.core.campaign.briefing import Briefing
from app.core.campaign.campaign import Campaign, CampaignState
from app.core.gate.override import Effect, Matcher, Override
from app.core.gate.policy import Policy, parse_policy
from app.core.permit.permit import Permit, PermitState
from app.web.format import THIN
from app.web.outlook.words import Reader
from app.web.plan.conflicts import Asked, Conflict, conflicts
from app.web.plan.others import OtherCampaign, Others

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)  # Monday 09:00 in Chicago
HOUR = timedelta(hours=1)
S = CampaignState
READER = Reader(NOW, CHICAGO, {"orders-voice": "Orders"})
SPRING = Campaign(
    "spring", "Spring sale", "default", 1_000, "Kim", NOW - HOUR, state=S.SCHEDULED, announced_at=NOW - HOUR
)
AUTUMN = replace(SPRING, id="autumn", title="Autumn news")
PERMIT = Permit("prm_1", "default", None, "k", "d", 500, 500, PermitState.ACTIVE, NOW, NOW + HOUR, sent=100)


def policy(**members: object) -> Policy:
    rules = [{"metric": "backlog", "hold_above": 10}]
    return parse_policy({"queues": ["*"], "rules": rules, "time_zone": "America/Chicago"} | members)


def found(others: Others | None = None, **changes: Any) -> list[Conflict]:
    asked = Asked(
        gate="default",
        policy=policy(),
        overrides=(),
        campaign=None,
        briefing=None,
        audience=500,
        start_at=NOW,
        reader=READER,
        plan_for=lambda at: f"/plan?start={at:%d-%H:%M}",
    )
    return list(conflicts(replace(asked, **changes), others or Others()))


def said(*args: Any, **changes: Any) -> list[tuple[str, str]]:
    return [(each.state, each.sentence.replace(THIN, " ")) for each in found(*args, **changes)]


def other(campaign: Campaign = AUTUMN, starts: datetime = NOW, ends: datetime = NOW + HOUR) -> OtherCampaign:
    return OtherCampaign(campaign, 800, starts, ends, ("orders-voice",))


def test_where_no_rule_and_nobody_speaks_against_it_nothing_is_in_the_way():
    assert found() == []


# --- rules ------------------------------------------------------------------------------------------------------------


def test_closed_send_windows_say_when_they_open_and_lead_to_a_plan_for_then():
    windows = [{"days": ["tue"], "from": "09:00", "to": "18:00"}]
    (one,) = found(policy=policy(send_windows=windows))
    assert (one.state, one.sentence) == (
        "hold",
        "Mon 23 Nov 09:00 lies outside the gate's send windows; they open Tue 24 Nov 09:00.",
    )
    assert one.links == (("Plan it for Tue 24 Nov 09:00", "/plan?start=24-15:00"),)
    assert found(policy=policy(send_windows=windows), start_at=NOW + 24 * HOUR) == []


@pytest.mark.parametrize(
    ("campaign", "start_at", "expected"),
    [
        (None, NOW, ("hold", "The gate wants 4 h of notice: announced now, it may go from Mon 23 Nov 13:00 on.")),
        (None, NOW + 6 * HOUR, ("none", "The gate wants 4 h of notice: announce it by Mon 23 Nov 11:00.")),
        (
            SPRING,
            NOW,
            (
                "hold",
                "The gate wants 4 h of notice; announced Mon 23 Nov 08:00, it may go from Mon 23 Nov 12:00 on.",
            ),
        ),
    ],
)
def test_notice_that_is_not_kept_says_from_when_on_it_is(campaign, start_at, expected):
    assert said(policy=policy(notice_minutes=240), campaign=campaign, start_at=start_at) == [expected]


def test_notice_that_is_kept_is_no_conflict():
    assert found(policy=policy(notice_minutes=240), campaign=SPRING, start_at=NOW + 3 * HOUR) == []


def test_a_missing_briefing_holds_it_and_leads_there():
    wanted = policy(briefing="required")
    assert said(policy=wanted)[0][1].startswith(
        "The gate wants a briefing read before anything goes: make it a campaign"
    )
    (one,) = found(policy=wanted, campaign=SPRING)
    assert one.links == (("Briefing", "/campaigns/spring/briefing"),)
    unread = Briefing("spring", "x", "y", (), (), ("orders",), "Kim", NOW)
    assert "orders has not acknowledged it yet" in said(policy=wanted, campaign=SPRING, briefing=unread)[0][1]


def test_a_campaign_s_own_plan_counts():
    assert said(campaign=replace(SPRING, state=S.DRAFT, announced_at=None))[0][0] == "hold"
    (later,) = found(campaign=replace(SPRING, earliest_start=NOW + 2 * HOUR))
    assert later.sentence == "By its own plan, Spring sale does not begin before Mon 23 Nov 11:00."
    assert later.links[0].href == "/plan?start=23-17:00"
    assert "is given up at" in said(campaign=replace(SPRING, give_up_at=NOW))[0][1]
    assert said(campaign=replace(SPRING, state=S.PAUSED, paused_by="Dana")) == [
        ("hold", "Spring sale is paused by Dana.")
    ]


def test_caps_say_into_how_many_parts_they_cut_it():
    assert said(policy=policy(max_audience_per_wave=200), audience=500) == [
        ("throttle", "The gate lets 200 go at once, so 500 take at least 3 waves.")
    ]
    assert said(policy=policy(max_audience_per_hour=200), audience=500)[0][1].endswith("take more than 2 hours.")
    assert found(policy=policy(max_audience_per_wave=500), audience=500) == []


def test_an_override_that_holds_then_is_in_the_way_and_one_for_others_is_not():
    hold = Override("ovr_1", "default", Effect.HOLD, NOW, NOW + HOUR, "Kim", "fire drill", NOW)
    assert said(overrides=(hold,)) == [("hold", "Kim holds the gate until Mon 23 Nov 10:00: fire drill.")]
    assert found(overrides=(hold,), start_at=NOW + HOUR) == []
    assert found(overrides=(replace(hold, matchers=(Matcher("campaign", "autumn"),)),), campaign=SPRING) == []
    assert found(overrides=(replace(hold, effect=Effect.ALLOW),)) == []


def test_a_gate_without_a_policy_lets_nothing_go_and_one_that_watches_holds_nobody():
    assert said(policy=None)[0][0] == "hold"
    assert said(policy=policy(mode="shadow"))[0][0] == "none"


# --- others -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (S.RELEASING, "Autumn news is being sent: 800 are still to go. It comes to Orders, too."),
        (S.WAITING, "Autumn news may begin at any time: 800 are to go. It comes to Orders, too."),
        (S.PAUSED, "Autumn news is paused: 800 are to go once it goes on. It comes to Orders, too."),
        (S.SCHEDULED, "Autumn news is announced for Mon 23 Nov 10:00: 800 are to go. It comes to Orders, too."),
    ],
)
def test_another_campaign_on_the_same_queues_is_told_as_it_stands(state, expected):
    others = Others([other(replace(AUTUMN, state=state), NOW + HOUR, NOW + 2 * HOUR)])
    (one,) = found(others)
    assert (one.state, one.sentence) == ("throttle", expected)
    assert one.links[0].href == "/campaigns/autumn"


@pytest.mark.parametrize(
    ("starts", "is_felt"), [(-4 * HOUR, False), (-3 * HOUR, True), (3 * HOUR - HOUR / 60, True), (3 * HOUR, False)]
)
def test_only_those_count_whose_contacts_come_at_the_same_time(starts, is_felt):
    at = NOW + timedelta(days=1)
    others = Others([other(AUTUMN, at + starts, at + starts + HOUR / 2)])
    assert bool(found(others, start_at=at)) is is_felt


def test_what_is_overdue_is_still_under_way():
    late = replace(AUTUMN, state=S.RELEASING)
    assert found(Others([other(late, NOW - 9 * HOUR, NOW - 8 * HOUR)])) != []


def test_another_gate_s_campaign_names_its_gate():
    assert "through gate north" in said(Others([other(replace(AUTUMN, gate="north"))]))[0][1]


def test_a_live_permit_says_how_much_it_may_still_send_and_until_when():
    (one,) = found(Others((), [PERMIT]))
    assert one.sentence == "A permit of no campaign lets 400 more go until Mon 23 Nov 10:00."
    assert one.links[0].href == "/plan?gate=default&permit=prm_1"
    assert found(Others((), [PERMIT]), start_at=NOW + 5 * HOUR) == []


def test_what_holds_comes_before_what_takes_room():
    windows = [{"days": ["tue"], "from": "09:00", "to": "18:00"}]
    states = [
        each.state for each in found(Others([other()], [PERMIT]), policy=policy(send_windows=windows, mode="shadow"))
    ]
    assert states == ["hold", "throttle", "throttle", "none"]
