"""The tables of schedules and opening hours."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Table
from sqlmodel import Field

from app.store.tables import StoreTable
from app.store.types import UtcDateTime


class ScheduleStateRow(StoreTable, table=True):
    """How a queue's schedule stands; never deleted, so that no revision comes twice."""

    __tablename__ = "schedules"
    __table_args__ = (CheckConstraint("revision >= 1", name="revision"),)

    queue: str = Field(primary_key=True)
    revision: int
    time_zone: str
    author: str
    saved_at: datetime = Field(sa_type=UtcDateTime)


class ScheduleIntervalRow(StoreTable, table=True):
    """So many agents of a queue for a time. Clustered by queue and time, as it is read."""

    __tablename__ = "schedule_intervals"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="length"),
        CheckConstraint("agents >= 0", name="agents"),
        {"sqlite_with_rowid": False},
    )

    queue: str = Field(primary_key=True)
    starts_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    agents: float


class OpeningHoursRow(StoreTable, table=True):
    """Opening hours of a queue, word for word; of all queues without their own under the empty name."""

    __tablename__ = "opening_hours"
    __table_args__ = (CheckConstraint("revision >= 1", name="revision"),)

    queue: str = Field(primary_key=True)
    document: dict[str, Any] | None = Field(sa_type=JSON(none_as_null=True))
    revision: int
    author: str
    saved_at: datetime = Field(sa_type=UtcDateTime)


SCHEDULES: Table = StoreTable.metadata.tables["schedules"]
SCHEDULE_INTERVALS: Table = StoreTable.metadata.tables["schedule_intervals"]
OPENING_HOURS: Table = StoreTable.metadata.tables["opening_hours"]
