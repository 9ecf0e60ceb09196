"""The table of outlooks."""

from datetime import datetime

from sqlalchemy import Index, Table
from sqlmodel import Field

from app.store.tables import StoreTable
from app.store.types import UtcDateTime


class OutlookRow(StoreTable, table=True):
    """An outlook of a gate."""

    __tablename__ = "outlooks"
    __table_args__ = (Index(None, "at"), {"sqlite_with_rowid": False})

    gate: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    policy_version: int
    asked: bytes
    found: bytes


OUTLOOKS: Table = StoreTable.metadata.tables["outlooks"]
