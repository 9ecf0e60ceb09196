from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.campaign.campaign import Campaign, CampaignState, Release, ReleaseMode
from app.core.campaign.change import drafted
from app.core.campaign.request import LATEST, MAX_GAP_SECONDS, parse_plan
from app.core.campaign.span import SHORTEST, changed_at, expected_contacts, planned_length, span
from tests.support.builders import NOW, after

SCHEDULED = Campaign(
    "spring",
    "Spring sale",
    "default",
    500_000,
    "Kim",
    NOW,
    state=CampaignState.SCHEDULED,
    announced_at=after(60),
    earliest_start=after(7200),
)


def test_the_last_campaign_that_can_be_planned_and_the_longest_has_an_end_in_every_zone():
    document = {
        "title": "Last",
        "audience": 1_000_000_000,
        "earliest_start": f"{LATEST}-12-31T23:59:59Z",
        "release": {"mode": "waves", "audience_per_wave": 1, "wave_gap_seconds": MAX_GAP_SECONDS},
    }
    draft = drafted(parse_plan(document, owner="Kim", now=NOW), NOW)
    planned = span(replace(draft, state=CampaignState.SCHEDULED, announced_at=NOW))
    assert planned is not None
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
        assert planned.end.astimezone(ZoneInfo(zone)) == planned.end


def test_a_draft_is_in_nobodys_calendar():
    assert span(replace(SCHEDULED, state=CampaignState.DRAFT)) is None
    assert span(replace(SCHEDULED, state=CampaignState.CANCELLED, announced_at=None)) is None


def test_a_plan_begins_at_its_earliest_start_or_when_it_was_announced():
    assert span(SCHEDULED) == (after(7200), after(7200) + SHORTEST)
    assert span(replace(SCHEDULED, earliest_start=None)) == (after(60), after(60) + SHORTEST)


def test_what_happened_counts_for_more_than_what_was_planned():
    done = replace(SCHEDULED, state=CampaignState.DONE, started_at=after(9000), ended_at=after(20_000))
    assert span(done) == (after(9000), after(20_000))
    assert span(replace(done, ended_at=after(9001))) == (after(9000), after(9000) + SHORTEST)


def test_a_campaign_cancelled_before_it_began_keeps_its_planned_time():
    cancelled = replace(SCHEDULED, state=CampaignState.CANCELLED, ended_at=after(100))
    assert span(cancelled) == span(SCHEDULED)


@pytest.mark.parametrize(
    ("release", "minutes"),
    [
        (Release(), 15),
        (Release(ReleaseMode.WAVES, 25_000, 900), 20 * 15),
        (Release(ReleaseMode.WAVES, 300_000, 1800), 60),
        (Release(ReleaseMode.WAVES, 500_000, 60), 15),
        (Release(ReleaseMode.WAVES, 1, 86_400), 366 * 24 * 60),
        (Release(ReleaseMode.WAVES), 15),
    ],
)
def test_the_length_is_that_of_the_waves_and_at_least_a_quarter_of_an_hour(release, minutes):
    assert planned_length(replace(SCHEDULED, release=release)) == timedelta(minutes=minutes)


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.floats(1, 1e6))
def test_more_people_never_take_less_time(audience, per_wave, gap):
    release = Release(ReleaseMode.WAVES, per_wave, gap)
    few, many = (replace(SCHEDULED, audience=number, release=release) for number in (audience, audience + per_wave))
    assert planned_length(few) <= planned_length(many)


def test_expected_contacts_are_not_known_until_somebody_says():
    assert expected_contacts(SCHEDULED) is None
    assert expected_contacts(replace(SCHEDULED, contacts_per_1000=12.5)) == 6250
    assert expected_contacts(replace(SCHEDULED, contacts_per_1000=0)) == 0


def test_the_last_change_is_the_newest_instant_known():
    assert changed_at(replace(SCHEDULED, announced_at=None)) == NOW
    assert changed_at(replace(SCHEDULED, ended_at=after(99))) == after(99)
