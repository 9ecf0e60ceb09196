"""Many rows into a file of SQLite's.

One statement writes up to a hundred rows: it costs half of what executemany does, and SQLite gives the interpreter
lock away and takes it back once per statement and not once per row, which a busy event loop would make slow.
A statement names only the columns that its rows fill: Python's driver looks for an adapter for each None it binds,
and most fields of most observations are None.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, compress
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

from app.stream.rows import UNIQUE_KEYS, Columns

Shape = tuple[bool, ...]  # which columns of a row are filled

# A rest is written with the next smaller size, so that few statements are ever prepared; of what waits where each
# request has one record, the whole.
_SIZES = (100, 25, *range(16, 0, -1))


def insert_new(connection: Connection, table: Table, columns: Columns) -> int:
    """Insert rows, given as the table's columns; return how many were new.

    A row whose unique key is there already is left out; of rows with the same key among these any one may be in.
    """
    return sum(_insert_shape(connection, table, shape, values) for shape, values in _by_shape(columns))


def _by_shape(columns: Columns) -> Iterable[tuple[Shape, Sequence[Any]]]:
    """Return the filled values of the rows, those of one shape after each other; nearly always all are of one."""
    empty, size = [column.count(None) for column in columns], len(columns[0])
    if all(count in (0, size) for count in empty):
        shape = tuple([count == 0 for count in empty])
        return [(shape, list(chain.from_iterable(zip(*compress(columns, shape), strict=True))))]
    shapes: dict[Shape, list[Any]] = {}
    for row in zip(*columns, strict=True):
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


@lru_cache(maxsize=256)
def _insert_sql(table: Table, shape: Shape, size: int) -> str:
    row = dict.fromkeys(compress(table.columns.keys(), shape))
    key = UNIQUE_KEYS[table.name]
    insert = sqlite.insert(table).values([row] * size).on_conflict_do_nothing(index_elements=key)
    return str(insert.compile(dialect=sqlite.dialect()))
