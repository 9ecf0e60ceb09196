"""The line of waiting appends, and how the writer thread serves it."""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError

from app.errors import HoldfireError, Invalid, NotDurable
from app.stream.group import Request, Written, write_group
from app.stream.hints import tell

T = TypeVar("T")

GROUP_RECORDS = 20_000  # a transaction stays short enough for others to write in between
WAITING_RECORDS = 500_000  # beyond this the disk is not keeping up, and more memory would not help

# What a payload can do to an insert by itself; every other failure is the database's.
_PAYLOAD_FAULTS = (IntegrityError, DataError, InterfaceError, ProgrammingError, OverflowError, TypeError, ValueError)


class SqlWriter(Protocol):
    """A thread that writes, one job after another."""

    def submit(self, job: Callable[[], object]) -> object:
        """Run a job on the thread, after those that came before."""

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction on this thread, which is the writer's, and commit."""

    def write(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run `work` in a write transaction on the thread, and commit."""


class SqlDatabase(Protocol):
    """What the stream needs of an open database that has the tables of app.stream.tables."""

    @property
    def stream_writer(self) -> SqlWriter:
        """Return who writes what is appended."""

    @property
    def address(self) -> str | None:
        """Return where other processes' writing can be heard of, None where there is no such place."""

    def read(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run `work` on one unchanging picture of the database, on some other thread."""


class GroupWriter:
    """Takes appends on the event loop it was made on, and writes all that wait as one transaction.

    After a failed group it simply goes on with the next: it works again as soon as the database does.
    """

    def __init__(self, writer: SqlWriter, name: str, on_written: Callable[[Written], None]) -> None:
        self._writer, self._name = writer, name
        self._on_written = on_written
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: deque[Request] = deque()
        self._waiting_records = 0
        self._busy = False
        self._closed = False

    def enter(self, request: Request) -> None:
        """Put a request in line. Raises NotDurable when closed, or when too much waits already."""
        if self._closed:
            raise NotDurable("the stream is closed; nothing can be written any more")
        with self._lock:
            if self._waiting_records >= WAITING_RECORDS:
                raise NotDurable(f"{self._waiting_records:,} records wait for the disk already; try again later")
            self._waiting.append(request)
            self._waiting_records += len(request.payloads)
            start, self._busy = not self._busy, True
        if start:
            self._writer.submit(self._serve)

    async def close(self) -> None:
        """Take nothing more, and return once everything in line has been answered. Closing twice is fine."""
        self._closed = True
        while self._busy:
            await self._turn()

    async def _turn(self) -> None:
        """Return when the writer thread has served everything that was in line before this call."""
        served = asyncio.Event()
        self._writer.submit(lambda: self._loop.call_soon_threadsafe(served.set))
        await served.wait()

    def _serve(self) -> None:
        """Write one group; more than that waits behind whatever else wants to write."""
        if requests := self._next_group():
            self._write(requests)
        with self._lock:
            self._busy = bool(self._waiting)
            again = self._busy
        if again:
            self._writer.submit(self._serve)

    def _next_group(self) -> list[Request]:
        group: list[Request] = []
        size = 0
        with self._lock:
            while self._waiting and (not group or size + len(self._waiting[0].payloads) <= GROUP_RECORDS):
                group.append(self._waiting.popleft())
                size += len(group[-1].payloads)
            self._waiting_records -= size
        return group

    def _write(self, requests: Sequence[Request]) -> None:
        try:
            written = self._writer.transact(lambda connection: self._write_group(connection, requests))
        except _PAYLOAD_FAULTS as fault:
            self._isolate(requests, fault)
        except Exception as fault:  # noqa: BLE001  # whatever it was, every caller must hear that nothing was kept
            detail = f"the database could not write this down ({_cause(fault)}); nothing of it was kept, send it again"
            self._tell(self._refuse, requests, NotDurable(detail))
        else:
            self._tell(self._accept, requests, written)

    def _write_group(self, connection: Connection, requests: Sequence[Request]) -> Written:
        written = write_group(connection, requests)
        if written.records:
            tell(connection, self._name)
        return written

    def _isolate(self, requests: Sequence[Request], fault: Exception) -> None:
        """Refuse the request that cannot be stored, and store its neighbours."""
        if len(requests) == 1:
            self._tell(self._refuse, requests, Invalid(f"these records cannot be stored: {_cause(fault)}"))
        else:
            for request in requests:
                self._write([request])

    def _tell(self, answer: Callable[..., None], requests: Sequence[Request], outcome: Written | HoldfireError) -> None:
        self._loop.call_soon_threadsafe(answer, requests, outcome)

    def _accept(self, requests: Sequence[Request], written: Written) -> None:
        for request, answer in zip(requests, written.answers, strict=True):
            if not request.answer.done():  # its caller may have gone away
                request.answer.set_result(answer)
        if written.records:
            self._on_written(written)

    def _refuse(self, requests: Sequence[Request], error: HoldfireError) -> None:
        for request in requests:
            if not request.answer.done():
                request.answer.set_exception(error)


def _cause(fault: Exception) -> str:
    return str(fault.orig) if isinstance(fault, DBAPIError) else f"{type(fault).__name__}: {fault}"
