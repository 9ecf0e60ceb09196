"""The stream's tables: observations and contact events, which share one sequence of positions.

Rows are clustered by position, so writes go to the file's end; the unique keys begin with time for the same reason.
Instants are integer microseconds UTC (app.core.floor.instants): the hot path converts them itself.
"""

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, MetaData, Table, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from app.core.floor.contact import ContactEventKind

# Every constraint has a name of its own, so that a later migration can change it.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
# SQLite makes only a plain INTEGER key the row's own number; elsewhere 32 bits would run out in days.
Position = BigInteger().with_variant(Integer(), "sqlite")

COUNTS = (
    *("backlog", "contacts_in_progress", "agents_staffed", "agents_available", "agents_busy"),
    *("offered", "answered", "abandoned", "answered_within_target"),
)
RATIOS = ("service_level_ratio", "abandonment_ratio", "occupancy_ratio")
DURATIONS = (
    *("oldest_wait_seconds", "speed_to_answer_seconds", "handle_time_seconds"),
    *("window_seconds", "wait_seconds_sum", "handle_seconds_sum"),
)


def _one_of(column: str, values: type[ContactEventKind]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


class StreamTable(SQLModel, registry=registry(metadata=MetaData(naming_convention=NAMES))):
    """What the stream's tables have in common: their metadata. They describe columns and validate nothing."""


class StreamHead(StreamTable, table=True):
    """The highest position ever given out: one row. It outlives pruned records, so a position is never used twice."""

    __tablename__ = "stream_head"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)


class ObservationRow(StreamTable, table=True):
    """An accepted observation: position, received_at, then the fields of Observation in their order."""

    __tablename__ = "observations"
    __table_args__ = (
        UniqueConstraint("observed_at", "queue", "source"),
        Index(None, "received_at"),
        *(CheckConstraint(f"{column} >= 0", name=column) for column in (*COUNTS, *DURATIONS)),
        *(CheckConstraint(f"{column} BETWEEN 0 AND 1", name=column) for column in RATIOS),
    )

    position: int = Field(sa_type=Position, primary_key=True)
    received_at: int = Field(sa_type=BigInteger)
    queue: str
    observed_at: int = Field(sa_type=BigInteger)
    source: str
    channel: str | None
    backlog: int | None = Field(sa_type=BigInteger)
    oldest_wait_seconds: float | None
    contacts_in_progress: int | None = Field(sa_type=BigInteger)
    agents_staffed: int | None = Field(sa_type=BigInteger)
    agents_available: int | None = Field(sa_type=BigInteger)
    agents_busy: int | None = Field(sa_type=BigInteger)
    speed_to_answer_seconds: float | None
    handle_time_seconds: float | None
    service_level_ratio: float | None
    abandonment_ratio: float | None
    occupancy_ratio: float | None
    window_seconds: float | None
    offered: int | None = Field(sa_type=BigInteger)
    answered: int | None = Field(sa_type=BigInteger)
    abandoned: int | None = Field(sa_type=BigInteger)
    answered_within_target: int | None = Field(sa_type=BigInteger)
    wait_seconds_sum: float | None
    handle_seconds_sum: float | None


class ContactEventRow(StreamTable, table=True):
    """An accepted contact event: position, received_at, then the fields of ContactEvent in their order."""

    __tablename__ = "contact_events"
    __table_args__ = (
        UniqueConstraint("contact_id", "event"),
        Index(None, "received_at"),
        Index(
            "ix_contact_events_queued",
            "at",
            sqlite_where=text("event = 'queued'"),
            postgresql_where=text("event = 'queued'"),
        ),
        CheckConstraint(_one_of("event", ContactEventKind), name="event"),
    )

    position: int = Field(sa_type=Position, primary_key=True)
    received_at: int = Field(sa_type=BigInteger)
    contact_id: str
    queue: str
    event: str
    at: int = Field(sa_type=BigInteger)
    source: str
    channel: str | None
    agent: str | None
    campaign: str | None
    reason: str | None


metadata = StreamTable.metadata
OBSERVATIONS: Table = metadata.tables["observations"]
CONTACT_EVENTS: Table = metadata.tables["contact_events"]
STREAM_HEAD: Table = metadata.tables["stream_head"]
