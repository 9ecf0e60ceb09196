"""The tables of the audit log: events, which nobody changes, and the inputs of decisions, each kept once."""

from datetime import datetime

from sqlalchemy import DDL, BigInteger, CheckConstraint, Index, Integer, Table, event, text
from sqlmodel import Field

from app.store.tables import StoreTable
from app.store.types import UtcDateTime


class EventRow(StoreTable, table=True):
    """An event. before and after are JSON texts, part of the digest word for word; sha256 is app.core.chain's."""

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "at"),
        Index(None, "type"),
        Index(None, "subject"),
        Index(None, "actor_id"),
        Index(
            "ix_events_gate", "gate", sqlite_where=text("gate IS NOT NULL"), postgresql_where=text("gate IS NOT NULL")
        ),
        Index(
            "ix_events_campaign",
            "campaign",
            sqlite_where=text("campaign IS NOT NULL"),
            postgresql_where=text("campaign IS NOT NULL"),
        ),
        CheckConstraint("seq >= 1", name="seq"),
        CheckConstraint("length(sha256) = 32", name="digest"),
    )

    seq: int = Field(primary_key=True, sa_type=BigInteger().with_variant(Integer(), "sqlite"))
    type: str
    at: datetime = Field(sa_type=UtcDateTime)
    actor_id: str
    actor_name: str
    subject: str
    reason: str
    gate: str | None
    campaign: str | None
    before: str | None
    after: str | None
    sha256: bytes


class DecisionInputRow(StoreTable, table=True):
    """What decisions were made from, by its own SHA-256: decisions made from the same share one row.

    body is compressed by zlib. policy_sha256: the row that has the policy's text; None for such a row itself.
    """

    __tablename__ = "decision_inputs"
    __table_args__ = (CheckConstraint("length(sha256) = 32", name="digest"),)

    sha256: bytes = Field(primary_key=True)
    body: bytes
    policy_sha256: bytes | None


EVENTS: Table = StoreTable.metadata.tables["events"]
DECISION_INPUTS: Table = StoreTable.metadata.tables["decision_inputs"]

# OR REPLACE would delete a row without any DELETE, so what is inserted must be the next in line.
NOT_CHANGED = """\
CREATE TRIGGER events_not_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only: none may be changed'); END"""
NOT_DELETED = """\
CREATE TRIGGER events_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only: none may be deleted'); END"""
IN_LINE = """\
CREATE TRIGGER events_in_line BEFORE INSERT ON events
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM events)
BEGIN SELECT RAISE(ABORT, 'events are append-only: the next one goes to the end'); END"""
for _trigger in (NOT_CHANGED, NOT_DELETED, IN_LINE):
    event.listen(EVENTS, "after_create", DDL(_trigger))  # type: ignore[no-untyped-call]
