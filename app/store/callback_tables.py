"""The table of asks that wait for a permit."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, Table
from sqlmodel import Field

from app.ports.callbacks import WaitState
from app.store.tables import StoreTable
from app.store.types import UtcDateTime

_STATES = ", ".join(repr(state.value) for state in WaitState)


class WaitingAskRow(StoreTable, table=True):
    """An ask that waits, or how it ended. asked is the request as it was sent."""

    __tablename__ = "waiting_asks"
    __table_args__ = (
        Index("ix_waiting_asks_state", "state", "created_at"),
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended_at"),
        CheckConstraint("state <> 'granted' OR permit_id IS NOT NULL", name="permit_id"),
    )

    id: str = Field(primary_key=True)
    key_id: str
    idempotency_key: str | None
    asked: dict[str, Any] = Field(sa_type=JSON)
    secret: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    gives_up_at: datetime = Field(sa_type=UtcDateTime)
    state: str
    ended_at: datetime | None = Field(sa_type=UtcDateTime)
    permit_id: str | None
    reason: str


WAITING_ASKS: Table = StoreTable.metadata.tables["waiting_asks"]
