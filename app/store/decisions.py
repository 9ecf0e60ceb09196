"""The decision log, on SQL."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, tuple_
from sqlalchemy.dialects.sqlite import insert

from app.core.floor.instants import micros
from app.errors import Invalid, NotFound
from app.ports import DecisionRow, Transition
from app.store.engine import Database
from app.store.tables import DECISIONS

PAGE_LIMIT = 1_000
_COLUMNS = tuple(DECISIONS.columns.keys())


class SqlDecisions:
    """The DecisionLog port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, rows: Sequence[DecisionRow]) -> None:
        if rows:
            await self._database.write(lambda connection: record_decisions(connection, rows))

    async def decision(self, decision_id: str) -> DecisionRow:
        query = select(DECISIONS).where(DECISIONS.c.id == decision_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise NotFound(f"there is no decision {decision_id!r}")
        return _row(row)

    async def decisions(
        self,
        *,
        gate: str | None = None,
        kind: str | None = None,
        verdict: str | None = None,
        start: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[DecisionRow]:
        """Return rows newest first; start is included, until is not. Raises Invalid for a limit outside 1..1,000."""
        if not 1 <= limit <= PAGE_LIMIT:
            raise Invalid(f"limit={limit} must be between 1 and {PAGE_LIMIT:,}")
        column = DECISIONS.c
        wanted: list[ColumnElement[bool]] = [
            column[name] == value for name, value in (("gate", gate), ("kind", kind), ("verdict", verdict)) if value
        ]
        if start is not None:
            wanted.append(column.at >= start)
        if until is not None:
            wanted.append(column.at < until)
        if before is not None:
            wanted.append(tuple_(column.at, column.id) < before)
        query = select(DECISIONS).where(*wanted).order_by(column.at.desc(), column.id.desc()).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_row(row) for row in rows]


def add_transitions(connection: Connection, transitions: Sequence[Transition]) -> None:
    """Write transitions as rows of the log; one that is there already (gate, at, after) stays as it is."""
    if transitions:
        rows = [_values(_from_transition(transition)) for transition in transitions]
        connection.execute(insert(DECISIONS).on_conflict_do_nothing(), rows)


def transition_id(transition: Transition) -> str:
    """Return the same id for the same change, however often it is evaluated."""
    name = f"{transition.gate}|{micros(transition.at)}|{transition.after}"
    return f"dec_{hashlib.sha256(name.encode()).hexdigest()[:24]}"


def record_decisions(connection: Connection, rows: Sequence[DecisionRow]) -> None:
    """Write rows of the log in the caller's transaction; one whose id is there already gets count and last_at."""
    new = insert(DECISIONS)
    again = {"count": new.excluded.count, "last_at": new.excluded.last_at}
    connection.execute(
        new.on_conflict_do_update(index_elements=["id"], set_=again), [_values(decision) for decision in rows]
    )


def _values(decision: DecisionRow) -> dict[str, Any]:
    values = {name: getattr(decision, name) for name in _COLUMNS}
    return values | {"reasons": list(decision.reasons), "inputs": list(decision.inputs)}


def _from_transition(transition: Transition) -> DecisionRow:
    return DecisionRow(
        id=transition_id(transition),
        kind="transition",
        gate=transition.gate,
        at=transition.at,
        verdict=transition.after,
        policy_version=transition.policy_version,
        summary=transition.summary,
        reasons=transition.reasons,
        inputs=transition.inputs,
        before=transition.before,
    )


def _row(row: Row[Any]) -> DecisionRow:
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return DecisionRow(**values | {"reasons": tuple(values["reasons"]), "inputs": tuple(values["inputs"])})
