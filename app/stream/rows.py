"""Payloads as rows and back, and the SQL that writes many rows in one statement.

One statement writes up to a hundred rows: it costs half of what executemany does, and SQLite gives the interpreter
lock away and takes it back once per statement and not once per row, which a busy event loop would make slow.
A statement names only the columns that its rows fill: Python's driver looks for an adapter for each None it binds,
and most fields of most observations are None.
"""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain, compress
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import sqlite

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.instants import instant, micros
from app.core.floor.observation import Observation
from app.ports.stream import StreamRecord

Row = tuple[Any, ...]
Shape = tuple[bool, ...]  # which columns of a row are filled

# A rest is written with the next smaller size, so that few statements are ever prepared.
_SIZES = (100, 25, 5, 1)
_UNIQUE_KEYS = {"observations": ("observed_at", "queue", "source"), "contact_events": ("contact_id", "event")}
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


def insert_new(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Insert rows, each in column order; return how many were new.

    A row whose unique key is there already is left out; of rows with the same key among `rows` any one may be in.
    """
    return sum(_insert_shape(connection, table, shape, values) for shape, values in _by_shape(rows))


def _by_shape(rows: Sequence[Row]) -> Iterable[tuple[Shape, Sequence[Any]]]:
    """Return the filled values of the rows, those of one shape after each other; nearly always all are of one."""
    columns = list(zip(*rows, strict=True))
    empty = [column.count(None) for column in columns]
    if all(count in (0, len(rows)) for count in empty):
        shape = tuple([count == 0 for count in empty])
        return [(shape, list(chain.from_iterable(zip(*compress(columns, shape), strict=True))))] if rows else []
    shapes: dict[Shape, list[Any]] = {}
    for row in rows:
        shape = tuple([value is not None for value in row])
        values = shapes.get(shape)
        if values is None:
            values = shapes[shape] = []
        values += compress(row, shape)
    return shapes.items()


def _insert_shape(connection: Connection, table: Table, shape: Shape, values: Sequence[Any]) -> int:
    """Insert the rows whose filled columns follow each other in `values`."""
    inserted, start, columns = 0, 0, sum(shape)
    for size in _SIZES:
        width = size * columns
        while len(values) - start >= width:
            chunk = tuple(values[start : start + width])
            inserted += connection.exec_driver_sql(_insert_sql(table, shape, size), chunk).rowcount
            start += width
    return inserted


def positions_above(connection: Connection, table: Table, base: int) -> set[int]:
    """Return the positions above `base` that the table has."""
    position = table.c.position
    return set(connection.execute(select(position).where(position > base)).scalars())


def rows_above(connection: Connection, table: Table, base: int, limit: int) -> Sequence[Row]:
    """Return up to `limit` rows with a position above `base`, in order."""
    result = connection.exec_driver_sql(_read_sql(table), (base, limit))
    rows: Sequence[Row] = result.cursor.fetchall()  # plain tuples: SQLAlchemy's own rows would take twice as long
    result.close()
    return rows


@lru_cache(maxsize=256)
def _insert_sql(table: Table, shape: Shape, size: int) -> str:
    row = dict.fromkeys(compress(table.columns.keys(), shape))
    key = _UNIQUE_KEYS[table.name]
    insert = sqlite.insert(table).values([row] * size).on_conflict_do_nothing(index_elements=key)
    return str(insert.compile(dialect=sqlite.dialect()))


@cache
def _read_sql(table: Table) -> str:
    columns = ", ".join(f'"{name}"' for name in table.columns.keys())  # noqa: SIM118  # no dict
    return f"SELECT {columns} FROM {table.name} WHERE position > ? ORDER BY position LIMIT ?"  # noqa: S608  # our names
