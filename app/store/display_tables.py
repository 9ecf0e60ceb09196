"""The table of the screens on the wall."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, Table, UniqueConstraint
from sqlmodel import Field

from app.store.tables import StoreTable
from app.store.types import UtcDateTime


class DisplayRow(StoreTable, table=True):
    """A screen without its secret. queues []: all that its gate watches. It outlives its gate, and then shows none."""

    __tablename__ = "displays"
    __table_args__ = (
        UniqueConstraint("secret_sha256"),
        CheckConstraint("length(secret_sha256) = 32", name="digest"),
    )

    id: str = Field(primary_key=True)
    name: str
    gate: str
    queues: list[str] = Field(sa_type=JSON)
    zone: str | None
    secret_sha256: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: str
    revoked_at: datetime | None = Field(sa_type=UtcDateTime)
    seen_at: datetime | None = Field(sa_type=UtcDateTime)


DISPLAYS: Table = StoreTable.metadata.tables["displays"]
