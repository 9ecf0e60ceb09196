"""The EventLog port, on SQL; and how every other store writes its changes' events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, func, literal_column, select

from app.core.chain import Entry, Link, digest
from app.core.event import Actor, Event, EventType
from app.core.floor.instants import micros
from app.errors import Invalid, NotFound
from app.ports.events import WrittenEvent
from app.store.engine import Database
from app.store.event_tables import EVENTS
from app.store.outbox import put_out

PAGE_LIMIT = 1_000
_SPANNED = EVENTS.alias("spanned")
_LAST_OF_GATE = select(func.max(EVENTS.c.seq))
# What is computed has no index, or SQLite would read type by type, or along the instants.
_UNSORTED_TYPE = literal_column("(events.type || '')", EVENTS.c.type.type)
_UNSORTED_AT = literal_column("+events.at", EVENTS.c.at.type)
_sides = msgspec.json.Encoder(order="sorted")
_BEYOND_ALL = 2**63 - 1
_LAST = "SELECT seq, sha256 FROM events WHERE seq = (SELECT max(seq) FROM events)"
_COLUMNS = tuple(EVENTS.columns.keys())
_INSERT = {  # by how the database's driver marks a value
    style: f"INSERT INTO events ({', '.join(_COLUMNS)}) VALUES ({', '.join([mark] * len(_COLUMNS))})"  # noqa: S608  # our own names
    for style, mark in (("qmark", "?"), ("pyformat", "%s"))
}


class SqlEvents:
    """The EventLog port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, events: Sequence[Event]) -> Sequence[WrittenEvent]:
        return await self._database.write(lambda connection: append_events(connection, events))

    async def event(self, seq: int) -> WrittenEvent:
        query = select(EVENTS).where(EVENTS.c.seq == seq)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise NotFound(f"there is no event {seq}")
        return _written(row)

    async def last(self, gate: str) -> int:
        query = _LAST_OF_GATE.where(EVENTS.c.gate == gate)
        return await self._database.read(lambda connection: connection.execute(query).scalar()) or 0

    async def events(
        self,
        *,
        type: str | None = None,  # noqa: A002  the word of the outside contract
        types: Sequence[EventType] = (),
        subject: str | None = None,
        gate: str | None = None,
        campaign: str | None = None,
        actor: str | None = None,
        start: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> Sequence[WrittenEvent]:
        """Return events newest first; start is included, until is not. Raises Invalid for a limit outside 1..1,000."""
        if not 1 <= limit <= PAGE_LIMIT:
            raise Invalid(f"limit={limit} must be between 1 and {PAGE_LIMIT:,}")
        column = EVENTS.c
        equal = {column.type: type, column.subject: subject, column.gate: gate, column.campaign: campaign}
        wanted = [named == value for named, value in (equal | {column.actor_id: actor}).items() if value is not None]
        if types:
            wanted.append(_UNSORTED_TYPE.in_([each.value for each in types]))
        wanted.append(column.seq < (_BEYOND_ALL if before is None else before))
        wanted += [] if after is None else [column.seq > after]
        order = column.seq.desc() if after is None else column.seq
        query = select(EVENTS).where(*wanted, *_within(start, until)).order_by(order).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_written(row) for row in (rows if after is None else reversed(rows))]


def append_events(connection: Connection, events: Sequence[Event]) -> Sequence[WrittenEvent]:
    """Write events to the end of the chain, and put out what webhooks are to be told, in the caller's transaction.

    Returns them as written. before and after may hold whatever JSON can, and instants. What it costs does not depend
    on how many events there are; the caller's transaction lets nobody write in between.
    """
    if not events:
        return ()
    last = _last(connection)
    rows, written = [], []
    for event in events:
        entry = _entry(last.seq + 1, event)
        last = Link(entry.seq, digest(last.digest, entry))
        rows.append((*entry[:2], micros(event.at), *entry[3:], last.digest))
        written.append(WrittenEvent(entry.seq, event, last.digest.hex()))
    connection.exec_driver_sql(_INSERT[connection.dialect.paramstyle], rows)
    put_out(connection, written)
    return written


def _last(connection: Connection) -> Link:
    row = connection.exec_driver_sql(_LAST).first()
    return Link() if row is None else Link(*row)


def _entry(seq: int, event: Event) -> Entry:
    actor = event.actor
    before, after = _side(event.before), _side(event.after)
    return Entry(
        *(seq, event.type.value, event.at, actor.id, actor.name, event.subject, event.reason),
        *(event.gate, event.campaign, before, after),
    )


def _side(side: Mapping[str, object] | None) -> str | None:
    return None if side is None else _sides.encode(side).decode()


def _within(start: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """Return what limits events to a span of time, by instant and by place.

    Events are read along their places. Those run nearly as the instants do, so the places at a span's ends keep the
    reading short; the index of instants finds them without looking at an event.
    """
    if start is None and until is None:
        return []
    inside = _between(_SPANNED.c.at, start, until)
    places = _SPANNED.c.seq + 0  # as a sum, or SQLite would look for the first one along the places
    first, last = (select(choose(places)).where(*inside).scalar_subquery() for choose in (func.min, func.max))
    return [EVENTS.c.seq.between(first, last), *_between(_UNSORTED_AT, start, until)]


def _between(at: ColumnElement[datetime], start: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    return ([] if start is None else [at >= start]) + ([] if until is None else [at < until])


def _written(row: Row[Any]) -> WrittenEvent:
    before, after = (None if side is None else msgspec.json.decode(side) for side in (row.before, row.after))
    event = Event(
        type=EventType(row.type),
        at=row.at,
        actor=Actor(row.actor_id, row.actor_name),
        subject=row.subject,
        reason=row.reason,
        gate=row.gate,
        campaign=row.campaign,
        before=before,
        after=after,
    )
    return WrittenEvent(row.seq, event, row.sha256.hex())
