"""The table of notes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Table, text
from sqlmodel import Field

from app.store.tables import StoreTable
from app.store.types import UtcDateTime


class NoteRow(StoreTable, table=True):
    """A note of a gate; never deleted while its gate is there."""

    __tablename__ = "notes"
    __table_args__ = (
        Index(
            "ix_notes_standing",
            "gate",
            "at",
            "id",
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        CheckConstraint("text <> ''", name="text"),
    )

    id: str = Field(primary_key=True)
    gate: str = Field(sa_column_args=[ForeignKey("gates.name", ondelete="CASCADE")])
    at: datetime = Field(sa_type=UtcDateTime)
    written_at: datetime = Field(sa_type=UtcDateTime)
    author_id: str
    author_name: str
    kind: str
    text: str
    campaign: str | None
    queue: str | None
    withdrawn_at: datetime | None = Field(sa_type=UtcDateTime)


NOTES: Table = StoreTable.metadata.tables["notes"]
