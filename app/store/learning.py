"""The DebriefStore port, on SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from app.core.event import Event
from app.core.floor.instants import instant, micros
from app.ports.learning import KeptDebrief, Lift
from app.store.engine import Database
from app.store.events import append_events
from app.store.learning_tables import DEBRIEFS
from app.store.upsert import insert


class SqlDebriefs:
    """The DebriefStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_debrief(self, kept: KeptDebrief, event: Event) -> bool:
        return await self._database.write(lambda connection: _save(connection, kept, event))

    async def debrief(self, campaign_id: str) -> KeptDebrief | None:
        query = select(DEBRIEFS).where(DEBRIEFS.c.campaign == campaign_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _kept(row)

    async def debriefed(self) -> set[str]:
        query = select(DEBRIEFS.c.campaign)
        return set(await self._database.read(lambda connection: connection.execute(query).scalars().all()))

    async def lessons(self) -> Sequence[Mapping[str, object]]:
        query = select(DEBRIEFS.c.lesson).order_by(DEBRIEFS.c.made_at, DEBRIEFS.c.campaign)
        lessons = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [lesson for lesson in lessons if lesson is not None]

    async def lifts(self, since: datetime) -> Sequence[Lift]:
        column = DEBRIEFS.c
        query = select(column.campaign, column.lifts).where(column.made_at >= since).order_by(column.made_at)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [lift for row in rows for lift in _lifts(row.campaign, row.lifts)]


def _save(connection: Connection, kept: KeptDebrief, event: Event) -> bool:
    row = {
        "campaign": kept.campaign,
        "made_at": kept.made_at,
        "document": kept.document,
        "inputs": kept.inputs,
        "lesson": kept.lesson,
        "lifts": [[lift.queue, micros(lift.start), list(lift.contacts)] for lift in kept.lifts],
    }
    if connection.execute(insert(DEBRIEFS).values(row).on_conflict_do_nothing()).rowcount == 0:
        return False
    append_events(connection, [event])
    return True


def _kept(row: Row[Any]) -> KeptDebrief:
    lifts = tuple(_lifts(row.campaign, row.lifts))
    return KeptDebrief(row.campaign, row.made_at, row.document, row.inputs, row.lesson, lifts)


def _lifts(campaign: str, kept: Sequence[Any]) -> Sequence[Lift]:
    return [Lift(campaign, queue, instant(start), tuple(contacts)) for queue, start, contacts in kept]
