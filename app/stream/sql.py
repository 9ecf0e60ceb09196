"""The stream on a SQL database: durable appends in groups, and a tail that seldom has to read them back.

Appends wait in line; the database's one writer thread takes all that wait as one transaction (one fsync) and answers
every caller. The records of a committed group go to the tails of this process as they are. A tail reads the
database only to catch up, and after each second of quiet to see what another process has written.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from heapq import merge
from itertools import islice
from operator import itemgetter
from uuid import uuid4

from sqlalchemy import Connection, Subquery, Table, func, select

from app.core.floor.instants import micros
from app.errors import NotDurable
from app.ports.clock import Clock
from app.ports.stream import Appended, Payload, StreamRecord
from app.stream.feed import Feed
from app.stream.group import Request, Written, read_head
from app.stream.hints import listen
from app.stream.months import drop_month, find_old_month
from app.stream.rows import contact_record, observation_record, rows_above
from app.stream.tables import CONTACT_EVENTS, OBSERVATIONS
from app.stream.writer import GroupWriter, SqlDatabase

READ_RECORDS = 10_000
LAG_RECORDS = 100_000
PRUNE_ROWS = 2_000
QUIET_SECONDS = 1.0
PATIENCE_SECONDS = 10.0


class SqlStream:
    """The Stream port on a SQL database. Belongs to the event loop it is made on; the caller closes the database."""

    def __init__(self, database: SqlDatabase, clock: Clock, *, lag_records: int = LAG_RECORDS) -> None:
        self._database = database
        self._writing = database.stream_writer
        self._clock = clock
        self._lag_records = lag_records
        self._feeds: set[Feed] = set()
        self._name = uuid4().hex  # by which other processes' writing is told from this one's
        self._writer = GroupWriter(self._writing, self._name, self._publish)
        self._listening: asyncio.Task[None] | None = None
        self._closed = False

    async def append(self, payloads: Sequence[Payload]) -> Appended:
        """Return once every new payload is durable. Raises NotDurable; Invalid for what no database could store."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Appended] = loop.create_future()
        self._writer.enter(Request(tuple(payloads), self._clock.now(), answer))
        late = loop.call_later(PATIENCE_SECONDS, _give_up, answer)  # a third of what asyncio.timeout costs
        try:
            return await answer
        finally:
            late.cancel()

    async def read(self, after: int, limit: int = READ_RECORDS) -> Sequence[StreamRecord]:
        return await self._database.read(lambda connection: _read(connection, after, limit))

    async def position_before(self, at: datetime) -> int:
        return await self._database.read(lambda connection: _position_before(connection, micros(at)))

    async def tail(self, after: int) -> AsyncIterator[Sequence[StreamRecord]]:
        """Yield batches of records above `after`, in order and without gaps, until the stream is closed."""
        self._listen()
        feed, position = Feed(self._lag_records), after
        self._feeds.add(feed)
        try:
            while not self._closed:
                if records := await self._next(feed, position):
                    position = records[-1].position
                    yield records
        finally:
            self._feeds.discard(feed)

    async def prune(self, before: datetime) -> int:
        """Delete raw records received before `before`, a few at a time so that appends get in between."""
        pruned = await self._drop_months(micros(before))
        return pruned + await self._prune(OBSERVATIONS, before) + await self._prune(CONTACT_EVENTS, before)

    async def close(self) -> None:
        """Answer what waits, end the tails, and take nothing more. Closing twice is fine."""
        await self._writer.close()
        self._closed = True
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        for feed in self._feeds:
            feed.wake()

    def _listen(self) -> None:
        """Begin to hear of what other processes write, where the database tells."""
        if self._listening is None and (address := self._database.address) is not None:
            self._listening = asyncio.create_task(listen(address, self._name, self._hint))

    def _hint(self) -> None:
        for feed in self._feeds:
            feed.hint()

    def _publish(self, written: Written) -> None:
        for feed in self._feeds:
            feed.offer(written)

    async def _next(self, feed: Feed, position: int) -> Sequence[StreamRecord]:
        if feed.behind:
            feed.behind = False
            records = await self.read(position, READ_RECORDS)
            feed.behind = feed.behind or len(records) == READ_RECORDS
            return records
        if records := feed.take(position):
            return records
        if not await feed.arrival(QUIET_SECONDS):
            feed.behind = True
        return ()

    async def _drop_months(self, before: int) -> int:
        """Drop whole months that are old, where a month has a table of its own; return how many records they had."""
        dropped = 0
        while old := await self._database.read(partial(find_old_month, before=before)):
            month, records = old
            if not await self._writing.write(partial(drop_month, month=month, before=before)):
                break
            dropped += records
        return dropped

    async def _prune(self, table: Table, before: datetime) -> int:
        cut, pruned = micros(before), 0
        while deleted := await self._writing.write(lambda connection: _prune_some(connection, table, cut)):
            pruned += deleted
        return pruned


def _give_up(answer: asyncio.Future[Appended]) -> None:
    if not answer.done():
        detail = f"the database did not answer within {PATIENCE_SECONDS:g} s"
        answer.set_exception(NotDurable(f"{detail}; send it again, what was written meanwhile counts once"))


def _read(connection: Connection, after: int, limit: int) -> list[StreamRecord]:
    observations = map(observation_record, rows_above(connection, OBSERVATIONS, after, limit))
    contacts = map(contact_record, rows_above(connection, CONTACT_EVENTS, after, limit))
    return list(islice(merge(observations, contacts, key=itemgetter(0)), limit))


def _position_before(connection: Connection, at: int) -> int:
    found = [
        connection.execute(select(func.min(_since(table, at).c.position))).scalar()
        for table in (OBSERVATIONS, CONTACT_EVENTS)
    ]
    first = [position for position in found if position is not None]
    return min(first) - 1 if first else read_head(connection)


def _since(table: Table, at: int) -> Subquery:
    """Return what was received at or after `at`, as a query that is run by itself, along the index of instants.

    Asked for the lowest position in one query, PostgreSQL would look at every record from the first one on.
    """
    return select(table.c.position).where(table.c.received_at >= at).offset(0).subquery()


def _prune_some(connection: Connection, table: Table, before: int) -> int:
    oldest = select(table.c.position).where(table.c.received_at < before).order_by(table.c.received_at)
    delete = table.delete().where(table.c.position.in_(oldest.limit(PRUNE_ROWS)))
    return connection.execute(delete).rowcount
