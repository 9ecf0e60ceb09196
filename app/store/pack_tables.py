"""The table of packed history: a day of one metric of one queue in one row, to read a year of minutes at once."""

from sqlalchemy import BigInteger, Index, Table
from sqlmodel import Field

from app.store.tables import StoreTable


class MinutePackRow(StoreTable, table=True):
    """One UTC day of 1-minute buckets: `day` counts from 1970, `body` is as app.store.packs writes it.

    digest tells one body from another, so that what was read once need not be read again.
    """

    __tablename__ = "minute_packs"
    __table_args__ = (Index(None, "day"), Index("ix_minute_packs_digest", "queue", "metric", "day", "digest"))

    queue: str = Field(primary_key=True)
    metric: str = Field(primary_key=True)
    day: int = Field(primary_key=True)
    digest: int = Field(sa_type=BigInteger)
    body: bytes


MINUTE_PACKS: Table = StoreTable.metadata.tables["minute_packs"]
