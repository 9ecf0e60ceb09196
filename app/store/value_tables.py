"""The tables of what campaigns were worth, and of the scoreboard's lines."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Table
from sqlmodel import Field

from app.store.tables import StoreTable
from app.store.types import UtcDateTime


class CampaignValueRow(StoreTable, table=True):
    """One revision of a campaign's figures; never changed. Amounts are in millionths of the currency's unit.

    What is NULL is not known.
    """

    __tablename__ = "campaign_values"
    __table_args__ = (
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("new >= 0 AND lost >= 0 AND kept >= 0", name="customers"),
    )

    campaign: str = Field(primary_key=True, sa_column_args=[ForeignKey("campaigns.id", ondelete="CASCADE")])
    revision: int = Field(primary_key=True)
    new: int | None = Field(sa_type=BigInteger)
    lost: int | None = Field(sa_type=BigInteger)
    kept: int | None = Field(sa_type=BigInteger)
    value_micros: int | None = Field(sa_type=BigInteger)
    net_micros: int | None = Field(sa_type=BigInteger)
    currency: str
    source: str
    by_id: str
    by_name: str
    at: datetime = Field(sa_type=UtcDateTime)


class CampaignScoreRow(StoreTable, table=True):
    """A campaign's line on the scoreboard."""

    __tablename__ = "campaign_scores"
    __table_args__ = (Index(None, "began_at", "campaign"),)

    campaign: str = Field(primary_key=True)
    began_at: datetime = Field(sa_type=UtcDateTime)
    is_final: bool
    score: dict[str, Any] = Field(sa_type=JSON)


CAMPAIGN_VALUES: Table = StoreTable.metadata.tables["campaign_values"]
CAMPAIGN_SCORES: Table = StoreTable.metadata.tables["campaign_scores"]
