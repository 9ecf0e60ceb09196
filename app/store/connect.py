"""From a database URL to connections that are durable: what is refused, and what each connection is told."""

from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import Invalid

SETTING = "HOLDFIRE_DATABASE_URL"
ALLOWED = "allowed is sqlite:///path/to/holdfire.db (four slashes begin an absolute path)"
BUSY_MILLISECONDS = 5_000
CACHE_KIBIBYTES = 32_768


def usable_url(text: str) -> URL:
    """Return the parsed URL of a database file, its folder created. Raises Invalid: setting, value, what is allowed."""
    url = file_url(text)
    try:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise Invalid(f"{shown(url)}: its folder cannot be created ({fault.strerror}); {ALLOWED}") from fault
    return url


def file_url(text: str) -> URL:
    """Return the parsed URL of a database file, which need not be there. Raises Invalid as usable_url does."""
    try:
        url = make_url(text)
    except ArgumentError as fault:
        # What cannot be parsed may still hold a password, before the last @.
        masked = f"***@{text.rpartition('@')[2]}" if "@" in text else text
        raise Invalid(f"{SETTING}={masked} is no database URL; {ALLOWED}") from fault
    if url.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise Invalid(f"{shown(url)}: {url.drivername} is not supported; {ALLOWED}")
    if url.query or url.database in {None, "", ":memory:"}:
        raise Invalid(f"{shown(url)} names no plain file, which durable data needs; {ALLOWED}")
    return url


def shown(url: URL) -> str:
    """Return the setting with its value, without a password."""
    return f"{SETTING}={url.render_as_string(hide_password=True)}"


def sqlite_engine(url: URL, begin: str, *, pool_size: int = 5, busy_milliseconds: int = BUSY_MILLISECONDS) -> Engine:
    """Return an engine that begins every transaction with `begin` and keeps up to pool_size connections open."""

    def configure(connection: SqliteConnection, _: object) -> None:
        connection.isolation_level = None  # or sqlite3 would begin transactions by itself, and too late
        connection.execute(f"PRAGMA busy_timeout={busy_milliseconds}")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIBIBYTES}")

    engine = create_engine(url, pool_size=pool_size, max_overflow=0, hide_parameters=True)
    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine
