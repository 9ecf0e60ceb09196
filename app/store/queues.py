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
    rows = connection.execute(select(QUEUE_TARGETS)).mappings()
    return {row["queue"]: _restored(**{name: row[name] for name in row if name != "queue"}) for row in rows}


def _restored(*, service_level_variant: str, **values: object) -> QueueTargets:
    return QueueTargets(service_level_variant=ServiceLevelVariant(service_level_variant), **values)  # type: ignore[arg-type]
