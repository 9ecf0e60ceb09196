"""Flows, on SQL: sums per queue and minute that only ever get added to, and their sums over any step."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import BigInteger, Connection, func, select, type_coerce

from app.core.floor.flow import FlowDelta
from app.core.floor.instants import MINUTE, SECOND, micros
from app.core.forecast.flows import FIELDS, FlowSeries, flow_series
from app.errors import Invalid
from app.store.deleting import delete_in_turn
from app.store.engine import Database
from app.store.flow_tables import FLOW_MINUTES
from app.store.upsert import insert

_SUMS = ("counted_seconds", *FIELDS)


class SqlFlows:
    """The FlowReader port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def flows(self, queue: str, start: datetime, until: datetime, step_seconds: int) -> FlowSeries:
        """Raises Invalid for a step that is no multiple of 60, or a start that is not on a whole minute."""
        if step_seconds <= 0 or step_seconds * SECOND % MINUTE or micros(start) % MINUTE:
            detail = f"step_seconds={step_seconds} from {start.isoformat()}"
            raise Invalid(f"{detail}: the step must be a multiple of 60 and the start a whole minute")
        return await self._database.read(lambda connection: _flows(connection, queue, start, until, step_seconds))


def add_flows(connection: Connection, deltas: Sequence[FlowDelta]) -> None:
    """Add deltas to their minutes."""
    if not deltas:
        return
    new = insert(FLOW_MINUTES)
    sums = {name: FLOW_MINUTES.c[name] + new.excluded[name] for name in _SUMS}
    upsert = new.on_conflict_do_update(index_elements=("queue", "bucket_at"), set_=sums)
    connection.execute(upsert, [delta._asdict() for delta in deltas])


def delete_flows(connection: Connection, before: datetime, limit: int, queue: str = "") -> tuple[int, str | None]:
    """Delete up to `limit` minutes that begin before `before`, from a queue's on, in the order of their names.

    Return how many, and the queue to go on from; None when all is done.
    """
    return delete_in_turn(
        queue,
        limit,
        delete=lambda each, most: _delete_queue(connection, each, before, most),
        after=lambda each: _queue_after(connection, each),
    )


def _delete_queue(connection: Connection, queue: str, before: datetime, limit: int) -> int:
    minutes = FLOW_MINUTES.c
    mine = (minutes.queue == queue, minutes.bucket_at < before)
    oldest = select(minutes.bucket_at).where(*mine).order_by(minutes.bucket_at).limit(limit)
    return connection.execute(FLOW_MINUTES.delete().where(*mine, minutes.bucket_at.in_(oldest))).rowcount


def _queue_after(connection: Connection, queue: str) -> str | None:
    name = FLOW_MINUTES.c.queue
    return connection.execute(select(name).where(name > queue).order_by(name).limit(1)).scalar()


def _flows(connection: Connection, queue: str, start: datetime, until: datetime, step_seconds: int) -> FlowSeries:
    minutes = FLOW_MINUTES.c
    step = (type_coerce(minutes.bucket_at, BigInteger) - micros(start)) // (step_seconds * SECOND)
    query = (
        select(step.label("step"), *(func.sum(minutes[name]) for name in _SUMS))
        .where(minutes.queue == queue, minutes.bucket_at >= start, minutes.bucket_at < until)
        .group_by(step)
        .order_by(step)
    )
    rows = connection.execute(query).cursor.fetchall()  # as plain tuples: a year of steps is read in half the time
    found = np.array(rows, dtype=np.float64).reshape(len(rows), 1 + len(_SUMS))
    steps = max(0, -(-(micros(until) - micros(start)) // (step_seconds * SECOND)))
    return flow_series(
        start, step_seconds, steps=steps, places=found[:, 0], counted_seconds=found[:, 1], sums=found[:, 2:]
    )
