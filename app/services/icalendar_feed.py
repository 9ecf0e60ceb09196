"""Campaigns as an iCalendar file (RFC 5545, RFC 7986), written by the icalendar library."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta

from icalendar import Calendar, Event, vDuration

from app.core.campaign.campaign import Campaign, CampaignState
from app.core.campaign.span import changed_at, expected_contacts, span

NAME = "holdfire campaigns"
REFRESHED_EVERY = timedelta(minutes=15)


class CalendarFile:
    """The file, beside the event loop and one at a time: a thousand campaigns take a third of a second of a core.

    It is asked for every few minutes by every calendar there is, so what was written last is kept.
    """

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self._of: tuple[str, Sequence[Campaign]] | None = None
        self._written = b""

    async def written(self, campaigns: Sequence[Campaign], home: str) -> bytes:
        """Return the file of these campaigns, as `icalendar` does."""
        async with self._one_at_a_time:
            if self._of != (home, campaigns):
                self._written = await asyncio.to_thread(icalendar, campaigns, home)
                self._of = home, campaigns
            return self._written


def icalendar(campaigns: Iterable[Campaign], home: str) -> bytes:
    """Return the file: one event per campaign that was announced. home: our own address, without a slash at its end.

    The same campaigns give the same bytes, whenever it is asked for.
    """
    whole = Calendar()
    whole.add("prodid", "-//holdfire//campaigns//EN")
    whole.add("version", "2.0")
    whole.add("calscale", "GREGORIAN")
    whole.add("method", "PUBLISH")
    whole.add("name", NAME)
    whole.add("x-wr-calname", NAME)
    whole.add("refresh-interval", vDuration(REFRESHED_EVERY), parameters={"VALUE": "DURATION"})
    whole.add("x-published-ttl", vDuration(REFRESHED_EVERY))
    for campaign in campaigns:
        if event := _event(campaign, home):
            whole.add_component(event)
    written: bytes = whole.to_ical()
    return written


def _event(campaign: Campaign, home: str) -> Event | None:
    when = span(campaign)
    if when is None:
        return None
    page = f"{home}/campaigns/{campaign.id}/briefing"
    event = Event()
    event.add("uid", f"{campaign.id}-{campaign.created_at:%Y%m%dT%H%M%S%f}@holdfire")
    event.add("dtstamp", changed_at(campaign))
    event.add("last-modified", changed_at(campaign))
    event.add("sequence", campaign.revision)
    event.add("dtstart", when.start)
    event.add("dtend", when.end)
    event.add("summary", f"Email to {campaign.recipients:,}: {campaign.title}")
    event.add("description", _description(campaign, page))
    event.add("categories", [word for word in (campaign.kind, campaign.traffic_class.value) if word])
    event.add("status", _status(campaign))
    event.add("transp", "TRANSPARENT")
    event.add("url", page)
    return event


def _status(campaign: Campaign) -> str:
    """Return CANCELLED for what somebody cancelled, and for what was given up before its first mail."""
    given_up = campaign.state is CampaignState.GAVE_UP and campaign.started_at is None
    return "CANCELLED" if given_up or campaign.state is CampaignState.CANCELLED else "CONFIRMED"


def _description(campaign: Campaign, page: str) -> str:
    contacts = expected_contacts(campaign)
    lines = [
        f"State: {campaign.state.replace('_', ' ')}{campaign.reason and f' ({campaign.reason})'}",
        f"Audience: {campaign.audience:,}",
        f"Expected contacts: {'not estimated' if contacts is None else f'{contacts:,}'}",
        f"Gate: {campaign.gate}",
        f"Owner: {campaign.owner}",
        f"Briefing: {page}",
    ]
    return "\n".join(lines)
