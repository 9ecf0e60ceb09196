"""A file of SQLite's: what each connection to it is told."""

from pathlib import Path
from sqlite3 import Connection

from sqlalchemy import URL, Engine, create_engine, event

DRIVERS = frozenset({"sqlite", "sqlite+pysqlite"})
BUSY_MILLISECONDS = 5_000
CACHE_KIBIBYTES = 32_768


def engine(url: URL, begin: str, *, pool_size: int = 5, busy_milliseconds: int = BUSY_MILLISECONDS) -> Engine:
    """Return an engine that begins every transaction with `begin` and keeps up to pool_size connections open."""

    def configure(connection: Connection, _: object) -> None:
        connection.isolation_level = None  # or sqlite3 would begin transactions by itself, and too late
        connection.execute(f"PRAGMA busy_timeout={busy_milliseconds}")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIBIBYTES}")

    made = create_engine(url, pool_size=pool_size, max_overflow=0, hide_parameters=True)
    event.listen(made, "connect", configure)
    event.listen(made, "begin", lambda connection: connection.exec_driver_sql(begin))
    return made


def path_of(url: URL) -> Path:
    """Return the file that a URL names."""
    return Path(str(url.database))
