"""Calendar feeds: campaigns as events in people's own calendars, by a token that can be revoked.

A calendar program can send no header, so its token stands in the address. It opens this feed and nothing else, has a
form of its own (hfc_…) that logs hide, and is worth 200 random bits, of which only the SHA-256 is kept.
"""

import logging
import re
from collections.abc import Sequence
from datetime import timedelta

from app.core.campaign.campaign import Campaign, CampaignState
from app.core.campaign.span import span
from app.core.campaign.wording import text_faults
from app.core.event import Actor, Event, EventType
from app.core.problem import Problem
from app.errors import HoldfireError, Invalid, NotFound
from app.ports.campaigns import CampaignStore, FeedToken, FeedTokenStore
from app.ports.clock import Clock
from app.services.icalendar_feed import CalendarFile
from app.services.shapes import Shape, instant
from app.services.tokens import digest_of, random_text

log = logging.getLogger(__name__)

PREFIX = "hfc_"
TOKEN_FORM = re.compile(rf"{PREFIX}[a-z2-7]{{40}}")
MAX_NAME = 100
USE_NOTED_EVERY = timedelta(minutes=1)
SHOWN_AFTER_END = timedelta(days=90)
MOST_SHOWN = 1000
PAGE = 200
_SHOWN_STATES = tuple(state for state in CampaignState if state is not CampaignState.DRAFT)


class Calendars:
    """Feed tokens, and the campaigns that a feed shows."""

    def __init__(self, tokens: FeedTokenStore, campaigns: CampaignStore, clock: Clock) -> None:
        self._tokens, self._campaigns, self._clock = tokens, campaigns, clock
        self._file = CalendarFile()

    async def create(self, name: str, actor: Actor) -> tuple[FeedToken, str]:
        """Return a new token and, this once, its plain text. Raises Invalid for a bad name."""
        if faults := _name_faults(name):
            raise Invalid("the calendar token was refused; nothing was made", faults)
        text = PREFIX + random_text(40)
        token = FeedToken(f"cal_{random_text(8)}", name, digest_of(text), self._clock.now())
        after = {"name": name, "created_at": instant(token.created_at)}
        await self._tokens.add_feed_token(token, self._event(EventType.FEED_TOKEN_CREATED, token.id, actor, after))
        return token, text

    async def all(self) -> Sequence[FeedToken]:
        """Return all tokens, revoked ones too, oldest first."""
        return await self._tokens.feed_tokens()

    async def find(self, token_id: str) -> FeedToken:
        """Return one token, also a revoked one. Raises NotFound."""
        found = next((token for token in await self._tokens.feed_tokens() if token.id == token_id), None)
        if found is None:
            raise NotFound(f"there is no calendar token {token_id!r}")
        return found

    async def revoke(self, token_id: str, actor: Actor) -> FeedToken:
        """Return the token, revoked: it is refused from now on. Raises NotFound."""
        now = self._clock.now()
        event = self._event(EventType.FEED_TOKEN_REVOKED, token_id, actor, {"revoked_at": instant(now)})
        return await self._tokens.revoke_feed_token(token_id, now, event)

    async def authenticate(self, text: str) -> FeedToken | None:
        """Return the token a text is, its use noted; None when it is unknown or revoked."""
        if not TOKEN_FORM.fullmatch(text):
            return None
        token = await self._tokens.feed_token(digest_of(text))
        if token is None or token.revoked_at is not None:
            return None
        await self._note_use(token)
        return token

    async def file(self, home: str) -> bytes:
        """Return the iCalendar file of what is shown. home: our own address, without a slash at its end."""
        return await self._file.written(await self.shown(), home)

    async def shown(self) -> Sequence[Campaign]:
        """Return the campaigns for a calendar, newest first: all that were announced and not over for 90 days."""
        oldest, before = self._clock.now() - SHOWN_AFTER_END, None
        found: list[Campaign] = []
        while len(found) < MOST_SHOWN:
            page = await self._campaigns.campaigns(states=_SHOWN_STATES, before=before, limit=PAGE)
            found += [each for each in page if span(each) and (each.ended_at is None or each.ended_at >= oldest)]
            if len(page) < PAGE:
                break
            before = (page[-1].created_at, page[-1].id)
        return found[:MOST_SHOWN]

    async def _note_use(self, token: FeedToken) -> None:
        """Write down the use, at most once a minute. A calendar is shown even where that cannot be written."""
        now = self._clock.now()
        if token.last_used_at is not None and now - token.last_used_at < USE_NOTED_EVERY:
            return
        try:
            await self._tokens.use_feed_token(token.id, now)
        except HoldfireError as fault:
            log.warning("calendar_token_use_not_noted", extra={"calendar": token.id, "error": str(fault)})

    def _event(self, kind: EventType, token_id: str, actor: Actor, after: Shape) -> Event:
        return Event(kind, self._clock.now(), actor, f"calendar-token/{token_id}", after=after)


def _name_faults(name: str) -> list[Problem]:
    faults = list(text_faults(name, "/name", MAX_NAME))
    if not faults and not name.isprintable():
        faults.append(Problem("/name", "it has a line break; say in one line whose calendar it is for"))
    return faults
