"""A row for every table of a database, whatever its schema's version: something in each column, within all rules."""

from collections.abc import Container, Iterable
from typing import Any

from sqlalchemy import Connection, MetaData, Table

SEEDED = frozenset({"alembic_version", "stream_head"})  # have their row with their schema
MONTH = 1_790_000_000_000_000  # microseconds; an instant in September 2026
# Values of columns whose rules allow few; each table takes its own before those of any table.
WORDS: dict[str, Any] = {
    "event": "queued",
    "kind": "transition",
    "permit_ledger.kind": "gate",
    "effect": "hold",
    "role": "viewer",
    "purpose": "join",
    "media_type": "image/png",
    "state": "active",
    "campaigns.state": "draft",
    "deliveries.state": "pending",
    "waiting_asks.state": "granted",
    "form": "standard",
    "size": 32,  # of the bytes below
    "ends_at": 2 * MONTH,
    "observed_at": MONTH,
}
VALUES: dict[type, Any] = {
    int: 1,
    float: 0.1,
    str: "ünïcødé \U0001f4de",
    bool: True,
    bytes: bytes(range(32)),
    object: {"a": [1, 2.5, None, "ü"], "b": {}},
}


# What replicas tell each other on PostgreSQL, about no data.
OF_REPLICAS = frozenset({"changes", "leases", "oldest_reader", "replicas"})


def base_tables(connection: Connection, without: Container[str] = ()) -> list[Table]:
    """Return the tables that are there now, as the database tells them, those that others refer to first."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name not in without and not name.startswith("observations_"))
    for name in OF_REPLICAS & found.tables.keys():
        found.remove(found.tables[name])
    return [table for table in found.sorted_tables if table.name not in without]


def fill(connection: Connection, tables: Iterable[Table]) -> dict[str, dict[str, Any]]:
    """Insert a row into each of the tables; return what was inserted, by table."""
    rows = {table.name: a_row(table) for table in tables if table.name not in SEEDED}
    for table in tables:
        if table.name in rows:
            _make_room(connection, table)
            connection.execute(table.insert(), rows[table.name])
    return rows


def _make_room(connection: Connection, table: Table) -> None:
    """Make a table for the month that the row belongs to, where observations have one per month."""
    parted = "SELECT 1 FROM pg_partitioned_table WHERE partrelid = to_regclass(%s)"
    if connection.dialect.name == "postgresql" and connection.exec_driver_sql(parted, (table.name,)).first():
        connection.exec_driver_sql(f"SELECT add_month_of_{table.name}(%s)", (MONTH,))


def a_row(table: Table) -> dict[str, Any]:
    """Return a row for a table: something in every column."""
    return {column.name: _value(table.name, column.name, column.type.python_type) for column in table.columns}


def _value(table: str, column: str, kind: type) -> Any:
    return WORDS.get(f"{table}.{column}", WORDS.get(column, VALUES[kind]))
