"""The UserStore port, on SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from app.core.access import Role
from app.core.account.invitation import Invitation, Purpose
from app.core.event import Event
from app.errors import Conflict, NotFound
from app.ports.users import LastAdmin, User
from app.store.account_tables import INVITATIONS, SESSIONS, USERS
from app.store.engine import Database
from app.store.events import append_events

_COLUMNS = tuple(USERS.columns.keys())
_ADMINS = (USERS.c.role == Role.ADMIN) & USERS.c.disabled_at.is_(None)


class SqlUsers:
    """The UserStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def users(self) -> Sequence[User]:
        query = select(USERS).order_by(USERS.c.email)
        return await self._database.read(lambda connection: [user_of(row) for row in connection.execute(query)])

    async def user(self, user_id: str) -> User:
        return await self._database.read(lambda connection: _user(connection, user_id))

    async def user_of(self, email: str) -> User | None:
        query = select(USERS).where(USERS.c.email == email)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else user_of(row)

    async def add_user(self, user: User, event: Event, *, first: bool = False) -> None:
        await self._database.write(lambda connection: _add(connection, user, event, first=first))

    async def admit(self, invitation: Invitation, user: User, event: Event) -> None:
        def by_link(connection: Connection) -> None:
            _use_up(connection, invitation)
            _add(connection, user, event, first=invitation.purpose is Purpose.SETUP)

        await self._database.write(by_link)

    async def save_user(
        self, user: User, event: Event, *, expected: int, ends_sessions: bool, invitation: Invitation | None = None
    ) -> None:
        def save(connection: Connection) -> None:
            if invitation is not None:
                _use_up(connection, invitation)
            _save(connection, user, expected)
            if ends_sessions:
                connection.execute(delete(SESSIONS).where(SESSIONS.c.user_id == user.id))
            append_events(connection, [event])

        await self._database.write(save)

    async def save_hash(self, user_id: str, former: str, password_hash: str) -> None:
        same = (USERS.c.id == user_id) & (USERS.c.password_hash == former)
        change = update(USERS).where(same).values(password_hash=password_hash)
        await self._database.write(lambda connection: connection.execute(change))


def user_of(row: Row[Any]) -> User:
    """Return what a row of the users' table says."""
    values = {name: getattr(row, name) for name in _COLUMNS}
    return User(**values | {"role": Role(row.role)})


def _user(connection: Connection, user_id: str) -> User:
    row = connection.execute(select(USERS).where(USERS.c.id == user_id)).first()
    if row is None:
        raise NotFound(f"there is no user {user_id!r}")
    return user_of(row)


def _add(connection: Connection, user: User, event: Event, *, first: bool) -> None:
    taken = USERS.c.id.is_not(None) if first else USERS.c.email == user.email
    if connection.execute(select(USERS.c.id).where(taken).limit(1)).first() is not None:
        raise Conflict("somebody is there already" if first else f"{user.email} is a user already")
    connection.execute(insert(USERS).values(_values(user)))
    append_events(connection, [event])


def _save(connection: Connection, user: User, expected: int) -> None:
    present = _user(connection, user.id)
    if present.revision != expected:
        raise Conflict(f"user {user.id} is at revision {present.revision}, not {expected}: read it again")
    changed = {name: value for name, value in _values(user).items() if name != "signed_in_at"}  # sessions write it
    connection.execute(update(USERS).where(USERS.c.id == user.id).values(changed))
    if not connection.execute(select(func.count()).where(_ADMINS)).scalar():
        raise LastAdmin(f"{present.email} is the only admin; make somebody else one first")


def _use_up(connection: Connection, invitation: Invitation) -> None:
    same = INVITATIONS.c.token_sha256 == invitation.token_sha256
    if connection.execute(delete(INVITATIONS).where(same)).rowcount != 1:
        raise NotFound("this link was used already, or withdrawn; ask for another one")


def _values(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in _COLUMNS}
