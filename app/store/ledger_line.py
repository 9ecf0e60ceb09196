"""The line of waiting changes of permits, and how the writer thread serves it.

All that waits becomes one transaction, each change settled in turn on what those before it left. A change that fails by
itself is told so and leaves nothing behind; when the database fails, nothing of the group was kept.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from app.errors import NotDurable
from app.ports.permits import PermitChange
from app.store.engine import GRACE_SECONDS, LATE, LONGEST_WAIT_SECONDS, Database
from app.store.ledger import Ledger

T = TypeVar("T")

GROUP = 256  # a transaction stays short enough for others to write in between
WAITING = 20_000  # beyond this the disk is not keeping up, and more memory would not help

Listener = Callable[[Sequence[PermitChange]], None]


class Waiting(NamedTuple, Generic[T]):
    """One change in line: what it does with the ledger, as of when, and the future that tells its caller."""

    work: Callable[[Ledger], T]
    at: datetime
    answer: asyncio.Future[T]


class LedgerLine:
    """Takes changes on an event loop, and settles all that wait as one transaction on the writer thread.

    After a failed group it simply goes on with the next: it works again as soon as the database does.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: deque[Waiting[Any]] = deque()
        self._busy = False
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` on the event loop after every commit, before those are answered whose changes it holds."""
        self._listeners.append(listener)

    async def settle(self, work: Callable[[Ledger], T], at: datetime) -> T:
        """Return what `work` returns, once everything it put into the ledger is durable.

        work must put nothing before it has done all that may raise; what it raises is raised here. Raises NotDurable.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._lock:
            if len(self._waiting) >= WAITING:
                raise NotDurable(f"{WAITING:,} changes of permits wait for the disk already; try again later")
            self._waiting.append(Waiting(work, at, answer))
            start, self._busy = not self._busy, True
        if start:
            self._submit()
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS + GRACE_SECONDS):
                return await answer
        except TimeoutError as fault:
            raise NotDurable(f"{LATE}; with an Idempotency-Key asking again gives the same permit") from fault

    async def between(self, read: Callable[[Connection], T], then: Callable[[T], None]) -> None:
        """Call `then` on the event loop with what is read between two groups of changes.

        Listeners have heard of every commit that it follows, and of none that came later. Raises NotDurable.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def look() -> None:
            try:
                found = self._database.writer.transact(read)
            except Exception as fault:  # noqa: BLE001  # whatever it was, who waits must hear of it
                loop.call_soon_threadsafe(_answer, done, NotDurable(f"permits could not be read ({_cause(fault)})"))
            else:
                loop.call_soon_threadsafe(tell, found)

        def tell(found: T) -> None:
            then(found)
            _answer(done, None)

        try:
            self._database.writer.submit(look)
        except RuntimeError as fault:  # its thread takes no more jobs
            raise NotDurable("the database is closed; nothing can be read any more") from fault
        await done

    def _submit(self) -> None:
        try:
            self._database.writer.submit(self._serve)
        except RuntimeError:  # its thread takes no more jobs
            with self._lock:
                left, self._busy = list(self._waiting), False
                self._waiting.clear()
            self._refuse(left, NotDurable("the database is closed; nothing can be written any more"))

    def _serve(self) -> None:
        """Settle one group, and go to the end of the writer thread's own line when more waits."""
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
        try:
            self._settle(group)
        finally:
            with self._lock:
                self._busy = again = bool(self._waiting)
            if again:
                self._submit()

    def _settle(self, group: Sequence[Waiting[Any]]) -> None:
        try:
            outcomes, changes = self._database.writer.transact(lambda connection: _attempt_all(connection, group))
        except Exception as fault:  # noqa: BLE001  # whatever it was, every caller must hear that nothing was kept
            if len(group) > 1 and not isinstance(fault, OperationalError):  # one of them, not the disk
                self._isolate(group)
            else:
                detail = f"the database could not write this down ({_cause(fault)}); nothing of it was kept"
                self._refuse(group, NotDurable(detail))
        else:
            loop = group[0].answer.get_loop()
            loop.call_soon_threadsafe(self._tell, group, outcomes, changes)

    def _isolate(self, group: Sequence[Waiting[Any]]) -> None:
        for waiting in group:
            self._settle([waiting])

    def _tell(self, group: Sequence[Waiting[Any]], outcomes: Sequence[Any], changes: Sequence[PermitChange]) -> None:
        if changes:
            for listener in self._listeners:
                listener(changes)
        for waiting, outcome in zip(group, outcomes, strict=True):
            _answer(waiting.answer, outcome)

    def _refuse(self, group: Sequence[Waiting[Any]], fault: NotDurable) -> None:
        for waiting in group:
            waiting.answer.get_loop().call_soon_threadsafe(_answer, waiting.answer, fault)


def _attempt_all(connection: Connection, group: Sequence[Waiting[Any]]) -> tuple[list[Any], list[PermitChange]]:
    """Return what became of each change, a value or an exception of its own, with all of them written."""
    ledger = Ledger(connection, max(waiting.at for waiting in group))
    outcomes = [_attempt(waiting, ledger) for waiting in group]
    ledger.write()
    return outcomes, ledger.changes


def _attempt(waiting: Waiting[Any], ledger: Ledger) -> Any:
    try:
        return waiting.work(ledger)
    except DBAPIError:
        raise
    except Exception as fault:  # noqa: BLE001  # it is raised again where it was asked for, and is nobody else's
        return fault


def _answer(answer: asyncio.Future[Any], outcome: Any) -> None:
    if answer.done():  # its caller has gone away
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


def _cause(fault: Exception) -> str:
    return str(fault.orig) if isinstance(fault, DBAPIError) else f"{type(fault).__name__}: {fault}"
