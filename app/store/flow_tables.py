"""The table of flows: what came in and went out, by queue and minute."""

from datetime import datetime

from sqlalchemy import Table
from sqlmodel import Field

from app.store.tables import StoreTable
from app.store.types import UtcDateTime


class FlowMinuteRow(StoreTable, table=True):
    """One minute of one queue, all of it sums; see FlowDelta. Clustered by queue and time, as it is read."""

    __tablename__ = "flow_minutes"
    __table_args__ = ({"sqlite_with_rowid": False},)

    queue: str = Field(primary_key=True)
    bucket_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    counted_seconds: float
    offered: float
    answered: float
    abandoned: float
    abandoned_short: float
    abandoned_at_once: float
    handled: float
    wait_seconds: float
    handle_seconds: float


FLOW_MINUTES: Table = StoreTable.metadata.tables["flow_minutes"]
