"""The past, on SQL: charts from rollups, exact totals of contacts from raw events."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Select, case, func, select, type_coerce

from app.core.floor.instants import SECOND, micros
from app.core.floor.metric import Metric
from app.errors import Invalid
from app.ports.history import ContactTotals, HistoryPoint
from app.store.engine import Database
from app.store.flows import delete_flows
from app.store.rollups import FIRST, Series, delete_minutes
from app.store.stale_packs import delete_oldest_packs
from app.store.tables import ROLLUP_HOURS, ROLLUP_MINUTES
from app.store.totals import contact_totals

MINUTE_SECONDS, HOUR_SECONDS = 60, 3_600
PRUNE_ROWS = 2_000


class SqlHistory:
    """The HistoryReader port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def history(
        self, queue: str, metric: Metric, start: datetime, until: datetime, step_seconds: int
    ) -> Sequence[HistoryPoint]:
        """Return one point per step that has data; a bucket belongs to the step in which it begins.

        Whole hours from a whole hour on are read from the 1-hour rollups, which are kept for ever; all else from the
        1-minute ones. Raises Invalid for a step that is no multiple of 60.
        """
        return (await self.histories(queue, (metric,), start, until, step_seconds))[metric]

    async def histories(
        self, queue: str, metrics: Sequence[Metric], start: datetime, until: datetime, step_seconds: int
    ) -> Mapping[Metric, Sequence[HistoryPoint]]:
        if step_seconds <= 0 or step_seconds % MINUTE_SECONDS:
            raise Invalid(f"step_seconds={step_seconds} must be a multiple of {MINUTE_SECONDS}")
        queries = {metric: _points(queue, metric, start, until, step_seconds) for metric in metrics}

        def read(connection: Connection) -> dict[Metric, list[HistoryPoint]]:
            return {
                metric: [_point(row, start, step_seconds) for row in connection.execute(query)]
                for metric, query in queries.items()
            }

        return await self._database.read(read)

    async def contact_totals(self, start: datetime, until: datetime, target_seconds: float) -> Sequence[ContactTotals]:
        return await self._database.read(lambda connection: contact_totals(connection, start, until, target_seconds))

    async def prune_rollups(self, minutes_before: datetime) -> int:
        """Delete a few at a time, so that appends get in between. Flows and packed days go with them, uncounted."""
        pruned = 0
        series: Series | None = FIRST
        while series is not None:
            work = partial(delete_minutes, before=minutes_before, limit=PRUNE_ROWS, series=series)
            deleted, series = await self._database.write(work)
            pruned += deleted
        queue: str | None = ""
        while queue is not None:
            flows = partial(delete_flows, before=minutes_before, limit=PRUNE_ROWS, queue=queue)
            _, queue = await self._database.write(flows)
        while await self._database.write(partial(delete_oldest_packs, before=minutes_before)):
            pass
        return pruned


def _points(
    queue: str, metric: Metric, start: datetime, until: datetime, step_seconds: int
) -> Select[*tuple[Any, ...]]:
    hourly = step_seconds % HOUR_SECONDS == 0 and micros(start) % (HOUR_SECONDS * SECOND) == 0
    rollup = (ROLLUP_HOURS if hourly else ROLLUP_MINUTES).c
    lowest: ColumnElement[Any] = rollup.minimum
    highest: ColumnElement[Any] = rollup.maximum
    if hourly and step_seconds > HOUR_SECONDS:
        own = case((rollup.weight > 0, rollup.total / rollup.weight))
        lowest, highest = func.coalesce(lowest, own), func.coalesce(highest, own)
    step = (type_coerce(rollup.bucket_at, BigInteger) - micros(start)) // (step_seconds * SECOND)
    return (
        select(
            step.label("step"),
            func.sum(rollup.weight).label("weight"),
            func.sum(rollup.total).label("total"),
            func.min(lowest).label("minimum"),
            func.max(highest).label("maximum"),
        )
        .where(rollup.queue == queue, rollup.metric == metric.value)
        .where(rollup.bucket_at >= start, rollup.bucket_at < until)
        .group_by(step)
        .order_by(step)
    )


def _point(row: Row[Any], start: datetime, step_seconds: int) -> HistoryPoint:
    value = row.total / row.weight if row.weight > 0 else None
    return HistoryPoint(start + timedelta(seconds=row.step * step_seconds), value, row.minimum, row.maximum, row.weight)
