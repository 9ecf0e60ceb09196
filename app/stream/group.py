"""Group commit: many waiting appends become one transaction, and each still learns what became of its own payloads.

The database decides what is a duplicate of an old row. Usually nothing is, and the first insert stands. Otherwise it is
taken back inside the same transaction and repeated with the new payloads only, so that positions have no holes; of
payloads that are each other's duplicates, in one request or in several of the group, the first stands.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count, repeat
from typing import NamedTuple

from sqlalchemy import Connection

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.ports.stream import Appended, Payload, StreamRecord
from app.stream import postgresql_rows, sqlite_rows
from app.stream.rows import contact_columns, mark_of, observation_columns, positions_above
from app.stream.tables import CONTACT_EVENTS, OBSERVATIONS, STREAM_HEAD

# As text: building these two with each group would take longer than running them.
_READ_HEAD = f"SELECT position FROM {STREAM_HEAD.name}"  # noqa: S608  # our own name
_MOVE_HEAD = f"UPDATE {STREAM_HEAD.name} SET position = {{}}"  # noqa: S608
_INSERT_NEW = {"sqlite": sqlite_rows.insert_new, "postgresql": postgresql_rows.insert_new}


@dataclass(frozen=True, slots=True)
class Request:
    """One caller's append: its payloads, when they came, and the future that tells the caller."""

    payloads: Sequence[Payload]
    received_at: datetime
    answer: asyncio.Future[Appended]


class Written(NamedTuple):
    """A group that is durable: the head before it, its new records from base + 1 on, one answer per request."""

    base: int
    records: Sequence[StreamRecord]
    answers: Sequence[Appended]


def write_group(connection: Connection, requests: Sequence[Request]) -> Written:
    """Write what is new in the requests, in their order; the caller commits."""
    base = read_head(connection)
    records = _numbered(base, requests)
    kept: set[int] | None = None
    if insert_records(connection, records) < len(records):
        kept = _find_new(connection, base, records)
        new = (record for record in records if record.position in kept)
        records = [StreamRecord(position, at, payload) for position, (_, at, payload) in enumerate(new, base + 1)]
        insert_records(connection, records)
    if records:
        _move_head(connection, records[-1].position)
    return Written(base, records, _answers(base, requests, kept))


def _find_new(connection: Connection, base: int, records: Sequence[StreamRecord]) -> set[int]:
    """Return the positions of the records that are new, with nothing above `base` left behind.

    To be called when some of the records were inserted and some were not.
    """
    taken = _take_back(connection, base)
    firsts = _firsts(records)
    if not taken or len(firsts) == len(records):
        return taken
    insert_records(connection, firsts)
    return _take_back(connection, base)


def _firsts(records: Sequence[StreamRecord]) -> list[StreamRecord]:
    """Return the records without those that are duplicates of an earlier one among them."""
    seen: dict[tuple[object, ...], StreamRecord] = {}
    for record in records:
        seen.setdefault(_key(record.payload), record)
    return list(seen.values())


def _key(payload: Payload) -> tuple[object, ...]:
    if isinstance(payload, Observation):
        return payload.source, payload.queue, payload.observed_at
    return payload.contact_id, payload.event


def read_head(connection: Connection) -> int:
    """Return the highest position ever given out, 0 for a new stream."""
    position: int = connection.exec_driver_sql(_READ_HEAD).scalar_one()
    return position


def _move_head(connection: Connection, position: int) -> None:
    connection.exec_driver_sql(_MOVE_HEAD.format(mark_of(connection)), (position,))


def _numbered(base: int, requests: Sequence[Request]) -> list[StreamRecord]:
    records: list[StreamRecord] = []
    for request in requests:
        fields = zip(count(base + len(records) + 1), repeat(request.received_at), request.payloads)
        records += map(tuple.__new__, repeat(StreamRecord), fields)  # as _make does, without a Python call for each
    return records


def insert_records(connection: Connection, records: Sequence[StreamRecord]) -> int:
    """Insert records whose keys are not there yet, each at its position; return how many were new."""
    insert_new, inserted = _INSERT_NEW[connection.dialect.name], 0
    observations = [record for record in records if isinstance(record[2], Observation)]
    if observations:
        inserted += insert_new(connection, OBSERVATIONS, observation_columns(observations))
    if len(observations) < len(records):
        contacts = [record for record in records if isinstance(record[2], ContactEvent)]
        inserted += insert_new(connection, CONTACT_EVENTS, contact_columns(contacts))
    return inserted


def _take_back(connection: Connection, base: int) -> set[int]:
    """Delete every row above `base` and return their positions."""
    taken: set[int] = set()
    for table in (OBSERVATIONS, CONTACT_EVENTS):
        taken |= positions_above(connection, table, base)
        connection.execute(table.delete().where(table.c.position > base))
    return taken


def _answers(base: int, requests: Sequence[Request], kept: set[int] | None) -> list[Appended]:
    """Return one answer per request; kept has the numbers of the new payloads in the first try, None: all were new."""
    answers, first = [], base + 1
    for request in requests:
        size = len(request.payloads)
        new = size if kept is None else sum(number in kept for number in range(first, first + size))
        answers.append(Appended(new, size - new))
        first += size
    return answers
