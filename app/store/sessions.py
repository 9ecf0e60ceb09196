"""Browser sessions, on SQL: who is signed in, by the hash of the cookie's id."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Connection, ForeignKey, Index, Table, delete, insert, select
from sqlmodel import Field

from app.ports.sessions import Session
from app.store.engine import Database
from app.store.tables import StoreTable
from app.store.types import UtcDateTime


class SessionRow(StoreTable, table=True):
    """A signed-in browser."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index(None, "expires_at"),
        CheckConstraint("length(id_sha256) = 32", name="digest"),
    )

    id_sha256: bytes = Field(primary_key=True)
    key_id: str = Field(sa_column_args=[ForeignKey("api_keys.id", ondelete="CASCADE")])
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


SESSIONS: Table = StoreTable.metadata.tables["sessions"]


class SqlSessions:
    """The SessionStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_session(self, session: Session) -> None:
        await self._database.write(lambda connection: _add(connection, session))

    async def session(self, id_sha256: bytes) -> Session | None:
        return await self._database.read(lambda connection: _find(connection, id_sha256))

    async def delete_session(self, id_sha256: bytes) -> None:
        await self._database.write(
            lambda connection: connection.execute(delete(SESSIONS).where(SESSIONS.c.id_sha256 == id_sha256))
        )

    async def prune_sessions(self, expired_before: datetime) -> int:
        return await self._database.write(
            lambda connection: (
                connection.execute(delete(SESSIONS).where(SESSIONS.c.expires_at < expired_before)).rowcount
            )
        )


def _add(connection: Connection, session: Session) -> None:
    row = {name: getattr(session, name) for name in ("id_sha256", "key_id", "created_at", "expires_at")}
    connection.execute(insert(SESSIONS).values(row))


def _find(connection: Connection, id_sha256: bytes) -> Session | None:
    row = connection.execute(select(SESSIONS).where(SESSIONS.c.id_sha256 == id_sha256)).first()
    return None if row is None else Session(row.id_sha256, row.key_id, row.created_at, row.expires_at)
