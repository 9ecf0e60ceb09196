"""The FeedTokenStore port, on SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app.core.event import Event
from app.errors import NotFound
from app.ports.campaigns import FeedToken
from app.store.briefing_tables import FEED_TOKENS
from app.store.engine import Database
from app.store.events import append_events

_COLUMNS = tuple(FEED_TOKENS.columns.keys())


class SqlFeedTokens:
    """The FeedTokenStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_feed_token(self, token: FeedToken, event: Event) -> None:
        await self._database.write(lambda connection: _add(connection, token, event))

    async def feed_tokens(self) -> Sequence[FeedToken]:
        return await self._database.read(_all)

    async def feed_token(self, secret_sha256: bytes) -> FeedToken | None:
        query = select(FEED_TOKENS).where(FEED_TOKENS.c.secret_sha256 == secret_sha256)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _token(row)

    async def revoke_feed_token(self, token_id: str, at: datetime, event: Event) -> FeedToken:
        return await self._database.write(lambda connection: _revoke(connection, token_id, at, event))

    async def use_feed_token(self, token_id: str, at: datetime) -> None:
        used = update(FEED_TOKENS).where(FEED_TOKENS.c.id == token_id).values(last_used_at=at)
        await self._database.write(lambda connection: connection.execute(used))


def _all(connection: Connection) -> list[FeedToken]:
    ordered = select(FEED_TOKENS).order_by(FEED_TOKENS.c.created_at, FEED_TOKENS.c.id)
    return [_token(row) for row in connection.execute(ordered)]


def _add(connection: Connection, token: FeedToken, event: Event) -> None:
    connection.execute(insert(FEED_TOKENS).values({name: getattr(token, name) for name in _COLUMNS}))
    append_events(connection, [event])


def _revoke(connection: Connection, token_id: str, at: datetime, event: Event) -> FeedToken:
    """Revoke once: the first time stays, and only it is an event."""
    still_good = (FEED_TOKENS.c.id == token_id) & FEED_TOKENS.c.revoked_at.is_(None)
    if connection.execute(update(FEED_TOKENS).where(still_good).values(revoked_at=at)).rowcount:
        append_events(connection, [event])
    row = connection.execute(select(FEED_TOKENS).where(FEED_TOKENS.c.id == token_id)).first()
    if row is None:
        raise NotFound(f"there is no calendar token {token_id!r}")
    return _token(row)


def _token(row: Row[Any]) -> FeedToken:
    return FeedToken(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
