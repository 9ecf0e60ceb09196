"""A database of PostgreSQL's: what each connection to it is told.

Writers of one lane follow each other, in whatever process they are, by an advisory lock that ends with the transaction.
What is read before a write is therefore still true when it is written, as with SQLite's one writer; nothing has to be
tried twice.
"""

import os
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from sqlalchemy import URL, Connection, Engine, Pool, create_engine, event

DRIVER = "postgresql+psycopg"
DRIVERS = frozenset({"postgresql", "postgres", DRIVER})
LOCK_SECONDS = 10
IDLE_SECONDS = 10
# Parts of advisory locks' names: this number is holdfire's, the other one says what is locked.
HOLDFIRE = 0x686F6C64
LOCKS = {"tables": 1, "stream": 2, "migration": 3, "evaluation": 4}
TRY_EVALUATION = f"SELECT pg_try_advisory_lock({HOLDFIRE}, {LOCKS['evaluation']})"
TRY_SHARED_EVALUATION = f"SELECT pg_try_advisory_lock_shared({HOLDFIRE}, {LOCKS['evaluation']})"
OLDEST = 140_000  # what PostgreSQL itself calls server_version_num
_PATIENT: Mapping[str, int] = {"lock_timeout": LOCK_SECONDS}
_CONNECTIONS: WeakKeyDictionary[Pool, WeakSet[psycopg.Connection[Any]]] = WeakKeyDictionary()
_SORTED_OTHERWISE = """
SELECT t.relname, c.attname FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid
WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p') AND NOT t.relispartition
    AND c.atttypid = 'varchar'::regtype AND NOT c.attisdropped AND c.attcollation <> '"C"'::regcollation
"""  # a partition's columns are its parent's
_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
CONNECT: dict[str, Any] = {
    "application_name": "holdfire",
    "connect_timeout": 5,
    "keepalives_idle": 10,  # a server that was cut off is noticed within half a minute
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "client_encoding": "utf8",
}


def reading_engine(url: URL, *, pool_size: int) -> Engine:
    """Return an engine whose every transaction looks at one unchanging picture of the database, and changes nothing."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    made = _engine(url, pool_size=pool_size, pool_pre_ping=True)
    return made.execution_options(**options)


def writing_engine(
    url: URL, lock: str, patience_seconds: int = LOCK_SECONDS, idle_seconds: int = IDLE_SECONDS
) -> Engine:
    """Return an engine of one connection, whose every transaction begins when it alone has the lock.

    idle_seconds: for how long it may do nothing in between, 0: for any. A process that is stopped in the middle of a
    transaction must not keep all others from writing.
    """

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({HOLDFIRE}, {LOCKS[lock]})")

    limits = {"lock_timeout": patience_seconds, "idle_in_transaction_session_timeout": idle_seconds}
    made = _engine(url, pool_size=1, pool_pre_ping=True, limits=limits)
    event.listen(made, "begin", begin)
    return made


def engine(url: URL) -> Engine:
    """Return an engine of one connection, for who takes its locks itself."""
    return _engine(url, pool_size=1)


def cut_off(engines: Iterable[Engine]) -> None:
    """End the connections of engines under whoever waits for them: their server does not answer."""
    for each in engines:
        for connection in _CONNECTIONS.get(each.pool, ()):
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)


def address(url: URL) -> str:
    """Return the URL as the server's own programs and drivers take it, password and all."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def unfit(connection: Connection) -> str | None:
    """Return why a server or its database cannot hold what holdfire writes, None when it can."""
    version, encoding = connection.exec_driver_sql(
        "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')"
    ).one()
    if version < OLDEST:
        return f"its server is PostgreSQL {version // 10_000}; {OLDEST // 10_000} or newer is needed"
    if encoding != "UTF8":
        return f"its encoding is {encoding}; create it with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
    return None


def sort_text_by_bytes(connection: Connection) -> None:
    """Let every column of text sort by its bytes, as SQLite and Python do, whatever language the database speaks.

    Pages that go on after a name would otherwise lose or repeat names.
    """
    for table, column in connection.exec_driver_sql(_SORTED_OTHERWISE).all():
        connection.exec_driver_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE varchar COLLATE "C"')


def _engine(url: URL, *, pool_size: int, pool_pre_ping: bool = False, limits: Mapping[str, int] = _PATIENT) -> Engine:
    made = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=pool_pre_ping,
        hide_parameters=True,
        connect_args=CONNECT,
        execution_options={"preserve_rowcount": True},  # of inserts too, which SQLAlchemy's cursor forgets otherwise
    )
    opened = _CONNECTIONS[made.pool] = WeakSet()
    event.listen(made, "connect", partial(_configure, limits))
    event.listen(made, "connect", lambda connection, _: opened.add(connection))
    return made


def _configure(limits: Mapping[str, int], connection: psycopg.Connection, _: object) -> None:
    """Set what every transaction goes by; limits are in seconds.

    Commits are durable, also where the server's own setting would let them go on before they are.
    """
    connection.adapters.register_loader("numeric", _Number)
    connection.execute(_DURABLE)
    for name, seconds in limits.items():
        connection.execute(f"SET {name} = '{seconds}s'".encode())
    connection.commit()


class _Number(Loader):
    """Makes a sum of whole numbers a whole number, as SQLite's is; PostgreSQL calls it numeric."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        return int(text) if text.lstrip("-").isdigit() else float(text)
