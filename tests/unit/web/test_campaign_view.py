"""A campaign in words: where it stands, what the contact center knows, its life, its waves and what was done to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.core.campaign.briefing import Acknowledgement, Briefing
from app.core.campaign.campaign import Campaign, CampaignState, Release, ReleaseMode
from app.core.campaign.handover import Handover, ToolCampaign
from app.core.event import Actor, Event, EventType
from app.core.gate.policy import Policy, parse_policy
from app.core.permit.permit import Permit, PermitState, Spent
from app.ports.campaigns import Wave
from app.ports.events import WrittenEvent
from app.web.campaigns.view import CampaignPage, Known, campaign_page
from app.web.campaigns.words import briefed, notice, release_in_words, stands
from app.web.format import THIN

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)  # 09:00 in Chicago
S = CampaignState
DRAFT = Campaign("spring", "Spring sale", "default", 1_000, "Kim", NOW - timedelta(days=1), kind="offer")
ANNOUNCED = replace(DRAFT, state=S.SCHEDULED, announced_at=NOW - timedelta(hours=2))
BRIEFING = Briefing("spring", "20 % off", "all", (), (), ("orders", "care"), "Kim", NOW, version=2)
RULES = [{"metric": "backlog", "hold_above": 10}]


def policy(**members: object) -> Policy:
    return parse_policy({"queues": ["*"], "rules": RULES, "time_zone": "America/Chicago"} | members)


def page(campaign: Campaign = DRAFT, **known: Any) -> CampaignPage:
    plain = Known(campaign, Spent(), (), (), None, None, (), lambda _: False, {}, NOW, CHICAGO)
    return campaign_page(replace(plain, **known))


def plain(text: str) -> str:
    return text.replace(THIN, " ")


# --- where it stands --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("campaign", "said"),
    [
        (DRAFT, "It sends nothing, and the contact center has not been told."),
        (replace(ANNOUNCED, earliest_start=NOW + timedelta(hours=6)), "Its time comes at Mon 23 Nov 15:00; then some"),
        (replace(ANNOUNCED, state=S.WAITING), "Its time has come; somebody has to start it."),
        (
            replace(ANNOUNCED, state=S.WAITING, release=Release(ReleaseMode.WHEN_READY)),
            "Its time has come; its gate has not let it go yet.",
        ),
        (replace(ANNOUNCED, state=S.PAUSED, paused_by="gate"), "Its gate paused it; it goes on by itself"),
        (replace(ANNOUNCED, state=S.PAUSED, paused_by="Dana"), "Dana paused it; it goes on when somebody resumes it."),
        (replace(ANNOUNCED, state=S.CANCELLED), "nothing more of it may go."),
    ],
)
def test_how_it_stands_says_what_happens_next(campaign, said):
    assert said in stands(campaign, CHICAGO)


@pytest.mark.parametrize("state", S)
def test_every_state_has_a_word_and_a_sentence(state):
    shown = page(replace(ANNOUNCED, state=state, ended_at=NOW if state in {S.DONE, S.CANCELLED, S.GAVE_UP} else None))
    assert shown.word
    assert shown.stands.endswith(".")


def test_a_release_is_said_with_its_waves():
    waves = replace(DRAFT, release=Release(ReleaseMode.WAVES, 500, 600.0))
    assert plain(release_in_words(waves)) == "In waves of 500, 10 min apart, each when its gate lets it"


# --- what the contact center knows ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "campaign", "state", "said"),
    [
        (0, DRAFT, "none", "Not announced yet. The gate asks for no notice."),
        (240, DRAFT, "hold", "announced now, it may go from Mon 23 Nov 13:00 on."),
        (240, ANNOUNCED, "hold", "announced Mon 23 Nov 07:00, so it may go from Mon 23 Nov 11:00 on, not earlier."),
        (240, replace(ANNOUNCED, earliest_start=NOW + timedelta(hours=2)), "send", "announced Mon 23 Nov 07:00."),
        (60, ANNOUNCED, "send", "announced Mon 23 Nov 07:00."),
        (180, replace(ANNOUNCED, started_at=NOW - timedelta(hours=1)), "hold", "not earlier."),
    ],
)
def test_notice_is_kept_where_the_announcement_is_old_enough_by_its_start(minutes, campaign, state, said):
    told = notice(policy(notice_minutes=minutes), campaign, NOW, CHICAGO)
    assert (told.state, said in plain(told.sentence)) == (state, True), told


def test_a_briefing_counts_once_everybody_asked_has_read_this_version():
    wanted = policy(briefing="required")
    assert briefed(wanted, None).state == "hold"
    assert briefed(None, None).state == "none"
    half = replace(BRIEFING, acknowledgements=(Acknowledgement("orders", "Dana", NOW, 2),))
    assert "care has not acknowledged it yet." in briefed(wanted, half).sentence
    old = replace(half, acknowledgements=(*half.acknowledgements, Acknowledgement("care", "Ann", NOW, 1)))
    assert briefed(wanted, old).state == "hold"
    read = replace(half, acknowledgements=(*half.acknowledgements, Acknowledgement("care", "Ann", NOW, 2)))
    assert briefed(wanted, read).state == "send"
    assert "no queue or team has acknowledged it yet" in briefed(None, replace(BRIEFING, acknowledge_by=())).sentence


# --- its life ---------------------------------------------------------------------------------------------------------


def test_its_life_has_one_present_step():
    going = replace(ANNOUNCED, state=S.RELEASING, started_at=NOW, give_up_at=NOW + timedelta(days=1))
    stages = page(going, policy=policy(notice_minutes=60)).stages
    assert [(each.word, each.place) for each in stages] == [
        ("Drafted", "done"),
        ("Announced", "done"),
        ("Notice over", "done"),
        ("Released", "now"),
        ("Given up, if not done by", "ahead"),
        ("Done", "ahead"),
    ]
    for state in S:
        ended = NOW if state in {S.DONE, S.CANCELLED, S.GAVE_UP} else None
        campaign = replace(DRAFT if state is S.DRAFT else going, state=state, ended_at=ended)
        assert [each.place for each in page(campaign).stages].count("now") == 1, state


def test_progress_counts_what_was_sent_and_what_may_still_go():
    shown = page(ANNOUNCED, spent=Spent(outstanding=200, sent_last_hour=300))
    assert (shown.sent, shown.outstanding, shown.left, shown.fill, shown.out) == ("300", "200", "500", 0.3, 0.5)
    over = page(ANNOUNCED, spent=Spent(sent_last_hour=2_000))
    assert (over.left, over.fill) == ("0", 1.0)


def test_waves_and_permits_come_newest_first_with_what_became_of_them():
    first = Wave(
        "spring", 1, "prm_1", 100, NOW - timedelta(hours=1), is_probe=True, sent=100, ended_at=NOW, ending="used"
    )
    waves = (first, Wave("spring", 2, "prm_2", 400, NOW, sent=100))
    permit = Permit("prm_2", "default", "spring", "k", "d", 400, 400, PermitState.ACTIVE, NOW, NOW + timedelta(hours=1))
    shown = page(ANNOUNCED, waves=waves, permits=(permit, replace(permit, state=PermitState.USED)), must_stop=bool)
    assert [(row.name, row.ending, row.fill) for row in shown.waves] == [
        ("2", "open", 0.25),
        ("1, probing", "all of it sent", 1.0),
    ]
    assert [(row.state, row.word) for row in shown.permits] == [("hold", "Must stop"), ("none", "Used")]


def test_a_changed_plan_is_told_member_by_member():
    before, after = {"audience": 500, "earliest_start": None}, {"audience": 12_000, "earliest_start": "2026-11-24"}
    kim = Actor("k", "Kim")
    events = [
        Event(EventType.CAMPAIGN_CHANGED, NOW, kim, "campaign/spring", "more stock", before=before, after=after),
        Event(EventType.CAMPAIGN_CREATED, NOW, kim, "campaign/spring"),
    ]
    log = page(events=[WrittenEvent(number, event, "") for number, event in enumerate(events)]).log
    assert log[0].what == "Its plan was changed: audience 500 → 12,000; earliest start – → 2026-11-24"  # noqa: RUF001
    assert (log[0].who, log[0].why, log[1].what) == ("Kim", "more stock", "It was drafted")


# --- who sends it -----------------------------------------------------------------------------------------------------


SENT = replace(ANNOUNCED, sender=Handover("listmonk", (ToolCampaign("12"),)))


@pytest.mark.parametrize(
    ("campaign", "not_ready", "said"),
    [
        (SENT, None, "listmonk, as its campaign 12"),
        (SENT, "it cannot be asked", "listmonk, as its campaign 12; it cannot be asked"),
        (replace(SENT, state=S.DONE), "it has nobody left", "listmonk, as its campaign 12"),
        (
            replace(SENT, sender=Handover("keila", (ToolCampaign("a", 1), ToolCampaign("b", 2)))),
            None,
            "keila, as its campaigns a, b",
        ),
    ],
)
def test_who_sends_it_and_why_that_is_not_ready(campaign, not_ready, said):
    assert dict(page(campaign, not_ready=not_ready).facts)["Sent by"] == said


def test_one_that_no_tool_is_driven_for_says_nothing_of_it():
    assert "Sent by" not in dict(page().facts)
