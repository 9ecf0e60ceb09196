"""Sends on their way as the board shows them: waves as parts of a bar, and what people may do."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from app.core.campaign.campaign import Campaign, CampaignState, Release, ReleaseMode
from app.core.permit.permit import Permit, PermitState
from app.ports.campaigns import Wave
from app.web.now.flights import LEAST_GAP, Going, flights, parts
from tests.support.builders import NOW, after

CHICAGO = ZoneInfo("America/Chicago")
SPRING = Campaign(
    "spring",
    "Spring sale",
    "default",
    100_000,
    "Kim",
    NOW,
    release=Release(ReleaseMode.WAVES, 20_000),
    state=CampaignState.RELEASING,
    announced_at=NOW,
    started_at=NOW,
)
DONE = Wave("spring", 1, "prm_1", 20_000, NOW, sent=20_000, ended_at=after(60), ending="used")
OPEN = Wave("spring", 2, "prm_2", 20_000, after(60), sent=5_000)


def a_permit(permit_id: str = "prm_2", wave: int | None = 2, campaign: str | None = "spring") -> Permit:
    active = PermitState.ACTIVE
    return Permit(
        permit_id, "default", campaign, "key1", "dec_1", 20_000, 20_000, active, NOW, after(3600), 5_000, wave
    )


def shown(*permits: Permit, going: Going | None = None, stops: bool = False):
    known = [going or Going(SPRING, 25_000, (DONE, OPEN))]
    return flights(permits, lambda _: stops, known, now=after(120), zone=CHICAGO)


def test_a_campaign_says_how_far_it_is_and_what_its_last_wave_does():
    (journey,) = shown(a_permit()).journeys
    assert (journey.word, journey.sent, journey.audience, journey.fill) == ("RELEASING", "25,000", "100,000", 0.25)
    assert journey.now == "wave 2: 5,000 of 20,000"


def test_a_waves_permit_is_part_of_its_campaign_and_any_other_stands_alone():
    board = shown(a_permit(), a_permit("prm_9", None), a_permit("prm_8", 1, "unknown"))
    assert [flight.id for flight in board.flights] == ["prm_9", "prm_8"]
    assert [flight.title for flight in board.flights] == ["Spring sale", "unknown"]


def test_a_wave_that_must_stop_says_so():
    assert shown(a_permit(), stops=True).journeys[0].now == "wave 2: 5,000 of 20,000, must stop"


def test_between_waves_it_says_when_the_next_may_come():
    over = replace(OPEN, ended_at=after(100), ending="used", sent=20_000)
    going = Going(SPRING, 40_000, (DONE, over), after(900))
    assert shown(going=going).journeys[0].now == "wave 2: 20,000 of 20,000, used, next from 09:15:00"


@pytest.mark.parametrize(("by", "word"), [("gate", "its gate"), ("Ann", "Ann")])
def test_a_paused_campaign_says_by_whom(by, word):
    paused = replace(SPRING, state=CampaignState.PAUSED, paused_by=by)
    assert shown(going=Going(paused, 0)).journeys[0].now == f"paused by {word}"


@pytest.mark.parametrize(
    ("state", "by", "steps"),
    [
        (CampaignState.RELEASING, None, ["pause", "cancel"]),
        (CampaignState.PAUSED, "Ann", ["resume", "cancel"]),
        (CampaignState.PAUSED, "gate", ["pause", "cancel"]),
        (CampaignState.SCHEDULED, None, ["pause", "cancel"]),
    ],
)
def test_what_people_may_do_is_offered_and_nothing_else(state, by, steps):
    campaign = replace(SPRING, state=state, paused_by=by, earliest_start=after(86_400))
    assert [step for step, _ in shown(going=Going(campaign)).journeys[0].steps] == steps


def test_waves_lie_side_by_side_and_an_ended_one_is_as_long_as_what_was_sent():
    cut = replace(DONE, sent=10_000)
    first, second = parts([cut, OPEN], 100_000)
    assert (first.start, first.length, first.sent) == (0.0, 0.1 - LEAST_GAP, 0.1 - LEAST_GAP)
    assert (second.start, second.length, second.sent) == (0.1, 0.2 - LEAST_GAP, 0.05)


def test_very_many_waves_and_too_much_sent_stay_on_the_bar():
    many = [replace(DONE, number=n, sent=1_000) for n in range(1, 91)]
    assert len(parts(many, 100_000)) == 40
    over = parts([replace(DONE, sent=150_000), OPEN], 100_000)
    assert max(part.start + part.length for part in over) <= 1.0


def test_what_ends_first_says_until_when():
    (flight,) = shown(a_permit("prm_9", None)).flights
    assert (flight.word, flight.ends_text) == ("SENDING", "10:00:00")
    assert shown(a_permit("prm_9", None), stops=True).flights[0].word == "MUST STOP"
