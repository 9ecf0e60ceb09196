"""The store's tables. They describe columns and constraints and validate nothing: what comes in was checked before.

Rollups are clustered by series, because a chart reads one series over a long time; everything else by its own name.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, MetaData, Table, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from app.store.types import UtcDateTime
from app.stream.tables import NAMES


class StoreTable(SQLModel, registry=registry(metadata=MetaData(naming_convention=NAMES))):
    """What the store's tables have in common: their metadata."""


class InstallationRow(StoreTable, table=True):
    """One row once the first gate and its policy were written, so that a deleted gate does not come back.

    form_secret: in hex, what forms of people who are not signed in yet are told by; None: nobody needed it so far.
    """

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int = Field(primary_key=True)
    seeded_at: datetime = Field(sa_type=UtcDateTime)
    form_secret: str | None


class GateRow(StoreTable, table=True):
    """A gate."""

    __tablename__ = "gates"
    __table_args__ = (CheckConstraint("name <> ''", name="name"),)

    name: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime)


class PolicyRow(StoreTable, table=True):
    """One version of a gate's policy; never changed."""

    __tablename__ = "policies"
    __table_args__ = (CheckConstraint("version >= 1", name="version"),)

    gate: str = Field(primary_key=True, sa_column_args=[ForeignKey("gates.name", ondelete="CASCADE")])
    version: int = Field(primary_key=True)
    document: dict[str, Any] = Field(sa_type=JSON)
    author: str
    reason: str
    saved_at: datetime = Field(sa_type=UtcDateTime)


class QueueTargetsRow(StoreTable, table=True):
    """A queue's own settings."""

    __tablename__ = "queue_targets"
    __table_args__ = (
        CheckConstraint("service_level_seconds > 0", name="service_level_seconds"),
        CheckConstraint("short_abandon_seconds >= 0", name="short_abandon_seconds"),
    )

    queue: str = Field(primary_key=True)
    service_level_seconds: float
    service_level_variant: str
    short_abandon_seconds: float
    title: str | None
    retired_at: datetime | None = Field(sa_type=UtcDateTime)
    concurrency: float | None


class ApiKeyRow(StoreTable, table=True):
    """An API key without its secret."""

    __tablename__ = "api_keys"
    __table_args__ = (CheckConstraint("length(secret_sha256) = 32", name="digest"),)

    id: str = Field(primary_key=True)
    name: str
    scopes: list[str] = Field(sa_type=JSON)
    secret_sha256: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(sa_type=UtcDateTime)
    profile: dict[str, Any] | None = Field(sa_type=JSON(none_as_null=True))


class CheckpointRow(StoreTable, table=True):
    """How far evaluation is written down: one row. memories is the text of app.store.memories."""

    __tablename__ = "checkpoint"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"), CheckConstraint("position >= 0", name="position"))

    id: int = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)
    evaluated_at: datetime = Field(sa_type=UtcDateTime)
    memories: str
    known: str


class DecisionLogRow(StoreTable, table=True):
    """A line of the decision log."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index(None, "at", "id"),
        Index(None, "gate", "at", "id"),
        Index(
            None,
            "asked_by",
            "at",
            "id",
            sqlite_where=text("asked_by IS NOT NULL"),
            postgresql_where=text("asked_by IS NOT NULL"),
        ),
        Index(
            None,
            "campaign",
            "at",
            "id",
            sqlite_where=text("campaign IS NOT NULL"),
            postgresql_where=text("campaign IS NOT NULL"),
        ),
        Index(
            "uq_decisions_transition",
            *("gate", "at", "verdict"),
            unique=True,
            sqlite_where=text("kind = 'transition'"),
            postgresql_where=text("kind = 'transition'"),
        ),
        CheckConstraint("kind IN ('transition', 'asked')", name="kind"),
        CheckConstraint("count >= 1", name="count"),
    )

    id: str = Field(primary_key=True)
    kind: str
    gate: str
    at: datetime = Field(sa_type=UtcDateTime)
    verdict: str
    policy_version: int
    summary: str
    reasons: list[Any] = Field(sa_type=JSON)
    inputs: list[Any] = Field(sa_type=JSON)
    before: str | None
    asked_by: str | None
    campaign: str | None
    requested: int | None
    accept_partial: bool
    allow: int | None
    status: int | None
    count: int
    last_at: datetime | None = Field(sa_type=UtcDateTime)
    override_id: str | None
    facts: dict[str, Any] | None = Field(sa_type=JSON(none_as_null=True))
    inputs_sha256: bytes | None


class _Rollup(StoreTable):
    """What a bucket of one metric of one queue holds; its value is total / weight."""

    queue: str = Field(primary_key=True)
    metric: str = Field(primary_key=True)
    bucket_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    weight: float
    total: float
    minimum: float | None
    maximum: float | None
    last: float | None
    last_at: datetime | None = Field(sa_type=UtcDateTime)


class MinuteRollupRow(_Rollup, table=True):
    """One minute."""

    __tablename__ = "rollup_minutes"
    __table_args__ = ({"sqlite_with_rowid": False},)


class HourRollupRow(_Rollup, table=True):
    """One hour; kept for ever."""

    __tablename__ = "rollup_hours"
    __table_args__ = ({"sqlite_with_rowid": False},)


metadata = StoreTable.metadata
INSTALLATION: Table = metadata.tables["installation"]
GATES: Table = metadata.tables["gates"]
POLICIES: Table = metadata.tables["policies"]
QUEUE_TARGETS: Table = metadata.tables["queue_targets"]
API_KEYS: Table = metadata.tables["api_keys"]
CHECKPOINT: Table = metadata.tables["checkpoint"]
DECISIONS: Table = metadata.tables["decisions"]
ROLLUP_MINUTES: Table = metadata.tables["rollup_minutes"]
ROLLUP_HOURS: Table = metadata.tables["rollup_hours"]
