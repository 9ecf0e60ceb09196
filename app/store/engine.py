"""An open database: who writes, who reads, and errors in holdfire's own words.

SQLite has one writer at a time. All writes of the process therefore queue for one thread, first come first served:
nobody is starved by a busy stream, and nobody waits in SQLite's own lock, which knows no order. On PostgreSQL the
stream has a thread of its own, because its writers and those of the tables need not wait for each other.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import TypeVar

import psycopg
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from app.errors import HoldfireError, Invalid, NotDurable
from app.ports.replicas import Notices
from app.services.agreement import before_answering
from app.store import postgresql
from app.store.agreement import changed_by, seen_everywhere
from app.store.connect import Lane, is_file, reading_engine, usable_url, writing_engine
from app.store.migrate import migrate

T = TypeVar("T")

READERS = 4
# Who asked for a write has long been told, or has given up, when it waited longer: then it must not happen behind them.
LONGEST_WAIT_SECONDS = 10.0
GRACE_SECONDS = 1.0  # what is being committed just then may still be in time
LONGEST_READ_SECONDS = 30.0
LONGEST_CLOSE_SECONDS = 5.0
LATE = (
    f"the database did not answer within {LONGEST_WAIT_SECONDS + GRACE_SECONDS:g} s; what was asked may yet be written"
)


class Writer:
    """One thread with one connection; jobs given to it run one after another."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"holdfire-{name}")
        self._after: list[tuple[str, Callable[[], None]]] = []
        self._closed = False

    def after_commit(self, mark: str, call: Callable[[], None]) -> None:
        """Call `call`, on the thread, after every transaction that left `mark` in its connection's info."""
        self._after.append((mark, call))

    def submit(self, job: Callable[[], object]) -> Future[object]:
        """Run a job on the thread, after those that came before."""
        return self._thread.submit(job)

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction on this thread, which is the writer's, and commit."""
        with self.engine.begin() as connection:
            marks = connection.info
            result = work(connection)
        for mark, call in self._after:
            if marks.pop(mark, None):
                call()
        return result

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction on the writer thread, commit, and return its result.

        Raises NotDurable, too, when its turn came only after 10 seconds; nothing is written then.
        """
        if self._closed:
            raise NotDurable("the database is closed; nothing can be written any more")
        latest = monotonic() + LONGEST_WAIT_SECONDS
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS + GRACE_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._in_time, latest, work)
        except TimeoutError as fault:
            raise NotDurable(f"{LATE}; look whether it was before you ask again") from fault
        except (IntegrityError, DataError) as fault:
            raise Invalid(f"the database's own rules refuse this: {fault.orig}") from fault
        except DBAPIError as fault:
            raise NotDurable(f"the database could not write this down ({fault.orig}); nothing was changed") from fault

    def close(self) -> None:
        """Finish what was given to it, and close the connection. Closing twice is fine."""
        self._closed = True
        self._thread.shutdown()
        self.engine.dispose()

    def _in_time(self, latest: float, work: Callable[[Connection], T]) -> T:
        def work_in_time(connection: Connection) -> T:
            result = work(connection)
            _require(latest)
            return result

        _require(latest)
        return self.transact(work_in_time)


def _require(latest: float) -> None:
    """Raise NotDurable when it is later than that."""
    if monotonic() > latest:
        detail = f"the database did not come to this within {LONGEST_WAIT_SECONDS:g} s"
        raise NotDurable(f"{detail}, because others wrote or kept it locked; nothing was changed")


class Database:
    """An open database. Give `write` and `read` a function of a connection; each call is one transaction.

    Raises NotDurable when a write failed and left nothing behind, HoldfireError when a read failed.
    """

    def __init__(self, url: URL) -> None:
        self.writer = Writer(writing_engine(url, Lane.TABLES), "writer")
        self._read_engine = reading_engine(url, pool_size=READERS)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="holdfire-reader")
        self._closed = False
        self.address = None if is_file(url) else postgresql.address(url)
        self.stream_writer = self.writer if is_file(url) else Writer(writing_engine(url, Lane.STREAM), "stream")
        self.fence: Callable[[Connection], None] | None = None
        self.notices: Notices | None = None

    def after_commit(self, mark: str, call: Callable[[], None]) -> None:
        """Call `call`, on the writer thread, after every transaction that left `mark` in its connection's info."""
        self.writer.after_commit(mark, call)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction of the tables' writer, commit, and return its result.

        Where replicas share the database, what it changed of their memories is known to all of them before an answer.
        """
        if self.address is None:
            return await self.writer.write(work)
        result, changed = await self.writer.write(lambda connection: (work(connection), changed_by(connection)))
        if changed is not None:
            await before_answering(changed, partial(seen_everywhere, self.read, changed, self.notices))
        return result

    async def write_leading(self, work: Callable[[Connection], T]) -> T:
        """Do the same for who leads: `fence`, where there is one, raises NotDurable when that is not this process.

        The others are not waited for.
        """
        fence = self.fence
        if fence is None:
            return await self.writer.write(work)

        def fenced(connection: Connection) -> T:
            fence(connection)
            return work(connection)

        return await self.writer.write(fenced)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one unchanging picture of the database, on a reader thread, and return its result."""
        if self._closed:
            raise HoldfireError("the database is closed; nothing can be read any more")
        try:
            async with asyncio.timeout(LONGEST_READ_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._readers, self._look, work)
        except TimeoutError as fault:
            raise HoldfireError(f"the database did not answer within {LONGEST_READ_SECONDS:g} s") from fault
        # The stream reads past SQLAlchemy, which then wraps nothing.
        except (DBAPIError, sqlite3.Error, psycopg.Error) as fault:
            raise HoldfireError(f"the database could not be read: {getattr(fault, 'orig', fault)}") from fault

    async def close(self) -> None:
        """Finish what is being done and close every connection. Closing twice is fine.

        A server that does not answer is waited for no longer than 5 seconds.
        """
        self._closed = True
        engines = {self._read_engine, self.writer.engine, self.stream_writer.engine}
        cutting = asyncio.get_running_loop().call_later(LONGEST_CLOSE_SECONDS, postgresql.cut_off, engines)
        await asyncio.to_thread(self._readers.shutdown)
        for writer in {self.writer, self.stream_writer}:
            await asyncio.to_thread(writer.close)
        cutting.cancel()
        self._read_engine.dispose()

    def _look(self, work: Callable[[Connection], T]) -> T:
        with self._read_engine.begin() as connection:
            return work(connection)


def open_database(url: str) -> Database:
    """Return the database at `url`, its folder created and its tables brought up to date.

    Raises Invalid with the setting, the value and what is allowed when the URL, the path or the file cannot be used.
    """
    migrate(url)
    return Database(usable_url(url))
