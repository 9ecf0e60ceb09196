"""Browser sessions, on SQL: who is signed in, by the hash of the cookie's id."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from app.core.event import Event
from app.ports.sessions import Session
from app.ports.users import User
from app.store.account_tables import SESSIONS, USERS
from app.store.engine import Database
from app.store.events import append_events
from app.store.tables import INSTALLATION
from app.store.users import user_of

_SECRET = INSTALLATION.c.form_secret
_COLUMNS = tuple(SESSIONS.columns.keys())


class SqlSessions:
    """The SessionStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def form_secret(self, new: bytes) -> bytes:
        def keep(connection: Connection) -> bytes:
            connection.execute(update(INSTALLATION).where(_SECRET.is_(None)).values(form_secret=new.hex()))
            return bytes.fromhex(connection.execute(select(_SECRET)).scalar_one())

        return await self._database.write(keep)

    async def add_session(self, session: Session, event: Event | None, *, replaces: bytes | None = None) -> None:
        await self._database.write(lambda connection: _add(connection, session, event, replaces))

    async def session(self, id_sha256: bytes) -> tuple[Session, User] | None:
        return await self._database.read(lambda connection: _find(connection, id_sha256))

    async def sessions_of(self, user_id: str) -> Sequence[Session]:
        newest = SESSIONS.c.seen_at.desc(), SESSIONS.c.created_at.desc()
        query = select(SESSIONS).where(SESSIONS.c.user_id == user_id).order_by(*newest)
        return await self._database.read(lambda connection: [_of(row) for row in connection.execute(query)])

    async def live_sessions(self, now: datetime, idle_since: datetime) -> frozenset[bytes]:
        live = (SESSIONS.c.expires_at > now) & (SESSIONS.c.seen_at >= idle_since) & USERS.c.disabled_at.is_(None)
        query = select(SESSIONS.c.id_sha256).join(USERS, USERS.c.id == SESSIONS.c.user_id).where(live)
        return await self._database.read(lambda connection: frozenset(connection.execute(query).scalars()))

    async def mark_seen(self, seen: Mapping[bytes, datetime]) -> None:
        same = SESSIONS.c.id_sha256 == bindparam("id")
        change = update(SESSIONS).where(same).values(seen_at=bindparam("at", type_=SESSIONS.c.seen_at.type))
        rows = [{"id": id_sha256, "at": at} for id_sha256, at in seen.items()]
        if rows:
            await self._database.write(lambda connection: connection.execute(change, rows))

    async def delete_sessions(self, ids: Collection[bytes], event: Event | None) -> int:
        def end(connection: Connection) -> int:
            ended = connection.execute(delete(SESSIONS).where(SESSIONS.c.id_sha256.in_(ids))).rowcount
            append_events(connection, [event] if ended and event else [])
            return ended

        return await self._database.write(end)

    async def prune_sessions(self, expired_before: datetime, idle_since: datetime) -> int:
        over = delete(SESSIONS).where((SESSIONS.c.expires_at < expired_before) | (SESSIONS.c.seen_at < idle_since))
        return await self._database.write(lambda connection: connection.execute(over).rowcount)


def _add(connection: Connection, session: Session, event: Event | None, replaces: bytes | None) -> None:
    if replaces is not None:
        connection.execute(delete(SESSIONS).where(SESSIONS.c.id_sha256 == replaces))
    connection.execute(insert(SESSIONS).values({name: getattr(session, name) for name in _COLUMNS}))
    if event is not None:
        owner = USERS.c.id == session.user_id
        connection.execute(update(USERS).where(owner).values(signed_in_at=session.created_at))
        append_events(connection, [event])


def _find(connection: Connection, id_sha256: bytes) -> tuple[Session, User] | None:
    row = connection.execute(select(SESSIONS).where(SESSIONS.c.id_sha256 == id_sha256)).first()
    if row is None:
        return None
    owner = connection.execute(select(USERS).where(USERS.c.id == row.user_id)).one()
    return _of(row), user_of(owner)


def _of(row: Row[Any]) -> Session:
    return Session(**{name: getattr(row, name) for name in _COLUMNS})
