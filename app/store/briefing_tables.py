"""The tables of briefings, their images and acknowledgements, and of calendar feeds' tokens."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Table, UniqueConstraint
from sqlmodel import Field

from app.store.tables import StoreTable
from app.store.types import UtcDateTime


class BriefingRow(StoreTable, table=True):
    """What is said of one campaign now; what was said before is in the events."""

    __tablename__ = "briefings"
    __table_args__ = (CheckConstraint("version >= 1", name="version"),)

    campaign: str = Field(primary_key=True, sa_column_args=[ForeignKey("campaigns.id", ondelete="CASCADE")])
    version: int
    offer: str
    recipients: str
    questions: list[Any] = Field(sa_type=JSON)
    links: list[Any] = Field(sa_type=JSON)
    acknowledge_by: list[Any] = Field(sa_type=JSON)
    author: str
    saved_at: datetime = Field(sa_type=UtcDateTime)


class BriefingImageRow(StoreTable, table=True):
    """An image; content comes last, so that reading the others does not read it."""

    __tablename__ = "briefing_images"
    __table_args__ = (
        CheckConstraint("length(content) = size", name="size"),
        CheckConstraint("media_type IN ('image/png', 'image/jpeg', 'image/webp')", name="media_type"),
    )

    campaign: str = Field(primary_key=True, sa_column_args=[ForeignKey("briefings.campaign", ondelete="CASCADE")])
    id: str = Field(primary_key=True)
    name: str
    media_type: str
    size: int
    sha256: str
    width: int
    height: int
    alt: str
    added_at: datetime = Field(sa_type=UtcDateTime)
    content: bytes


class AcknowledgementRow(StoreTable, table=True):
    """One queue or team has read one version; never changed."""

    __tablename__ = "briefing_acknowledgements"

    campaign: str = Field(primary_key=True, sa_column_args=[ForeignKey("briefings.campaign", ondelete="CASCADE")])
    version: int = Field(primary_key=True)
    acknowledged_by: str = Field(primary_key=True)
    name: str
    at: datetime = Field(sa_type=UtcDateTime)


class FeedTokenRow(StoreTable, table=True):
    """A calendar feed's token without its secret."""

    __tablename__ = "calendar_tokens"
    __table_args__ = (
        UniqueConstraint("secret_sha256"),
        CheckConstraint("length(secret_sha256) = 32", name="digest"),
    )

    id: str = Field(primary_key=True)
    name: str
    secret_sha256: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(sa_type=UtcDateTime)


BRIEFINGS: Table = StoreTable.metadata.tables["briefings"]
BRIEFING_IMAGES: Table = StoreTable.metadata.tables["briefing_images"]
ACKNOWLEDGEMENTS: Table = StoreTable.metadata.tables["briefing_acknowledgements"]
FEED_TOKENS: Table = StoreTable.metadata.tables["calendar_tokens"]
