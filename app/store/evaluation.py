"""The evaluator's notebook, on SQL: checkpoint, transitions and history's gains, written as one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from app.core.floor.flow import FlowDelta
from app.core.floor.rollup import RollupDelta
from app.errors import Conflict
from app.ports.evaluation import Checkpoint, Transition
from app.store.decisions import add_transitions
from app.store.engine import Database
from app.store.flows import add_flows
from app.store.memories import known_from_json, known_to_json, memories_from_json, memories_to_json
from app.store.rollups import add_rollups
from app.store.tables import CHECKPOINT
from app.store.upsert import insert


class SqlEvaluation:
    """The EvaluationStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def checkpoint(self) -> Checkpoint | None:
        return await self._database.read(_checkpoint)

    async def flush(
        self,
        checkpoint: Checkpoint,
        transitions: Sequence[Transition],
        rollups: Sequence[RollupDelta],
        flows: Sequence[FlowDelta] = (),
    ) -> None:
        row = {
            "position": checkpoint.position,
            "evaluated_at": checkpoint.evaluated_at,
            "memories": memories_to_json(checkpoint.memories),
            "known": known_to_json(checkpoint.known),
        }

        def flush(connection: Connection) -> None:
            _require_last(connection, checkpoint.follows)
            _flush(connection, row, transitions)
            add_rollups(connection, rollups)
            add_flows(connection, flows)

        await self._database.write_leading(flush)


def _checkpoint(connection: Connection) -> Checkpoint | None:
    row = connection.execute(select(CHECKPOINT)).first()
    if row is None:
        return None
    return Checkpoint(row.position, row.evaluated_at, memories_from_json(row.memories), known_from_json(row.known))


def _require_last(connection: Connection, evaluated_at: datetime | None) -> None:
    """Raise Conflict unless the last checkpoint is of that instant."""
    if evaluated_at is not None:
        last = connection.execute(select(CHECKPOINT.c.evaluated_at)).scalar()
        if last != evaluated_at:
            raise Conflict(f"the last checkpoint is of {last}, not of {evaluated_at}; go on from there")


def _flush(connection: Connection, row: dict[str, Any], transitions: Sequence[Transition]) -> None:
    statement = insert(CHECKPOINT).values(id=1, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))
    add_transitions(connection, transitions)
