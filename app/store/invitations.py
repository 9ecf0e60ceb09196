"""The InvitationStore port, on SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from app.core.access import Role
from app.core.account.invitation import Invitation, Purpose
from app.core.event import Event
from app.errors import NotFound
from app.store.account_tables import INVITATIONS
from app.store.engine import Database
from app.store.events import append_events

_COLUMNS = tuple(INVITATIONS.columns.keys())


class SqlInvitations:
    """The InvitationStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def invitations(self, now: datetime) -> Sequence[Invitation]:
        newest = INVITATIONS.c.created_at.desc(), INVITATIONS.c.id
        query = select(INVITATIONS).where(INVITATIONS.c.expires_at > now).order_by(*newest)
        return await self._database.read(lambda connection: [_of(row) for row in connection.execute(query)])

    async def invitation(self, token_sha256: bytes) -> Invitation | None:
        query = select(INVITATIONS).where(INVITATIONS.c.token_sha256 == token_sha256)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _of(row)

    async def add_invitation(self, invitation: Invitation, event: Event | None) -> None:
        await self._database.write(lambda connection: _add(connection, invitation, event))

    async def withdraw(self, invitation_id: str, event: Event) -> Invitation:
        return await self._database.write(lambda connection: _withdraw(connection, invitation_id, event))


def _of(row: Row[Any]) -> Invitation:
    values = {name: getattr(row, name) for name in _COLUMNS}
    return Invitation(**values | {"purpose": Purpose(row.purpose), "role": Role(row.role)})


def _add(connection: Connection, invitation: Invitation, event: Event | None) -> None:
    table = INVITATIONS.c
    same = (table.purpose == invitation.purpose) & (table.email == invitation.email)
    same &= table.user_id.is_not_distinct_from(invitation.user_id)
    connection.execute(delete(INVITATIONS).where(same | (table.expires_at <= invitation.created_at)))
    connection.execute(insert(INVITATIONS).values({name: getattr(invitation, name) for name in _COLUMNS}))
    append_events(connection, [event] if event else [])


def _withdraw(connection: Connection, invitation_id: str, event: Event) -> Invitation:
    row = connection.execute(select(INVITATIONS).where(INVITATIONS.c.id == invitation_id)).first()
    if row is None:
        raise NotFound(f"there is no invitation {invitation_id!r}")
    connection.execute(delete(INVITATIONS).where(INVITATIONS.c.id == invitation_id))
    append_events(connection, [event])
    return _of(row)
