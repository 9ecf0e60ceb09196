"""The CallbackStore port, on SQL."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from app.core.event import HOLDFIRE, Event, EventType
from app.core.permit.request import PermitRequest
from app.errors import NotFound
from app.ports.callbacks import WaitingAsk, WaitState
from app.store.callback_tables import WAITING_ASKS
from app.store.engine import Database
from app.store.outbox import PUT_OUT, delivery_row
from app.store.webhook_tables import DELIVERIES

_C = WAITING_ASKS.c
_COLUMNS = tuple(_C.keys())
_ENDED = ("state", "ended_at", "permit_id", "reason")


class SqlCallbacks:
    """The CallbackStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_ask(self, ask: WaitingAsk) -> None:
        values = {name: getattr(ask, name) for name in _COLUMNS}
        values |= {"asked": asdict(ask.asked), "state": ask.state.value}
        await self._database.write(lambda connection: connection.execute(insert(WAITING_ASKS).values(values)))

    async def ask(self, ask_id: str) -> WaitingAsk:
        query = select(WAITING_ASKS).where(_C.id == ask_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise NotFound(f"there is no permit request {ask_id!r}")
        return _of(row)

    async def waiting(self) -> Sequence[WaitingAsk]:
        query = select(WAITING_ASKS).where(_C.state == WaitState.WAITING.value).order_by(_C.created_at, _C.id)
        return await self._database.read(lambda connection: [_of(row) for row in connection.execute(query)])

    async def end_ask(self, ask: WaitingAsk, message: bytes | None) -> bool:
        return await self._database.write(lambda connection: _end(connection, ask, message))

    async def prune_asks(self, before: datetime) -> int:
        old = delete(WAITING_ASKS).where(_C.state != WaitState.WAITING.value, _C.created_at < before)
        return await self._database.write(lambda connection: connection.execute(old).rowcount)


def _end(connection: Connection, ask: WaitingAsk, message: bytes | None) -> bool:
    values = {name: getattr(ask, name) for name in _ENDED} | {"state": ask.state.value}
    still = (_C.id == ask.id) & (_C.state == WaitState.WAITING.value)
    if connection.execute(update(WAITING_ASKS).where(still).values(values)).rowcount != 1:
        return False
    if message is not None and ask.ended_at is not None:
        row = delivery_row(ask.id, 0, _told(ask, ask.ended_at), message, urgent=True, at=ask.ended_at)
        connection.execute(insert(DELIVERIES), [row])
        connection.info[PUT_OUT] = True
    return True


def _told(ask: WaitingAsk, at: datetime) -> Event:
    """Return what the message tells, in an event's terms; it goes to one asker and is no event of the audit log."""
    kind = EventType.DECISION_SEND if ask.state is WaitState.GRANTED else EventType.DECISION_HOLD
    return Event(kind, at, HOLDFIRE, f"permit-request/{ask.id}", ask.reason, ask.asked.gate, ask.asked.campaign)


def _of(row: Row[Any]) -> WaitingAsk:
    found = WaitingAsk(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return replace(found, asked=PermitRequest(**row.asked), state=WaitState(row.state))
