from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import select

from app.core.event import Actor, Event, EventType
from app.errors import Invalid, NotFound
from app.ports.campaigns import FeedToken
from app.store.event_tables import EVENTS
from tests.support.builders import NOW, after

TOKEN = FeedToken("cal_b", "Outlook", sha256(b"one").digest(), NOW)
OTHER = FeedToken("cal_a", "Apple", sha256(b"two").digest(), after(1))
MADE = Event(EventType.FEED_TOKEN_CREATED, NOW, Actor("abc", "crm"), "calendar-token/cal_b")
GONE = Event(EventType.FEED_TOKEN_REVOKED, NOW, Actor("abc", "crm"), "calendar-token/cal_b")


async def events(store) -> list[str]:
    query = select(EVENTS.c.type).where(EVENTS.c.type.startswith("calendar.")).order_by(EVENTS.c.seq)
    return list(await store.database.read(lambda connection: connection.execute(query).scalars().all()))


async def test_tokens_are_listed_oldest_first_and_found_by_their_digest(store):
    for token in (OTHER, TOKEN):
        await store.feed_tokens.add_feed_token(token, MADE)
    assert await store.feed_tokens.feed_tokens() == [TOKEN, OTHER]
    assert await store.feed_tokens.feed_token(TOKEN.secret_sha256) == TOKEN
    assert await store.feed_tokens.feed_token(sha256(b"three").digest()) is None
    assert await events(store) == ["calendar.token_created"] * 2


async def test_a_secret_is_kept_once(store):
    await store.feed_tokens.add_feed_token(TOKEN, MADE)
    with pytest.raises(Invalid):
        await store.feed_tokens.add_feed_token(replace(OTHER, secret_sha256=TOKEN.secret_sha256), MADE)
    assert await events(store) == ["calendar.token_created"]


async def test_a_revoked_token_stays_listed_and_is_revoked_once(store):
    await store.feed_tokens.add_feed_token(TOKEN, MADE)
    revoked = replace(TOKEN, revoked_at=after(5))
    assert await store.feed_tokens.revoke_feed_token("cal_b", after(5), GONE) == revoked
    assert await store.feed_tokens.revoke_feed_token("cal_b", after(9), GONE) == revoked
    assert await store.feed_tokens.feed_tokens() == [revoked]
    assert await events(store) == ["calendar.token_created", "calendar.token_revoked"]


async def test_revoking_an_unknown_token_is_not_found(store):
    with pytest.raises(NotFound, match="'cal_x'"):
        await store.feed_tokens.revoke_feed_token("cal_x", NOW, GONE)
    assert await events(store) == []


async def test_its_last_use_is_kept(store):
    await store.feed_tokens.add_feed_token(TOKEN, MADE)
    await store.feed_tokens.use_feed_token("cal_b", after(7))
    assert await store.feed_tokens.feed_tokens() == [replace(TOKEN, last_used_at=after(7))]
