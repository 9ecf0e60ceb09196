from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from app.core.campaign.briefing import Acknowledgement, Briefing
from app.core.campaign.campaign import Campaign, CampaignState, Release, ReleaseMode
from app.web.briefing.view import briefing_page
from tests.support.builders import NOW, after

CHICAGO, UTC = ZoneInfo("America/Chicago"), ZoneInfo("UTC")
SPRING = Campaign(
    "spring", "Spring", "default", 500_000, "Kim", NOW, state=CampaignState.SCHEDULED, announced_at=after(60)
)
SAID = Briefing("spring", "20 % off", "all", (), (), ("orders-voice", "night"), "crm", NOW)


def fact(campaign, term, zone=UTC):
    return dict(briefing_page(campaign, None, zone, NOW).facts)[term]


def readers(*acknowledgements, version=1, by=SAID.acknowledge_by):
    briefing = replace(SAID, acknowledgements=acknowledgements, version=version, acknowledge_by=by)
    return briefing_page(SPRING, briefing, UTC, NOW).said


@pytest.mark.parametrize(
    ("campaign", "text"),
    [
        (SPRING, "Sat 21 Nov 2026, 09:01\u00a0CST to 09:16\u00a0CST"),
        (replace(SPRING, earliest_start=after(14 * 3600)), "Sat 21 Nov 2026, 23:00\u00a0CST to 23:15\u00a0CST"),
        (
            replace(SPRING, earliest_start=after(15 * 3600 - 60)),
            "Sat 21 Nov 2026, 23:59\u00a0CST to Sun 22 Nov 2026, 00:14\u00a0CST",
        ),
        (
            replace(SPRING, state=CampaignState.DRAFT, announced_at=None, earliest_start=after(3600)),
            "not announced; planned from Sat 21 Nov 2026, 10:00\u00a0CST",
        ),
        (replace(SPRING, state=CampaignState.DRAFT, announced_at=None), "not announced, and without a time"),
    ],
)
def test_when_is_told_in_the_zone_of_the_gate_with_its_name(campaign, text):
    assert fact(campaign, "When", CHICAGO) == text


@pytest.mark.parametrize(
    ("release", "text"),
    [
        (Release(), "when somebody starts it and the gate lets it"),
        (Release(ReleaseMode.WHEN_READY), "as soon as the gate lets it"),
        (
            Release(ReleaseMode.WAVES, 25_000, 900),
            "in waves, each when the gate lets it; 25,000 at once, 15\u202fmin apart",
        ),
    ],
)
def test_how_it_goes_out_is_told_in_words(release, text):
    assert fact(replace(SPRING, release=release), "How it goes out") == text


def test_what_nobody_has_said_is_never_a_number():
    assert fact(SPRING, "Contacts to expect") == "nobody has estimated them"
    assert fact(replace(SPRING, contacts_per_1000=0.0), "Contacts to expect") == "about 0 in all"


def test_everybody_named_has_a_line_and_who_read_an_older_version_has_not_read_this_one():
    old, new = (Acknowledgement("orders-voice", "Dana", after(at), at) for at in (1, 2))
    said = readers(old, version=2)
    assert [(reader.by, reader.at, reader.former) for reader in said.readers] == [
        ("orders-voice", None, "Dana read version 1; it has changed since"),
        ("night", None, ""),
    ]
    assert said.standing == "Still to be read by orders-voice, night."
    assert readers(old, new, version=2).readers[0].name == "Dana"
    assert readers(old, new, version=2).standing == "Still to be read by night."


def test_where_nobody_is_named_those_who_have_read_it_are_listed():
    assert readers(by=()).standing.startswith("Nobody has read this version yet")
    said = readers(Acknowledgement("sales", "Lee", NOW, 1), by=())
    assert (said.is_acknowledged, [reader.by for reader in said.readers]) == (True, ["sales"])


@pytest.mark.parametrize("state", list(CampaignState))
def test_every_state_has_its_words(state):
    assert briefing_page(replace(SPRING, state=state), None, UTC, NOW).state
