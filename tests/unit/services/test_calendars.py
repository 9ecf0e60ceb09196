import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from app.core.campaign.campaign import Campaign, CampaignState, Release, ReleaseMode, TrafficClass
from app.core.event import Actor, Event
from app.errors import Invalid, NotDurable, NotFound
from app.ports.campaigns import FeedToken
from app.services.calendars import Calendars
from app.services.icalendar_feed import CalendarFile, icalendar
from tests.support.builders import NOW, after
from tests.support.memory import SteppedClock

KIM = Actor("key_kim", "Kim")
HOME = "https://holdfire.example"
SPRING = Campaign(
    "spring",
    "Größte Aktion; jetzt, oder nie\nzweite Zeile",
    "default",
    500_000,
    "Kim",
    NOW,
    kind="newsletter, weekly",
    traffic_class=TrafficClass.SERVICE,
    contacts_per_1000=12.5,
    earliest_start=after(7200),
    release=Release(ReleaseMode.WAVES, 25_000, 900),
    state=CampaignState.SCHEDULED,
    announced_at=after(60),
    revision=3,
)


class MemoryTokens:
    """The FeedTokenStore port in memory; its disk may be full."""

    def __init__(self):
        self.kept: dict[str, FeedToken] = {}
        self.events: list[Event] = []
        self.is_full = False

    async def add_feed_token(self, token, event):
        self.kept[token.id] = token
        self.events.append(event)

    async def feed_tokens(self):
        return list(self.kept.values())

    async def feed_token(self, secret_sha256):
        return next((token for token in self.kept.values() if token.secret_sha256 == secret_sha256), None)

    async def revoke_feed_token(self, token_id, at, event):
        if token_id not in self.kept:
            raise NotFound(token_id)
        self.kept[token_id] = replace(self.kept[token_id], revoked_at=at)
        self.events.append(event)
        return self.kept[token_id]

    async def use_feed_token(self, token_id, at):
        if self.is_full:
            raise NotDurable("the disk is full")
        self.kept[token_id] = replace(self.kept[token_id], last_used_at=at)


class MemoryCampaigns:
    """Of the CampaignStore port, what a calendar reads."""

    def __init__(self, *campaigns):
        self.kept = sorted(campaigns, key=lambda each: (each.created_at, each.id), reverse=True)

    async def campaigns(self, *, states=(), before=None, limit=100, **_):
        fitting = [each for each in self.kept if each.state in states]
        return [each for each in fitting if before is None or (each.created_at, each.id) < before][:limit]


def calendars(*campaigns):
    tokens, clock = MemoryTokens(), SteppedClock(NOW)
    store: Any = MemoryCampaigns(*campaigns)
    return Calendars(tokens, store, clock), tokens, clock


def only_event(campaign) -> Any:
    (event,) = Calendar.from_ical(icalendar([campaign], HOME)).walk("VEVENT")
    return event


async def test_a_token_is_shown_once_and_opens_until_it_is_revoked():
    service, tokens, _ = calendars()
    token, text = await service.create("Outlook", KIM)
    assert text not in repr(tokens.kept)
    assert text not in repr(tokens.events)
    assert (await service.authenticate(text)).id == token.id
    for other in (text[:-1], text + "a", text.upper(), "", "hfc_" + "a" * 40, text.replace("hfc_", "hf_")):
        assert await service.authenticate(other) is None
    await service.revoke(token.id, KIM)
    assert await service.authenticate(text) is None
    assert [event.type for event in tokens.events] == ["calendar.token_created", "calendar.token_revoked"]
    assert {event.actor for event in tokens.events} == {KIM}


async def test_no_two_tokens_are_alike():
    service, _, _ = calendars()
    assert len({(await service.create("x", KIM))[1] for _ in range(50)}) == 50


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "a\x00"])
async def test_a_token_needs_a_name_that_says_whose_it_is(name):
    service, tokens, _ = calendars()
    with pytest.raises(Invalid) as refused:
        await service.create(name, KIM)
    assert [problem.pointer for problem in refused.value.problems] == ["/name"]
    assert tokens.kept == {}


async def test_its_use_is_noted_once_a_minute():
    service, tokens, clock = calendars()
    token, text = await service.create("Outlook", KIM)
    for seconds, noted in [(0, NOW), (59, NOW), (1, after(60)), (30, after(60))]:
        clock.move(seconds)
        await service.authenticate(text)
        assert tokens.kept[token.id].last_used_at == noted


async def test_a_calendar_is_shown_even_where_its_use_cannot_be_written_down(caplog):
    service, tokens, _ = calendars()
    _, text = await service.create("Outlook", KIM)
    tokens.is_full = True
    assert await service.authenticate(text) is not None
    assert "calendar_token_use_not_noted" in caplog.text
    assert text not in caplog.text


async def test_a_calendar_shows_what_was_announced_until_ninety_days_after_its_end():
    over = replace(SPRING, id="over", state=CampaignState.DONE, ended_at=NOW)
    service, _, clock = calendars(
        SPRING,
        replace(SPRING, id="draft", state=CampaignState.DRAFT),
        replace(SPRING, id="dropped", state=CampaignState.CANCELLED, announced_at=None),
        over,
    )
    assert {each.id for each in await service.shown()} == {"spring", "over"}
    clock.move(timedelta(days=90).total_seconds() + 1)
    assert {each.id for each in await service.shown()} == {"spring"}


async def test_a_calendar_of_many_campaigns_is_read_in_pages_and_ends():
    many = [replace(SPRING, id=f"c{number}", created_at=after(number)) for number in range(1250)]
    service, _, _ = calendars(*many)
    shown = await service.shown()
    assert [each.id for each in shown] == [f"c{number}" for number in range(1249, 249, -1)]


def test_an_event_says_when_how_many_and_where_to_read_on():
    event = only_event(SPRING)
    assert event["SUMMARY"] == "Email to 500,000: Größte Aktion; jetzt, oder nie\nzweite Zeile"
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (after(7200), after(7200 + 20 * 900))
    assert event["SEQUENCE"] == 3
    assert event["LAST-MODIFIED"].dt == event["DTSTAMP"].dt == after(60)
    assert (event["STATUS"], event["TRANSP"]) == ("CONFIRMED", "TRANSPARENT")
    assert event["URL"] == f"{HOME}/campaigns/spring/briefing"
    assert list(event.categories) == ["newsletter, weekly", "service"]
    description = str(event["DESCRIPTION"]).splitlines()
    assert description == [
        "State: scheduled",
        "Audience: 500,000",
        "Expected contacts: 6,250",
        "Gate: default",
        "Owner: Kim",
        f"Briefing: {HOME}/campaigns/spring/briefing",
    ]


def test_its_uid_stays_while_its_plan_changes_and_is_another_for_another_campaign_of_that_name():
    changed = replace(SPRING, title="New", revision=9, earliest_start=after(9999), state=CampaignState.PAUSED)
    assert only_event(changed)["UID"] == only_event(SPRING)["UID"]
    assert only_event(changed)["SEQUENCE"] > only_event(SPRING)["SEQUENCE"]
    assert only_event(replace(SPRING, created_at=after(1)))["UID"] != only_event(SPRING)["UID"]


@pytest.mark.parametrize(
    ("state", "started_at", "status"),
    [
        (CampaignState.WAITING, None, "CONFIRMED"),
        (CampaignState.PAUSED, NOW, "CONFIRMED"),
        (CampaignState.DONE, NOW, "CONFIRMED"),
        (CampaignState.CANCELLED, None, "CANCELLED"),
        (CampaignState.CANCELLED, NOW, "CANCELLED"),
        (CampaignState.GAVE_UP, None, "CANCELLED"),
        (CampaignState.GAVE_UP, NOW, "CONFIRMED"),
    ],
)
def test_what_does_not_take_place_is_marked_as_cancelled(state, started_at, status):
    assert only_event(replace(SPRING, state=state, started_at=started_at))["STATUS"] == status


def test_the_calendar_says_what_it_is_and_how_often_to_fetch_it():
    calendar = Calendar.from_ical(icalendar([], HOME))
    assert (calendar["VERSION"], calendar["METHOD"]) == ("2.0", "PUBLISH")
    assert calendar["X-WR-CALNAME"] == calendar["NAME"] == "holdfire campaigns"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT15M\r\n" in icalendar([], HOME)


def test_the_same_campaigns_give_the_same_bytes():
    assert icalendar([SPRING], HOME) == icalendar([SPRING], HOME)


text = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=200)


@given(text, text, st.integers(1, 10**9))
def test_any_title_comes_back_whole_from_lines_of_at_most_75_octets(title, kind, audience):
    campaign = replace(SPRING, title=title, kind=kind, audience=audience)
    written = icalendar([campaign], HOME)
    assert written.endswith(b"END:VCALENDAR\r\n")
    for line in written.split(b"\r\n"):
        assert len(line) <= 75
        assert b"\n" not in line
        line.decode()  # no character is cut in two
    event = only_event(campaign)
    assert event["SUMMARY"] == f"Email to {audience:,}: {title}"
    assert event.categories[0] == kind


async def test_the_file_is_written_once_for_the_same_campaigns_and_anew_for_others():
    file = CalendarFile()
    first, again = await asyncio.gather(file.written([SPRING], HOME), file.written([replace(SPRING)], HOME))
    assert again is first
    assert first == icalendar([SPRING], HOME)
    moved = [replace(SPRING, earliest_start=after(9000), revision=4)]
    assert await file.written(moved, HOME) == icalendar(moved, HOME)
    assert await file.written(moved, "https://other.example") == icalendar(moved, "https://other.example")


async def test_writing_a_large_file_holds_up_nobody():
    many = [replace(SPRING, id=f"spring-{number}") for number in range(300)]
    writing = asyncio.create_task(CalendarFile().written(many, HOME))
    turns = 0
    while not writing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
