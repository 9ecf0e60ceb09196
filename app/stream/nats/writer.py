"""How appends get into the stream: all that wait as one message, and only behind everything that was read here.

The server takes a message only if the stream still ends where this process believes. Whoever comes second reads what
the first wrote, leaves out what is there now, and tries again. So what is a duplicate is decided before it is written,
the same for everybody, and every caller learns exactly what became of its own.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from app.core.floor.instants import micros
from app.errors import HoldfireError, Invalid, NotDurable
from app.ports.stream import Appended, Payload, StreamRecord
from app.stream.nats.codec import encoded
from app.stream.nats.follower import Follower
from app.stream.nats.session import Moved, Session, Unreachable

log = logging.getLogger(__name__)

GROUP_RECORDS = 5_000  # with all fields filled they fit in a message of 1 MB
WAITING_RECORDS = 500_000  # beyond this NATS is not keeping up, and more memory would not help
BACK_SECONDS = 3.0  # so long a group waits for a connection that was lost under it
CAUGHT_UP_SECONDS = 10.0  # after a start the newest keys are read first
YIELD_SECONDS = 0.002  # for others that write, who else might never come first


@dataclass(frozen=True, slots=True)
class Request:
    """One caller's append: its payloads, when they came, and the future that tells the caller."""

    payloads: Sequence[Payload]
    received_at: datetime
    answer: asyncio.Future[Appended]


@dataclass(frozen=True, slots=True)
class _Part:
    """Payloads of one request."""

    payloads: Sequence[Payload]
    received_at: datetime


class Writer:
    """Writes what waits, one group after the other. Belongs to the event loop it is made on."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._name, self._tries = uuid4().hex, 0
        self._waiting: deque[Request] = deque()
        self._waiting_records = 0
        self._arrived = asyncio.Event()
        self._closed = False
        self._task = asyncio.create_task(self._run(), name="nats-writer")

    def enter(self, request: Request) -> None:
        """Put a request in line. Raises NotDurable when closed, not connected, or when too much waits already."""
        if self._closed:
            raise NotDurable("the stream is closed; nothing can be written any more")
        if self._follower.session is None:
            raise NotDurable("there is no connection to NATS, where the stream is; send it again")
        if self._waiting_records >= WAITING_RECORDS:
            raise NotDurable(f"{self._waiting_records:,} records wait for NATS already; try again later")
        self._waiting.append(request)
        self._waiting_records += len(request.payloads)
        self._arrived.set()

    async def close(self) -> None:
        """Take nothing more, and return once everything in line has been answered. Closing twice is fine."""
        self._closed = True
        self._arrived.set()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while not (self._closed and not self._waiting):
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                await self._write(self._next_group())

    def _next_group(self) -> list[Request]:
        group: list[Request] = []
        size = 0
        while self._waiting and (not group or size + len(self._waiting[0].payloads) <= GROUP_RECORDS):
            group.append(self._waiting.popleft())
            size += len(group[-1].payloads)
        self._waiting_records -= size
        return group

    async def _write(self, requests: Sequence[Request]) -> None:
        """Write a group and answer its callers, whatever happens."""
        try:
            accepted = await self._commit([_Part(request.payloads, request.received_at) for request in requests])
        except (TypeError, ValueError, OverflowError) as fault:
            await self._isolate(requests, fault)
        except (Unreachable, TimeoutError) as fault:
            detail = str(fault) or "NATS did not answer in time"
            self._refuse(requests, NotDurable(f"{detail}; send it again, what was written meanwhile counts once"))
        except Exception as fault:
            log.exception("stream_writer_failed")
            self._refuse(requests, NotDurable(f"the stream could not be written ({type(fault).__name__})"))
        else:
            for request, number in zip(requests, accepted, strict=True):
                if not request.answer.done():  # its caller may have gone away
                    request.answer.set_result(Appended(number, len(request.payloads) - number))

    async def _isolate(self, requests: Sequence[Request], fault: Exception) -> None:
        """Refuse the request that cannot be written, and write its neighbours."""
        if len(requests) == 1:
            self._refuse(requests, Invalid(f"these records cannot be stored: {type(fault).__name__}: {fault}"))
        else:
            for request in requests:
                await self._write([request])

    def _refuse(self, requests: Sequence[Request], error: HoldfireError) -> None:
        for request in requests:
            if not request.answer.done():
                request.answer.set_exception(error)

    async def _commit(self, parts: Sequence[_Part]) -> list[int]:
        """Return how many payloads of each part were new and are durable now."""
        is_second = False
        while True:
            session = await self._ready()
            follower, keys = self._follower, set[int]()
            fresh = [_Part(follower.keys.fresh(part.payloads, keys), part.received_at) for part in parts]
            if not keys:
                return [0] * len(parts)
            received = [(micros(part.received_at), part.payloads) for part in fresh if part.payloads]
            high = max(follower.high, *(came for came, _ in received))
            message = encoded(follower.head, high, received)
            if len(message) > session.largest:
                return await self._halves(parts)
            seen = follower.seen
            try:
                sequence = await self._published(session, message, seen)
            except Moved as moved:
                if moved.last < seen:  # that is another stream, or it was put back
                    session.lose()
                follower.moved(moved.last)
                is_second = True
                continue
            if sequence == follower.seen + 1:  # else it was read here before it was acknowledged
                follower.advance(sequence, high, _records(follower.head, fresh), keys)
            if is_second:
                await asyncio.sleep(YIELD_SECONDS)
            return [len(part.payloads) for part in fresh]

    async def _ready(self) -> Session:
        """Return the session, once everything that was written before is read."""
        session: Session | None = None
        while session is None:
            async with asyncio.timeout(BACK_SECONDS):
                await self._follower.connected()
            async with asyncio.timeout(CAUGHT_UP_SECONDS):
                session = await self._follower.caught_up()
        return session

    async def _published(self, session: Session, message: bytes, after: int) -> int:
        """Return the sequence of the message; once more under the same name when the connection was lost meanwhile."""
        self._tries += 1
        name = f"{self._name}-{self._tries}"
        try:
            return await session.publish(message, after, name)
        except Unreachable:
            async with asyncio.timeout(BACK_SECONDS):
                session = await self._follower.connected()
            return await session.publish(message, after, name)

    async def _halves(self, parts: Sequence[_Part]) -> list[int]:
        """Write as two messages what is too large for one."""
        if len(parts) > 1:
            middle = len(parts) // 2
            return await self._commit(parts[:middle]) + await self._commit(parts[middle:])
        payloads, at = parts[0].payloads, parts[0].received_at
        middle = len(payloads) // 2
        if not middle:
            raise ValueError("one record is larger than what NATS takes as a message (max_payload)")
        first, second = _Part(payloads[:middle], at), _Part(payloads[middle:], at)
        return [sum(await self._commit([first]) + await self._commit([second]))]


def _records(base: int, parts: Sequence[_Part]) -> list[StreamRecord]:
    everything = ((part.received_at, payload) for part in parts for payload in part.payloads)
    return [StreamRecord(position, at, payload) for position, (at, payload) in enumerate(everything, base + 1)]
