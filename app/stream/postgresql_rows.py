"""Many rows into a database of PostgreSQL's.

They are copied, which takes a quarter of what statements take. A copy stops at the first row that is there already;
then it is taken back, and the rows are inserted from a table of their own, which leaves those out.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import psycopg
from psycopg import Cursor
from psycopg.errors import CheckViolation, UniqueViolation
from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from app.core.floor.instants import SECOND
from app.stream.rows import UNIQUE_KEYS, Columns, Row
from app.stream.tables import OBSERVATIONS

_OBSERVED_AT = 3  # its place in a row
_DAY = 86_400 * SECOND
_TYPES = {"BIGINT": "int8", "FLOAT": "float8", "VARCHAR": "text"}
_DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


def insert_new(connection: Connection, table: Table, columns: Columns) -> int:
    """Insert rows, given as the table's columns; return how many were new.

    A row whose unique key is there already is left out; of rows with the same key among these any one may be in.
    """
    rows = list(zip(*columns, strict=True))
    with _cursor(connection) as cursor:
        try:
            return _write(cursor, table, rows)
        except CheckViolation:  # perhaps a month that has no table yet; whatever else it was, it comes again
            if table is not OBSERVATIONS:
                raise
            cursor.execute("ROLLBACK TO SAVEPOINT written")
            _add_months(cursor, rows)
            return _write(cursor, table, rows)


def _write(cursor: Cursor[Row], table: Table, rows: Sequence[Row]) -> int:
    cursor.execute("SAVEPOINT written")
    try:
        _copy(cursor, table.name, table, rows)
    except UniqueViolation:
        cursor.execute("ROLLBACK TO SAVEPOINT written")
        return _insert_missing(cursor, table, rows)
    return len(rows)


def _add_months(cursor: Cursor[Row], rows: Sequence[Row]) -> None:
    """Make the tables of the months in which the rows were observed, those that are missing."""
    for at in sorted({row[_OBSERVED_AT] // _DAY * _DAY for row in rows}):
        cursor.execute("SELECT add_month_of_observations(%s)", (at,))


@contextmanager
def _cursor(connection: Connection) -> Iterator[Cursor[Row]]:
    """Yield psycopg's own cursor, under SQLAlchemy's; its errors become SQLAlchemy's all the same."""
    cursor: Cursor[Row] = connection.connection.cursor()  # type: ignore[assignment]
    try:
        with cursor:
            yield cursor
    except psycopg.Error as fault:
        raise DBAPIError.instance("COPY", None, fault, psycopg.Error, dialect=connection.dialect) from fault


def _insert_missing(cursor: Cursor[Row], table: Table, rows: Sequence[Row]) -> int:
    """Insert the rows whose unique key is not there; return how many."""
    offered, key = f"offered_{table.name}", ", ".join(UNIQUE_KEYS[table.name])
    cursor.execute(f"CREATE TEMP TABLE {offered} (LIKE {table.name}) ON COMMIT DROP")
    _copy(cursor, offered, table, rows)
    cursor.execute(
        f"INSERT INTO {table.name} SELECT * FROM {offered} ORDER BY position ON CONFLICT ({key}) DO NOTHING"  # noqa: S608
    )
    inserted = cursor.rowcount
    cursor.execute(f"DROP TABLE {offered}")
    return inserted


def _copy(cursor: Cursor[Row], target: str, table: Table, rows: Sequence[Row]) -> None:
    names, types = _columns(table)
    with cursor.copy(f"COPY {target} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


@cache
def _columns(table: Table) -> tuple[str, tuple[str, ...]]:
    """Return the names of a table's columns as SQL, and PostgreSQL's names of their types."""
    types = tuple(_TYPES[column.type.compile(dialect=_DIALECT)] for column in table.columns)
    return ", ".join(f'"{name}"' for name in table.columns.keys()), types  # noqa: SIM118  # no dict
