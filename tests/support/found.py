"""What an installation has written down, read by plain SELECTs: the other half of the evidence.

Nothing here goes through holdfire's own code, so that a fault of its reading cannot hide one of its writing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, create_engine, make_url, text

GAUGES = ("backlog", "oldest_wait_seconds", "contacts_in_progress", "agents_staffed", "agents_available", "agents_busy")
MEASURES = (
    *GAUGES,
    *("speed_to_answer_seconds", "handle_time_seconds", "service_level_ratio", "abandonment_ratio"),
    *("occupancy_ratio", "offered", "answered", "abandoned", "answered_within_target"),
    *("wait_seconds_sum", "handle_seconds_sum"),
)
Row = Mapping[str, Any]


class Kept(NamedTuple):
    """An observation as the stream has it; instants in microseconds since 1970. values: those it has."""

    position: int
    received_us: int
    source: str
    queue: str
    observed_us: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Found:
    """All that the reference judges by. Rows are as their tables have them; keys of repeats are idempotency keys."""

    observations: Sequence[Kept] = ()
    of_contacts: frozenset[str] = frozenset()  # queues that contact events tell of
    retired: frozenset[str] = frozenset()
    policies: Mapping[tuple[str, int], Row] = field(default_factory=dict)
    overrides: Mapping[str, Row] = field(default_factory=dict)
    decisions: Mapping[str, Row] = field(default_factory=dict)
    permits: Mapping[str, Row] = field(default_factory=dict)
    repeats: Mapping[str, str] = field(default_factory=dict)
    events: Sequence[Row] = ()


def url_of(folder: Path) -> str:
    """Return the URL of the database in a data folder."""
    return f"sqlite:///{folder / 'holdfire.db'}"


def find(url: str) -> Found:
    """Return what the database at `url` has, also while it is in use."""
    target = make_url(url)
    if target.drivername == "postgresql":
        target = target.set(drivername="postgresql+psycopg")
    engine = create_engine(target)
    try:
        with engine.connect() as connection:
            return _found(connection)
    finally:
        engine.dispose()


def _found(connection: Connection) -> Found:
    def rows(table: str, order: str) -> list[Row]:
        statement = text(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608  # our own names
        return [_plain(dict(row)) for row in connection.execute(statement).mappings()]

    return Found(
        observations=[kept(row) for row in rows("observations", "position")],
        of_contacts=frozenset(connection.execute(text("SELECT DISTINCT queue FROM contact_events")).scalars()),
        retired=frozenset(row["queue"] for row in rows("queue_targets", "queue") if row["retired_at"] is not None),
        policies={(row["gate"], row["version"]): row for row in rows("policies", "gate, version")},
        overrides={row["id"]: row for row in rows("overrides", "id")},
        decisions={row["id"]: row for row in rows("decisions", "at, id")},
        permits={row["id"]: row for row in rows("permits", "granted_at, id")},
        repeats={row["idempotency_key"]: row["permit_id"] for row in rows("permit_repeats", "permit_id")},
        events=rows("events", "seq"),
    )


def _plain(row: Row) -> Row:
    """Return a row with its JSON read, which one database gives as text and the other does not."""
    return {name: _read(name, value) for name, value in row.items()}


def _read(name: str, value: Any) -> Any:
    is_json = name in {"document", "reasons", "matchers", "before", "after"} and isinstance(value, str)
    return json.loads(value) if is_json and value[:1] in {"{", "[", "n"} else value


def kept(row: Row) -> Kept:
    """Return a row of the table of observations."""
    values = {name: row[name] for name in MEASURES if row[name] is not None}
    return Kept(row["position"], row["received_at"], row["source"], row["queue"], row["observed_at"], values)
