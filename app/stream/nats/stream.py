"""The stream on NATS JetStream: durable appends in groups, and one order for every process.

Positions are dense, as on a database: each message says the position before it, and is taken only right behind the one
that its writer read last.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import NamedTuple

from app.errors import NotDurable
from app.ports.clock import Clock
from app.ports.stream import Appended, Payload, StreamRecord
from app.stream.feed import Feed
from app.stream.group import Written
from app.stream.nats.follower import Follower
from app.stream.nats.history import History
from app.stream.nats.keys import RecentKeys
from app.stream.nats.reader import Reader
from app.stream.nats.session import Keeping, Unreachable, open_session
from app.stream.nats.writer import Request, Writer
from app.stream_address import StreamAddress

READ_RECORDS = 10_000
LAG_RECORDS = 100_000
PATIENCE_SECONDS = 10.0
QUIET_SECONDS = 1.0


class Place(NamedTuple):
    """Where a stream is, and how it is kept there."""

    address: StreamAddress
    keeping: Keeping = Keeping()


class NatsStream:
    """The Stream port on NATS. Belongs to the event loop it is made on; `start` connects, `close` ends all.

    history: the same records in the database, for what NATS keeps no more; known: the highest position that anything in
    the database speaks of.
    """

    def __init__(
        self,
        place: Place,
        clock: Clock,
        history: History,
        known: Callable[[], Awaitable[int]],
        *,
        lag_records: int = LAG_RECORDS,
    ) -> None:
        self._clock, self._history, self._lag_records = clock, history, lag_records
        self._feeds: set[Feed] = set()
        self._follower = Follower(partial(open_session, *place), known, self._publish, RecentKeys())
        self._reader = Reader(self._follower, history)
        self._writer = Writer(self._follower)
        self._closed = False

    async def start(self) -> None:
        """Connect. Raises Unreachable when NATS is not there, Invalid for what only an operator can change."""
        await self._follower.start()

    async def append(self, payloads: Sequence[Payload]) -> Appended:
        """Return once every new payload is durable. Raises NotDurable; Invalid for what cannot be written at all."""
        answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self._writer.enter(Request(tuple(payloads), self._clock.now(), answer))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await answer
        except TimeoutError as fault:
            detail = f"NATS did not answer within {PATIENCE_SECONDS:g} s"
            raise NotDurable(f"{detail}; send it again, what was written meanwhile counts once") from fault

    async def read(self, after: int, limit: int = READ_RECORDS) -> Sequence[StreamRecord]:
        return await self._reader.read(after, limit)

    async def position_before(self, at: datetime) -> int:
        return await self._reader.position_before(at)

    async def tail(self, after: int) -> AsyncIterator[Sequence[StreamRecord]]:
        """Yield batches of records above `after`, in order, until the stream is closed; nothing while NATS is away."""
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
        """Delete what was received before `before`, here and in the database; NATS forgets most by itself."""
        written = await self._history.prune(before)
        return max(written, await self._reader.prune(before))

    async def close(self) -> None:
        """Answer what waits, end the tails and the connection, and take nothing more. Closing twice is fine."""
        await self._writer.close()
        self._closed = True
        with suppress(Unreachable):
            await self._reader.close()
        await self._follower.close()
        await self._history.close()
        for feed in self._feeds:
            feed.wake()

    def _publish(self, written: Written) -> None:
        for feed in self._feeds:
            feed.offer(written)

    async def _next(self, feed: Feed, position: int) -> Sequence[StreamRecord]:
        if feed.behind:
            return await self._behind(feed, position)
        if records := feed.take(position):
            return records
        await feed.arrival(QUIET_SECONDS)
        return ()

    async def _behind(self, feed: Feed, position: int) -> Sequence[StreamRecord]:
        """Return what comes next from the stream itself, and stay behind until there is nothing more."""
        feed.behind = False
        try:
            records = await self.read(position, READ_RECORDS)
        except Unreachable:
            feed.behind = True
            await asyncio.sleep(QUIET_SECONDS)
            return ()
        feed.behind = feed.behind or len(records) == READ_RECORDS
        return records
