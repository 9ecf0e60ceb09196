"""The tables of webhooks and of what is still to be delivered."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, Table, text
from sqlmodel import Field

from app.core.webhooks.form import Form
from app.ports.webhooks import DeliveryState
from app.store.tables import StoreTable
from app.store.types import UtcDateTime

_PENDING = text("state = 'pending'")


def _one_of(column: str, values: type[Form] | type[DeliveryState]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


class WebhookRow(StoreTable, table=True):
    """A receiver. Its secrets are kept readable: they sign, they do not check."""

    __tablename__ = "webhooks"
    __table_args__ = (
        CheckConstraint(_one_of("form", Form), name="form"),
        CheckConstraint("revision >= 1", name="revision"),
    )

    id: str = Field(primary_key=True)
    name: str
    url: str
    form: str
    types: list[str] = Field(sa_type=JSON)
    gate: str | None
    secret: str
    former_secret: str | None
    former_until: datetime | None = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    disabled_at: datetime | None = Field(sa_type=UtcDateTime)
    disabled_reason: str
    revision: int


class DeliveryRow(StoreTable, table=True):
    """A message on its way to a receiver: a webhook, or who waits for a permit."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(
            "ix_deliveries_lane", "receiver_id", "urgent", "next_at", sqlite_where=_PENDING, postgresql_where=_PENDING
        ),
        Index(
            "ix_deliveries_order",
            "receiver_id",
            "urgent",
            "event_seq",
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
        Index("ix_deliveries_subject", "subject", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_deliveries_receiver", "receiver_id", "created_at", "id"),
        Index("ix_deliveries_created_at", "created_at"),
        CheckConstraint(_one_of("state", DeliveryState), name="state"),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint("(state = 'pending') = (next_at IS NOT NULL)", name="next_at"),
    )

    id: str = Field(primary_key=True)
    receiver_id: str
    event_seq: int = Field(sa_type=BigInteger)
    event_type: str
    subject: str
    campaign: str | None
    urgent: bool
    payload: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)
    state: str
    attempts: int
    next_at: datetime | None = Field(sa_type=UtcDateTime)
    last_at: datetime | None = Field(sa_type=UtcDateTime)
    last_status: int | None
    last_detail: str


WEBHOOKS: Table = StoreTable.metadata.tables["webhooks"]
DELIVERIES: Table = StoreTable.metadata.tables["deliveries"]
