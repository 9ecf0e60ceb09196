"""The EventLog port, on SQL; and how every other store writes its changes' events."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from app.core.chain import Entry, Link, digest
from app.core.event import Event
from app.core.floor.instants import micros
from app.ports.events import WrittenEvent
from app.store.engine import Database
from app.store.event_tables import EVENTS
from app.store.outbox import put_out

_sides = msgspec.json.Encoder(order="sorted")
_LAST = "SELECT seq, sha256 FROM events ORDER BY seq DESC LIMIT 1"
_COLUMNS = tuple(EVENTS.columns.keys())
_INSERT = f"INSERT INTO events ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608  # our own names


class SqlEvents:
    """The EventLog port."""

    def __init__(self, database: Database) -> None:
        self._database = database


def append_events(connection: Connection, events: Sequence[Event]) -> Sequence[WrittenEvent]:
    """Write events to the end of the chain, and put out what webhooks are to be told, in the caller's transaction.

    Returns them as written. before and after may hold whatever JSON can, and instants. What it costs does not depend
    on how many events there are; the caller's BEGIN IMMEDIATE lets nobody write in between.
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
    connection.exec_driver_sql(_INSERT, rows)
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
