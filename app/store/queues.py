"""What people told us about queues, on SQL."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Row, select

from app.core.event import Event
from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from app.store.engine import Database
from app.store.events import append_events
from app.store.tables import QUEUE_TARGETS
from app.store.upsert import insert


class SqlQueues:
    """The QueueStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def targets(self) -> Mapping[str, QueueTargets]:
        return await self._database.read(_targets)

    async def save_targets(self, queue: str, targets: QueueTargets, event: Event) -> None:
        await self._database.write(lambda connection: _save(connection, queue, targets, event))


def _save(connection: Connection, queue: str, targets: QueueTargets, event: Event) -> None:
    former = connection.execute(select(QUEUE_TARGETS).where(QUEUE_TARGETS.c.queue == queue)).first()
    before = None if former is None else _own(former)
    if before == targets:
        return
    values = asdict(targets)
    row = insert(QUEUE_TARGETS).values(queue=queue, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["queue"], set_=values))
    append_events(connection, [replace(event, before=None if before is None else asdict(before), after=values)])


def _targets(connection: Connection) -> dict[str, QueueTargets]:
    return {row.queue: _own(row) for row in connection.execute(select(QUEUE_TARGETS))}


def _own(row: Row[Any]) -> QueueTargets:
    return QueueTargets(
        service_level_seconds=row.service_level_seconds,
        service_level_variant=ServiceLevelVariant(row.service_level_variant),
        short_abandon_seconds=row.short_abandon_seconds,
        title=row.title,
        retired_at=row.retired_at,
        concurrency=1.0 if row.concurrency is None else row.concurrency,
    )
