"""The tables of permits, of the sums they make, and of answers kept for repeats.

Indexes marked live hold only permits that have not ended: what a grant looks at does not grow with what was.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Table, text
from sqlmodel import Field

from app.store.tables import StoreTable
from app.store.types import UtcDateTime

# Word for word what a query must say for SQLite to use an index of live permits: it matches text, not meaning.
LIVE_ONLY = text("state IN ('active', 'paused')")


class PermitRow(StoreTable, table=True):
    """A permit."""

    __tablename__ = "permits"
    __table_args__ = (
        Index("ix_permits_live", "gate", "expires_at", sqlite_where=LIVE_ONLY, postgresql_where=LIVE_ONLY),
        Index("ix_permits_live_campaign", "campaign", "expires_at", sqlite_where=LIVE_ONLY, postgresql_where=LIVE_ONLY),
        Index("ix_permits_live_expires_at", "expires_at", sqlite_where=LIVE_ONLY, postgresql_where=LIVE_ONLY),
        Index(None, "granted_at", "id"),
        Index(None, "gate", "granted_at", "id"),
        Index(None, "campaign", "granted_at", "id"),
        CheckConstraint("state IN ('active', 'paused', 'used', 'released', 'expired', 'revoked')", name="state"),
        CheckConstraint("requested >= 1 AND allowed >= 1 AND sent >= 0", name="numbers"),
    )

    id: str = Field(primary_key=True)
    gate: str
    campaign: str | None
    key_id: str
    decision_id: str
    requested: int = Field(sa_type=BigInteger)
    allowed: int = Field(sa_type=BigInteger)
    state: str
    granted_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    sent: int = Field(sa_type=BigInteger)
    wave: int | None
    changed_at: datetime | None = Field(sa_type=UtcDateTime)
    reason: str


class PermitLedgerRow(StoreTable, table=True):
    """What a gate, or a campaign, has given away: outstanding of its live permits, sent of all it ever had.

    given: all that it ever gave away, whatever came back. Always what the permits' rows say; the checks stop a
    transaction that would make it less than nothing.
    """

    __tablename__ = "permit_ledger"
    __table_args__ = (
        CheckConstraint("kind IN ('gate', 'campaign')", name="kind"),
        CheckConstraint("outstanding >= 0", name="outstanding"),
        CheckConstraint("sent >= 0", name="sent"),
        {"sqlite_with_rowid": False},
    )

    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    outstanding: int = Field(sa_type=BigInteger)
    sent: int = Field(sa_type=BigInteger)
    given: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


class PermitSentRow(StoreTable, table=True):
    """What was reported as sent through a gate in one minute."""

    __tablename__ = "permit_sent"
    __table_args__ = (CheckConstraint("sent >= 1", name="sent"), {"sqlite_with_rowid": False})

    gate: str = Field(primary_key=True)
    minute_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    sent: int = Field(sa_type=BigInteger)


class PermitRepeatRow(StoreTable, table=True):
    """An answer kept for who sends the same idempotency key again."""

    __tablename__ = "permit_repeats"
    __table_args__ = (
        Index(None, "created_at"),
        Index(None, "permit_id"),
        CheckConstraint("length(request_sha256) = 32", name="digest"),
    )

    key_id: str = Field(primary_key=True)
    idempotency_key: str = Field(primary_key=True)
    request_sha256: bytes
    permit_id: str
    body: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)


_TABLES = StoreTable.metadata.tables
PERMITS: Table = _TABLES["permits"]
PERMIT_LEDGER: Table = _TABLES["permit_ledger"]
PERMIT_SENT: Table = _TABLES["permit_sent"]
PERMIT_REPEATS: Table = _TABLES["permit_repeats"]
