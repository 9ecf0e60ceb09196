"""The DisplayStore port, on SQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app.core.event import Event
from app.errors import NotFound
from app.ports.displays import Display
from app.store.display_tables import DISPLAYS
from app.store.engine import Database
from app.store.events import append_events

_COLUMNS = tuple(DISPLAYS.columns.keys())


class SqlDisplays:
    """The DisplayStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_display(self, display: Display, event: Event) -> None:
        await self._database.write(lambda connection: _add(connection, display, event))

    async def displays(self) -> Sequence[Display]:
        return await self._database.read(_all)

    async def revoke_display(self, display_id: str, at: datetime, event: Event) -> Display:
        return await self._database.write(lambda connection: _revoke(connection, display_id, at, event))

    async def mark_displays_seen(self, display_ids: Collection[str], at: datetime) -> None:
        seen = update(DISPLAYS).where(DISPLAYS.c.id.in_(sorted(display_ids))).values(seen_at=at)
        await self._database.write(lambda connection: connection.execute(seen))


def _all(connection: Connection) -> list[Display]:
    ordered = select(DISPLAYS).order_by(DISPLAYS.c.created_at, DISPLAYS.c.id)
    return [_display(row) for row in connection.execute(ordered)]


def _add(connection: Connection, display: Display, event: Event) -> None:
    row = {name: getattr(display, name) for name in _COLUMNS} | {"queues": list(display.queues)}
    connection.execute(insert(DISPLAYS).values(row))
    append_events(connection, [event])


def _revoke(connection: Connection, display_id: str, at: datetime, event: Event) -> Display:
    """Revoke once: the first time stays, and only it is an event."""
    still_good = (DISPLAYS.c.id == display_id) & DISPLAYS.c.revoked_at.is_(None)
    if connection.execute(update(DISPLAYS).where(still_good).values(revoked_at=at)).rowcount:
        append_events(connection, [event])
    row = connection.execute(select(DISPLAYS).where(DISPLAYS.c.id == display_id)).first()
    if row is None:
        raise NotFound(f"there is no screen {display_id!r}")
    return _display(row)


def _display(row: Row[Any]) -> Display:
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return Display(**values | {"queues": tuple(values["queues"])})
