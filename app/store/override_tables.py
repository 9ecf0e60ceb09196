"""The table of overrides."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Table, text
from sqlmodel import Field

from app.store.tables import StoreTable
from app.store.types import UtcDateTime


class OverrideRow(StoreTable, table=True):
    """An override. matchers is a list of objects with the members of app.core.gate.override.Matcher."""

    __tablename__ = "overrides"
    __table_args__ = (
        Index(None, "gate", "created_at", "id"),
        Index(
            "ix_overrides_open",
            "ends_at",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        CheckConstraint("effect IN ('hold', 'allow')", name="effect"),
        CheckConstraint("comment <> ''", name="comment"),
        CheckConstraint("used_count >= 0", name="used_count"),
    )

    id: str = Field(primary_key=True)
    gate: str = Field(sa_column_args=[ForeignKey("gates.name", ondelete="CASCADE")])
    effect: str
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    created_by: str
    comment: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    matchers: list[Any] = Field(sa_type=JSON)
    even_without_data: bool
    used_count: int
    last_used_at: datetime | None = Field(sa_type=UtcDateTime)
    reminded_at: datetime | None = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(sa_type=UtcDateTime)


OVERRIDES: Table = StoreTable.metadata.tables["overrides"]
