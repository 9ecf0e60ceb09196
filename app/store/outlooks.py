"""Outlooks, on SQL."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, select

from app.ports.outlooks import KeptOutlook
from app.store.engine import Database
from app.store.outlook_tables import OUTLOOKS
from app.store.upsert import insert


class SqlOutlooks:
    """The OutlookStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_outlook(self, outlook: KeptOutlook) -> None:
        new = insert(OUTLOOKS).values(asdict(outlook))
        replaced = {name: new.excluded[name] for name in ("policy_version", "asked", "found")}
        put = new.on_conflict_do_update(index_elements=["gate", "at"], set_=replaced)
        await self._database.write(lambda connection: connection.execute(put))

    async def outlook(self, gate: str, at: datetime) -> KeptOutlook | None:
        columns = OUTLOOKS.c
        newest = select(OUTLOOKS).where(columns.gate == gate, columns.at <= at).order_by(columns.at.desc()).limit(1)
        row = await self._database.read(lambda connection: connection.execute(newest).first())
        return None if row is None else KeptOutlook(*row)

    async def prune_outlooks(self, before: datetime) -> int:
        old = delete(OUTLOOKS).where(OUTLOOKS.c.at < before)
        return await self._database.write(lambda connection: connection.execute(old).rowcount)
