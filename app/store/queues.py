"""What people told us about queues, on SQL."""

from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from app.store.engine import Database
from app.store.tables import QUEUE_TARGETS


class SqlQueues:
    """The QueueStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def targets(self) -> Mapping[str, QueueTargets]:
        return await self._database.read(_targets)

    async def save_targets(self, queue: str, targets: QueueTargets) -> None:
        values = asdict(targets)
        row = insert(QUEUE_TARGETS).values(queue=queue, **values)
        await self._database.write(
            lambda connection: connection.execute(row.on_conflict_do_update(index_elements=["queue"], set_=values))
        )


def _targets(connection: Connection) -> dict[str, QueueTargets]:
    return {
        row.queue: QueueTargets(
            service_level_seconds=row.service_level_seconds,
            service_level_variant=ServiceLevelVariant(row.service_level_variant),
            short_abandon_seconds=row.short_abandon_seconds,
            title=row.title,
            retired_at=row.retired_at,
        )
        for row in connection.execute(select(QUEUE_TARGETS))
    }
