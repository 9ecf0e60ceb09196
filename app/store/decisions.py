"""The decision log, on SQL."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, literal_column, or_, select, tuple_

from app.core.floor.instants import micros
from app.errors import Invalid, NotFound
from app.ports.decisions import DecisionRow, KeptInputs, Turn
from app.ports.evaluation import Transition
from app.store.decision_events import asked_event, transition_events
from app.store.engine import Database
from app.store.events import append_events
from app.store.kept_inputs import keep_inputs, read_inputs
from app.store.tables import API_KEYS, DECISIONS
from app.store.upsert import insert

PAGE_LIMIT = 1_000
_COLUMNS = tuple(name for name in DECISIONS.c.keys() if name != "inputs_sha256")  # noqa: SIM118  # not a dictionary
# Spelt out, or SQLite could not see that the index of transitions has all that is wanted.
_TRANSITION = DECISIONS.c.kind == literal_column("'transition'")

# Of an answer the override is named in the row; of a gate's own change it is among what the change was made from.
_OVERRIDDEN = or_(
    DECISIONS.c.override_id.is_not(None), and_(_TRANSITION, DECISIONS.c.facts["overrides"].as_string().is_not(None))
)

_INSERT = insert(DECISIONS)
_COUNTED = _INSERT.on_conflict_do_update(
    index_elements=["id"], set_={"count": _INSERT.excluded.count, "last_at": _INSERT.excluded.last_at}
)


class SqlDecisions:
    """The DecisionLog port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, rows: Sequence[DecisionRow]) -> None:
        if rows:
            await self._database.write(lambda connection: _record(connection, rows))

    async def decision(self, decision_id: str) -> DecisionRow:
        query = select(DECISIONS).where(DECISIONS.c.id == decision_id)
        found = await self._database.read(lambda connection: _rows(connection, connection.execute(query)))
        if not found:
            raise NotFound(f"there is no decision {decision_id!r}")
        return found[0]

    async def decisions(
        self,
        *,
        gate: str | None = None,
        kind: str | None = None,
        verdict: str | None = None,
        asked_by: Collection[str] = (),
        campaign: str | None = None,
        overridden: bool = False,
        start: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[DecisionRow]:
        """Return rows newest first; start is included, until is not. Raises Invalid for a limit outside 1..1,000."""
        if not 1 <= limit <= PAGE_LIMIT:
            raise Invalid(f"limit={limit} must be between 1 and {PAGE_LIMIT:,}")
        column = DECISIONS.c
        equal = {"gate": gate, "kind": kind, "verdict": verdict, "campaign": campaign}
        wanted = [column[name] == value for name, value in equal.items() if value is not None]
        wanted += [column.asked_by.in_(asked_by)] if asked_by else []
        wanted += [_OVERRIDDEN] if overridden else []
        wanted += [*_within(start, until), *_beyond(before, after)]
        order = (column.at, column.id) if after else (column.at.desc(), column.id.desc())
        query = select(DECISIONS).where(*wanted).order_by(*order).limit(limit)
        found = await self._database.read(lambda connection: _rows(connection, connection.execute(query)))
        return found[::-1] if after else found

    async def turns(self, gate: str, start: datetime, until: datetime, limit: int) -> Sequence[Turn]:
        at = DECISIONS.c.at
        own = select(at, DECISIONS.c.verdict).where(_TRANSITION, DECISIONS.c.gate == gate)
        inside = own.where(at >= start, at < until).order_by(at.desc(), DECISIONS.c.verdict).limit(limit)
        before = own.where(at < start).order_by(at.desc(), DECISIONS.c.verdict).limit(1)

        def read(connection: Connection) -> list[Turn]:
            found = [Turn(*row) for row in connection.execute(inside)]
            return ([*found, *(Turn(*row) for row in connection.execute(before))] if len(found) < limit else found)[
                ::-1
            ]

        return await self._database.read(read)


def _within(start: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    at = DECISIONS.c.at
    return ([] if start is None else [at >= start]) + ([] if until is None else [at < until])


def _beyond(before: tuple[datetime, str] | None, after: tuple[datetime, str] | None) -> list[ColumnElement[bool]]:
    place = tuple_(DECISIONS.c.at, DECISIONS.c.id)
    return ([] if before is None else [place < before]) + ([] if after is None else [place > after])


def add_transitions(connection: Connection, transitions: Sequence[Transition]) -> None:
    """Write transitions as rows of the log with their events; one that is there already is left as it is.

    Transitions are the same when gate, at and after are: evaluated again after a crash, they are not doubled.
    """
    for row in map(_from_transition, transitions):
        former = _former(connection, row)
        if connection.execute(_INSERT.values(_values(row)).on_conflict_do_nothing()).rowcount:
            keep_inputs(connection, [row.kept])
            append_events(connection, transition_events(row, former))


def transition_id(transition: Transition) -> str:
    """Return the same id for the same change, however often it is evaluated."""
    name = f"{transition.gate}|{micros(transition.at)}|{transition.after}"
    return f"dec_{hashlib.sha256(name.encode()).hexdigest()[:24]}"


def record_decisions(connection: Connection, rows: Sequence[DecisionRow]) -> None:
    """Write rows of the log in the caller's transaction; one whose id is there already gets count and last_at.

    Events are the caller's: a permit's grant says by itself what was decided.
    """
    keep_inputs(connection, (row.kept for row in rows))
    connection.execute(_COUNTED, [_values(row) for row in rows])


def _record(connection: Connection, rows: Sequence[DecisionRow]) -> None:
    known = _known(connection, [row.id for row in rows])
    record_decisions(connection, rows)
    if begun := [row for row in rows if row.id not in known]:
        names = _names(connection, {row.asked_by for row in begun if row.asked_by})
        append_events(
            connection, [asked_event(row, names.get(row.asked_by or "", row.asked_by or "")) for row in begun]
        )


def _known(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Return those of the ids that have a row. In parts: a statement takes only so many values."""
    parts = (ids[start : start + PAGE_LIMIT] for start in range(0, len(ids), PAGE_LIMIT))
    queries = (select(DECISIONS.c.id).where(DECISIONS.c.id.in_(part)) for part in parts)
    return {decision_id for query in queries for decision_id in connection.execute(query).scalars()}


def _names(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """Return the names of the keys with these ids; an id that is no key's is left out."""
    keys = connection.execute(select(API_KEYS.c.id, API_KEYS.c.name))
    return {row.id: row.name for row in keys if row.id in ids}


def _former(connection: Connection, row: DecisionRow) -> DecisionRow | None:
    """Return the gate's change to what it said before this one; the two may be of the same instant."""
    column = DECISIONS.c
    to_before = (_TRANSITION, column.gate == row.gate, column.at <= row.at, column.verdict == row.before)
    found = connection.execute(select(DECISIONS).where(*to_before).order_by(column.at.desc()).limit(1)).first()
    return None if found is None else _row(found, {})


def _values(row: DecisionRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _COLUMNS}
    inputs = [] if row.kept else list(row.inputs)
    return values | {"reasons": list(row.reasons), "inputs": inputs, "inputs_sha256": row.kept and row.kept.sha256}


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
        kept=transition.kept,
        facts=transition.facts,
    )


def _rows(connection: Connection, found: Iterable[Row[Any]]) -> list[DecisionRow]:
    rows = list(found)
    kept = read_inputs(connection, {row.inputs_sha256 for row in rows if row.inputs_sha256})
    return [_row(row, kept) for row in rows]


def _row(row: Row[Any], kept: dict[bytes, KeptInputs]) -> DecisionRow:
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    reasons, inputs, digest = tuple(values["reasons"]), tuple(values["inputs"]), values.pop("inputs_sha256")
    return DecisionRow(**values | {"reasons": reasons, "inputs": inputs, "kept": kept.get(digest)})
