"""Who may evaluate a database.

A file has one process at a time: two would not see each other's changes of policy, and would count history twice. On
PostgreSQL replicas share it, each with a lock that they can share; who replays into it or moves it must be alone.
"""

import fcntl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError

from app.errors import Invalid
from app.store import postgresql
from app.store.connect import is_file, shown, usable_url

SUFFIX = ".lock"


@contextmanager
def sole_evaluator(url: str) -> Iterator[None]:
    """Hold, while inside, the right to evaluate the database at `url`; it ends with the process, however that ends.

    Raises Invalid when somebody else has it, or when it cannot be asked for.
    """
    target = usable_url(url)
    with closing(_locked_file(target)) if is_file(target) else _locked_server(target, postgresql.TRY_EVALUATION):
        yield


def require_free(url: str) -> None:
    """Raise Invalid when a process that serves the database at `url` would not be let in now."""
    target = usable_url(url)
    shared = postgresql.TRY_SHARED_EVALUATION
    with closing(_locked_file(target)) if is_file(target) else _locked_server(target, shared):
        return


def _locked_file(database: URL) -> IO[str]:
    try:
        file = Path(f"{database.database}{SUFFIX}").open("a", encoding="ascii")  # noqa: SIM115  # its caller closes it
    except OSError as fault:
        raise Invalid(f"{shown(database)}: {fault.filename} cannot be written ({fault.strerror})") from fault
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        file.close()
        raise _taken(database, "HOLDFIRE_DATA_DIR") from fault
    return file


@contextmanager
def _locked_server(database: URL, lock: str) -> Iterator[None]:
    """Hold a lock of the server's on a connection of its own: it ends with the connection."""
    engine = postgresql.engine(database)
    try:
        with _holding(engine, database, lock):
            yield
    finally:
        engine.dispose()


def _holding(engine: Engine, database: URL, lock: str) -> Connection:
    try:
        connection = engine.connect()
        got = connection.exec_driver_sql(lock).scalar()
        connection.commit()
    except DBAPIError as fault:
        raise Invalid(f"{shown(database)} cannot be used ({' '.join(str(fault.orig).split())})") from fault
    if not got:
        connection.close()
        raise _taken(database, "HOLDFIRE_DATABASE_URL")
    return connection


def _taken(database: URL, setting: str) -> Invalid:
    return Invalid(
        f"{shown(database)} is in use by another holdfire that serves or replays; "
        f"stop that one, or give this one a database of its own with {setting}"
    )
