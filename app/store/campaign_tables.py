"""The tables of campaigns and their waves."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Table
from sqlmodel import Field

from app.store.tables import StoreTable
from app.store.types import UtcDateTime


class CampaignRow(StoreTable, table=True):
    """A campaign. pace is what its release remembers between waves, as JSON text; None before it began.

    gate is a name, not a key: a campaign outlives its gate, and is then held.
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "gate", "created_at", "id"),
        Index(None, "state", "created_at", "id"),
        Index(None, "earliest_start"),
        CheckConstraint("id <> ''", name="id"),
        CheckConstraint("audience >= 1", name="audience"),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint(
            "state IN ('draft', 'scheduled', 'waiting', 'releasing', 'paused', 'done', 'cancelled', 'gave_up')",
            name="state",
        ),
    )

    id: str = Field(primary_key=True)
    title: str
    gate: str
    audience: int = Field(sa_type=BigInteger)
    owner: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    kind: str
    traffic_class: str
    contacts_per_1000: float | None
    earliest_start: datetime | None = Field(sa_type=UtcDateTime)
    give_up_at: datetime | None = Field(sa_type=UtcDateTime)
    release_mode: str
    audience_per_wave: int | None = Field(sa_type=BigInteger)
    wave_gap_seconds: float | None
    state: str
    announced_at: datetime | None = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(sa_type=UtcDateTime)
    paused_by: str | None
    reason: str
    revision: int
    pace: str | None
    queue_mix: list[Any] | None = Field(sa_type=JSON)
    holdout_ratio: float | None
    sender: dict[str, Any] | None = Field(sa_type=JSON)


class WaveRow(StoreTable, table=True):
    """A wave of a campaign; its number is taken once."""

    __tablename__ = "waves"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("allowed >= 1", name="allowed"),
        CheckConstraint("sent >= 0", name="sent"),
    )

    campaign: str = Field(primary_key=True, sa_column_args=[ForeignKey("campaigns.id", ondelete="CASCADE")])
    number: int = Field(primary_key=True)
    permit_id: str
    allowed: int = Field(sa_type=BigInteger)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    is_probe: bool
    sent: int = Field(sa_type=BigInteger)
    ended_at: datetime | None = Field(sa_type=UtcDateTime)
    ending: str


CAMPAIGNS: Table = StoreTable.metadata.tables["campaigns"]
WAVES: Table = StoreTable.metadata.tables["waves"]
