"""The tables of what campaigns caused: tallies of tagged contacts, debriefs, and what was learned from each."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, Table
from sqlmodel import Field

from app.store.tables import StoreTable
from app.store.types import UtcDateTime


class TallyCheckpointRow(StoreTable, table=True):
    """One row: everything in the stream up to position is in the tallies."""

    __tablename__ = "tally_checkpoint"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)


class TaggedContactRow(StoreTable, table=True):
    """A contact that names a campaign, and where it is counted. bucket_at None: when it queued is not known yet.

    Kept for as long as more may be heard of the contact; the tallies are kept for ever.
    """

    __tablename__ = "tagged_contacts"
    __table_args__ = (Index(None, "seen_at"), {"sqlite_with_rowid": False})

    contact_id: str = Field(primary_key=True)
    campaign: str = Field(primary_key=True)
    queue: str
    channel: str
    reason: str
    bucket_at: datetime | None = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)


class ContactTallyRow(StoreTable, table=True):
    """How many contacts that name a campaign queued in five minutes; channel and reason "" where nobody said."""

    __tablename__ = "contact_tallies"
    __table_args__ = (CheckConstraint("contacts >= 0", name="contacts"), {"sqlite_with_rowid": False})

    campaign: str = Field(primary_key=True)
    queue: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    bucket_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    contacts: int = Field(sa_type=BigInteger)


class DebriefRow(StoreTable, table=True):
    """A campaign's final debrief: what it says, all that it was made from, and what it teaches.

    inputs: compressed JSON; the same inputs make the same document. lifts: contacts per five minutes by queue.
    """

    __tablename__ = "debriefs"
    __table_args__ = (Index(None, "made_at"),)

    campaign: str = Field(primary_key=True)
    made_at: datetime = Field(sa_type=UtcDateTime)
    document: dict[str, Any] = Field(sa_type=JSON)
    inputs: bytes
    lesson: dict[str, Any] | None = Field(sa_type=JSON)
    lifts: list[Any] = Field(sa_type=JSON)


_TABLES = StoreTable.metadata.tables
TALLY_CHECKPOINT: Table = _TABLES["tally_checkpoint"]
TAGGED_CONTACTS: Table = _TABLES["tagged_contacts"]
CONTACT_TALLIES: Table = _TABLES["contact_tallies"]
DEBRIEFS: Table = _TABLES["debriefs"]
