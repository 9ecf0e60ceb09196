"""Whole tables, read row by row and filled, in whichever database they are.

A row is a tuple of plain values in the order of the declared columns, the same tuple in every database: a truth value
is a bool, a JSON document its text as it was written, an instant its microseconds.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any

import psycopg
from sqlalchemy import JSON, Boolean, Connection, Dialect, Table
from sqlalchemy.dialects import postgresql

from app.core.floor.instants import SECOND
from app.errors import Invalid
from app.store import bundle  # noqa: F401  # it knows all stores, and with them all tables
from app.store.tables import INSTALLATION
from app.stream.tables import OBSERVATIONS

Row = tuple[Any, ...]

BATCH = 10_000  # rows in memory at a time
_DAY = 86_400 * SECOND
_OBSERVED_AT = operator.itemgetter(OBSERVATIONS.columns.keys().index("observed_at"))
# How a value travels, by the declared type of its column. A JSON document travels as its text.
_TYPES = {"BIGINT": "int8", "INTEGER": "int4", "FLOAT": "float8", "VARCHAR": "text", "JSON": "text"}
_TYPES |= {"BYTEA": "bytea", "BOOLEAN": "bool"}
_DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


def all_tables() -> list[Table]:
    """Return every table of this version's schema, those that others refer to before those."""
    return [*OBSERVATIONS.metadata.sorted_tables, *INSTALLATION.metadata.sorted_tables]


def read(connection: Connection, table: Table) -> Iterator[Sequence[Row]]:
    """Yield all rows by primary key, at most BATCH at a time."""
    key = ", ".join(f'"{column.name}"' for column in table.primary_key)
    statement = f"SELECT {_names(table)} FROM {table.name} ORDER BY {key}"  # noqa: S608  # our own names
    rows = _from_server if is_server(connection) else _from_file
    yield from rows(connection, table, statement)


def fill(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows. Raises Invalid, naming table and row, for one that this database cannot hold."""
    if is_server(connection):
        _into_server(connection, table, rows)
    else:
        marks = ", ".join("?" * len(table.columns))
        insert = f"INSERT INTO {table.name} ({_names(table)}) VALUES ({marks})"  # noqa: S608  # our own names
        connection.exec_driver_sql(insert, list(rows))


def is_server(connection: Connection) -> bool:
    """Tell whether a connection is to a server of PostgreSQL's and not to a file."""
    return connection.dialect.name == "postgresql"


def _from_file(connection: Connection, table: Table, statement: str) -> Iterator[Sequence[Row]]:
    """Yield rows of SQLite's, which knows neither truth values nor documents, and takes a document "5" for a number."""
    kinds = [
        bool if isinstance(column.type, Boolean) else str if isinstance(column.type, JSON) else None
        for column in table.columns
    ]
    repairs = [(place, kind) for place, kind in enumerate(kinds) if kind]
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    while batch := cursor.fetchmany(BATCH):
        yield [_repaired(row, repairs) for row in batch] if repairs else batch
    cursor.close()


def _repaired(row: Row, repairs: Sequence[tuple[int, Callable[[Any], object]]]) -> Row:
    values = list(row)
    for place, kind in repairs:
        if values[place] is not None:
            values[place] = kind(values[place])
    return tuple(values)


def _from_server(connection: Connection, table: Table, statement: str) -> Iterator[Sequence[Row]]:
    with _cursor(connection) as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT BINARY)".encode()) as copy:
        copy.set_types(_types(table))
        rows = copy.rows()
        while batch := list(islice(rows, BATCH)):
            yield batch


def _into_server(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    with _cursor(connection) as cursor:
        if table is OBSERVATIONS:
            for day in sorted({_OBSERVED_AT(row) // _DAY for row in rows}):
                cursor.execute("SELECT add_month_of_observations(%s)", (day * _DAY,))
        try:
            _copy(cursor, table, rows)
        except (psycopg.DataError, psycopg.IntegrityError) as fault:
            raise _refused(table, next(filter(_text_with_nul, rows), None), fault) from fault


def _copy(cursor: psycopg.Cursor[Row], table: Table, rows: Sequence[Row]) -> None:
    with cursor.copy(f"COPY {table.name} ({_names(table)}) FROM STDIN (FORMAT BINARY)".encode()) as copy:
        copy.set_types(_types(table))
        for row in rows:
            try:
                copy.write_row(row)
            except (TypeError, ValueError, OverflowError) as fault:  # SQLite keeps any value in any column
                raise _refused(table, row, fault) from fault


def _refused(table: Table, row: Row | None, fault: Exception) -> Invalid:
    """Return what is wrong with a row, None for one that only the server's own words tell."""
    if row is None:
        return Invalid(f"table {table.name}: {' '.join(str(fault).split())}")
    values = dict(zip(table.columns.keys(), row, strict=True))
    key = ", ".join(f"{column.name} {values[column.name]!r}" for column in table.primary_key)
    nul = _text_with_nul(row)
    why = f"{list(values)[nul - 1]} holds a NUL character, which PostgreSQL cannot keep" if nul else str(fault)
    return Invalid(f"table {table.name}, row {key}: {why}")


def _text_with_nul(row: Row) -> int:
    """Return the place, from 1 on, of the first text of a row that holds a NUL character; 0: none does."""
    return next((place for place, value in enumerate(row, 1) if isinstance(value, str) and "\0" in value), 0)


@contextmanager
def _cursor(connection: Connection) -> Iterator[psycopg.Cursor[Row]]:
    """Yield psycopg's own cursor, under SQLAlchemy's."""
    cursor: psycopg.Cursor[Row] = connection.connection.cursor()  # type: ignore[assignment]
    with cursor:
        yield cursor


@cache
def _names(table: Table) -> str:
    return ", ".join(f'"{name}"' for name in table.columns.keys())  # noqa: SIM118  # no dict


@cache
def _types(table: Table) -> tuple[str, ...]:
    return tuple(_TYPES[column.type.compile(dialect=_DIALECT)] for column in table.columns)
