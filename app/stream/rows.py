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
Columns = Sequence[tuple[Any, ...]]  # of a table, in its order: rows turned over, which costs a tenth of making each

UNIQUE_KEYS = {"observations": ("observed_at", "queue", "source"), "contact_events": ("contact_id", "event")}
_KINDS = {kind.value: kind for kind in ContactEventKind}

_received = lru_cache(maxsize=64)(instant)  # the records of one append share theirs
_came = lru_cache(maxsize=64)(micros)


def observation_columns(records: Sequence[StreamRecord]) -> Columns:
    """Return what records of observations, at least one, fill each column of their table with."""
    positions, came_at, observations = zip(*records, strict=True)
    queues, instants, *others = zip(*observations, strict=True)
    return positions, tuple(map(_came, came_at)), queues, tuple(map(micros, instants)), *others


def contact_columns(records: Sequence[StreamRecord]) -> Columns:
    """Return what records of contact events, at least one, fill each column of their table with."""
    positions, came_at, events = zip(*records, strict=True)
    contact_ids, queues, kinds, instants, *others = zip(*events, strict=True)
    values = tuple([kind.value for kind in kinds])
    return positions, tuple(map(_came, came_at)), contact_ids, queues, values, tuple(map(micros, instants)), *others


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
    result = connection.exec_driver_sql(_read_sql(table, mark_of(connection)), (base, limit))
    rows: Sequence[Row] = result.cursor.fetchall()  # plain tuples: SQLAlchemy's own rows would take twice as long
    result.close()
    return rows


def mark_of(connection: Connection) -> str:
    """Return what stands for a parameter in the SQL of a connection's driver."""
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


@cache
def _read_sql(table: Table, mark: str) -> str:
    columns = ", ".join(f'"{name}"' for name in table.columns.keys())  # noqa: SIM118  # no dict
    return f"SELECT {columns} FROM {table.name} WHERE position > {mark} ORDER BY position LIMIT {mark}"  # noqa: S608  # our names
