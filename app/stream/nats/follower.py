"""Where this process stands in the stream: it follows, in order, whatever any process has written.

A connection that is lost is made anew, for ever. A stream that ends before what was seen here already, or that is
another one than before, was deleted, purged or put back by somebody: that is said loudly, and a mark goes into it, so
that no position is ever given to a second record.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

from app.errors import Invalid
from app.ports.stream import StreamRecord
from app.stream.group import Written
from app.stream.nats.codec import Unreadable, encoded, front_of, key_of, keys_of, records_of
from app.stream.nats.keys import RecentKeys
from app.stream.nats.pull import Broken, Message, Pull
from app.stream.nats.search import Found, first_where, last_of
from app.stream.nats.session import Moved, Session, State, Unreachable

log = logging.getLogger(__name__)

AGAIN_SECONDS = 0.25
GAP_POSITIONS = 1_000_000
"""So far behind what this process knows positions go on after a loss: others may have seen more of what is lost."""

Connect = Callable[[], Awaitable[Session]]
Known = Callable[[], Awaitable[int]]


class Follower:
    """Follows the stream from far enough back to remember the newest keys. Belongs to one event loop.

    seen: the sequence of the last message taken; head: the position of the last record; high: the latest instant at
    which anything was received; session: None while there is no connection.
    """

    def __init__(self, connect: Connect, known: Known, on_written: Callable[[Written], None], keys: RecentKeys) -> None:
        self._connect, self._known, self._on_written = connect, known, on_written
        self.keys = keys
        self.session: Session | None = None
        self.seen = self.head = self.high = 0
        self._created: datetime | None = None
        self._is_anchored = False
        self._old = 0  # the sequence up to which only keys matter: whoever reads from now on reads further
        self._until = 0  # the sequence up to which there is more to take
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, and begin to follow. Raises Unreachable or Invalid."""
        session = await self._open()
        self._task = asyncio.create_task(self._run(session), name="nats-follower")

    async def close(self) -> None:
        """End following and the connection. Closing twice is fine."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self.session is not None:
            await self.session.close()
        await self._tell(None)

    async def connected(self) -> Session:
        """Return the session, once there is one."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.session is not None and not self.session.is_lost)
        assert self.session is not None  # noqa: S101  # just waited for
        return self.session

    async def caught_up(self) -> Session | None:
        """Return the session once everything is taken that is known to have been written; None when it is lost."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.session is None or self.seen >= self._until)
        return self.session

    def moved(self, last: int) -> None:
        """Note that the stream goes up to a sequence."""
        self._until = max(self._until, last)

    def advance(self, sequence: int, high: int, records: Sequence[StreamRecord], keys: set[int]) -> None:
        """Take what this process wrote itself, right behind what was seen."""
        base = self.head
        self.seen, self.head, self.high = sequence, base + len(records), high
        self.moved(sequence)
        self.keys.add_numbers(keys)
        self._on_written(Written(base, records, ()))

    async def mark(self) -> int:
        """Write a mark that says how far positions went, for when all else is deleted; return its sequence.

        Raises Moved when somebody wrote meanwhile.
        """
        session = await self.caught_up()
        if session is None:
            raise Unreachable("there is no connection to NATS")
        return await session.publish(encoded(self.head, self.high), self.seen, f"mark-{self.head}-{self.seen}")

    async def _open(self) -> Session:
        session = await self._connect()
        try:
            await self._anchor(session)
        except BaseException:
            await session.close()
            raise
        await self._tell(session)
        return session

    async def _run(self, session: Session | None) -> None:
        """Follow for ever, over one connection after the other."""
        while True:
            if session is not None:
                await self._follow(session)
                await self._tell(None)
                await session.close()
                log.warning("nats_lost", extra={"position": self.head})
            session = await self._again()
            log.warning("nats_is_back", extra={"position": self.head})

    async def _again(self) -> Session:
        """Return a new session, however long that takes; say each new reason why there is none yet."""
        said = ""
        while True:
            try:
                return await self._open()
            except (Unreachable, Invalid, Broken) as fault:
                if str(fault) != said:
                    said = str(fault)
                    log.warning("nats_unreachable", extra={"error": said})
            await asyncio.sleep(AGAIN_SECONDS)

    async def _follow(self, session: Session) -> None:
        """Take what comes until the connection is lost."""
        try:
            while not session.is_lost:
                pull = await session.pull(self.seen + 1)
                try:
                    await self._take_from(session, pull)
                except Broken:
                    await self._anchor(session)
                finally:
                    with suppress(Unreachable):
                        await pull.close()
        except (Unreachable, Invalid, Broken) as fault:
            log.warning("nats_fault", extra={"error": str(fault)})

    async def _take_from(self, session: Session, pull: Pull) -> None:
        while True:
            messages = await session.next_of(pull)
            for message in messages:
                self._take(message)
            if messages:
                await self._tell(session)
            await asyncio.sleep(0)

    def _take(self, message: Message) -> None:
        """Take one message that comes behind what was seen; one's own come back and are known."""
        if message.sequence <= self.seen:
            return
        self.seen = message.sequence
        self.moved(message.sequence)
        try:
            front, records = front_of(message.data), self._records_of(message)
            keys = [key_of(record.payload) for record in records] if records else keys_of(message.data)
        except Unreadable as fault:
            said = {"sequence": message.sequence, "error": str(fault)}
            log.error("stream_message_unreadable", extra=said)  # noqa: TRY400  # where it was found says nothing
            return
        if front.base < self.head:
            log.error("stream_positions_repeat", extra={"sequence": message.sequence, "position": front.base})
            return
        if front.base > self.head and front.number:
            log.error("stream_records_lost", extra={"after": self.head, "until": front.base})
        self.head, self.high = front.head, max(self.high, front.high)
        self.keys.add(keys)
        if records:
            self._on_written(Written(front.base, records, ()))

    def _records_of(self, message: Message) -> Sequence[StreamRecord]:
        return records_of(message.data) if message.sequence > self._old else ()

    async def _tell(self, session: Session | None) -> None:
        async with self._changed:
            self.session = session
            self._changed.notify_all()

    # --- is it still the stream it was? ---

    async def _anchor(self, session: Session) -> None:
        """See that positions go on where they should, and from where to follow."""
        state = await session.state()
        if not self._is_anchored:
            self.head = await self._known()
            await self._begin(session, state)
            self._is_anchored = True
        elif state.created != self._created or state.last < self.seen:
            log.error("stream_lost", extra={"position": self.head, "sequence": self.seen, "now_ends_at": state.last})
            await self._mark(session, state, self.head + GAP_POSITIONS)
        elif state.first > self.seen + 1:
            log.error("stream_purged_unread", extra={"position": self.head, "next": state.first})
            if state.first > state.last:
                await self._mark(session, state, self.head + GAP_POSITIONS)
            self.seen = max(self.seen, state.first - 1)
        self._created = state.created
        self._until = (await session.state()).last

    async def _begin(self, session: Session, state: State) -> None:
        """Stand so far back that the newest keys are all met; go on with positions behind all that are known."""
        newest = await last_of(session, state.first, state.last)
        if newest is None:
            await self._mark(session, state, self.head)
        elif newest.front.head < self.head:
            log.error("stream_lost", extra={"position": self.head, "now_ends_at": newest.front.head})
            self.high = newest.front.high
            await self._mark(session, state, self.head + GAP_POSITIONS)
        else:
            await self._stand_before(session, state, newest)

    async def _stand_before(self, session: Session, state: State, newest: Found) -> None:
        wanted = newest.front.head - self.keys.least
        first = await first_where(session, state.first, state.last, lambda front: front.head > wanted) or newest
        self.seen, self.head = first.message.sequence - 1, first.front.base
        self._old = state.last

    async def _mark(self, session: Session, state: State, position: int) -> None:
        """Say in the stream where positions go on, unless somebody else has just done so; stand right before that."""
        try:
            sequence = await session.publish(encoded(position, self.high), state.last, f"mark-{position}-{state.last}")
        except Moved:
            sequence = state.last + 1
        self.seen = sequence - 1
