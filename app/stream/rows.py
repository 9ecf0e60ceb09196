"""Payloads as rows of the stream's tables, and back."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Connection, Table, select

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.instants import instant, micros
from app.core.floor.observation import Observation
from app.ports.stream import StreamRecord

Row = tuple[Any, ...]

UNIQUE_KEYS = {"observations": ("observed_at", "queue", "source"), "contact_events": ("contact_id", "event")}
_KINDS = {kind.value: kind for kind in ContactEventKind}

_received = lru_cache(maxsize=64)(instant)  # the records of one append share theirs


def observation_row(position: int, received: int, item: Observation) -> Row:
    """Return the row of the observations table; received in microseconds."""
    start: Row = (position, received, item[0], micros(item[1]))
    return start + item[2:]


def contact_row(position: int, received: int, item: ContactEvent) -> Row:
    """Return the row of the contact_events table; received in microseconds."""
    contact_id, queue, event, at, *rest = item
    return (position, received, contact_id, queue, event.value, micros(at), *rest)


def observation_record(row: Row) -> StreamRecord:
    """Return the record that a row of the observations table stands for."""
    payload = Observation._make((row[2], instant(row[3]), *row[4:]))
    return StreamRecord(row[0], _received(row[1]), payload)


def contact_record(row: Row) -> StreamRecord:
    """Return the record that a row of the contact_events table stands for."""
    payload = ContactEvent(row[2], row[3], _KINDS[row[4]], instant(row[5]), *row[6:])
    return StreamRecord(row[0], _received(row[1]), payload)


def positions_above(connection: Connection, table: Table, base: int) -> set[int]:
    """Return the positions above `base` that the table has."""
    position = table.c.position
    return set(connection.execute(select(position).where(position > base)).scalars())


def rows_above(connection: Connection, table: Table, base: int, limit: int) -> Sequence[Row]:
    """Return up to `limit` rows with a position above `base`, in order."""
    result = connection.exec_driver_sql(_read_sql(table, connection.dialect.paramstyle), (base, limit))
    rows: Sequence[Row] = result.cursor.fetchall()  # plain tuples: SQLAlchemy's own rows would take twice as long
    result.close()
    return rows


@cache
def _read_sql(table: Table, style: str) -> str:
    mark = "?" if style == "qmark" else "%s"
    columns = ", ".join(f'"{name}"' for name in table.columns.keys())  # noqa: SIM118  # no dict
    return f"SELECT {columns} FROM {table.name} WHERE position > {mark} ORDER BY position LIMIT {mark}"  # noqa: S608  # our names
