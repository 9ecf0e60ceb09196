"""From a database URL to connections that are durable: what is refused, and which database it is."""

from enum import Enum

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError

from app.errors import Invalid
from app.store import postgresql, sqlite

SETTING = "HOLDFIRE_DATABASE_URL"
ALLOWED = (
    "allowed is sqlite:///path/to/holdfire.db (four slashes begin an absolute path) "
    "or postgresql://user:password@host:5432/database"
)


class Lane(Enum):
    """Writers that wait for each other: those of one lane, in all processes. SQLite has one lane for all."""

    TABLES = "tables"
    STREAM = "stream"


def known_url(text: str) -> URL:
    """Return the parsed URL of a database, which need not be there. Raises Invalid: setting, value, what is allowed."""
    try:
        url = make_url(text)
    except ArgumentError as fault:
        # What cannot be parsed may still hold a password, before the last @.
        value = f"***@{text.rpartition('@')[2]}" if "@" in text else text
        raise Invalid(f"{SETTING}={value} is no database URL; {ALLOWED}") from fault
    if url.drivername in sqlite.DRIVERS:
        if url.query or url.database in {None, "", ":memory:"}:
            raise Invalid(f"{shown(url)} names no plain file, which durable data needs; {ALLOWED}")
        return url
    if url.drivername in postgresql.DRIVERS:
        if not url.database:
            raise Invalid(f"{shown(url)} names no database; {ALLOWED}")
        return url.set(drivername=postgresql.DRIVER)
    raise Invalid(f"{shown(url)}: {url.drivername} is not supported; {ALLOWED}")


def usable_url(text: str) -> URL:
    """Return the parsed URL of a database, the folder of a file created. Raises Invalid as known_url does."""
    url = known_url(text)
    if is_file(url):
        try:
            sqlite.path_of(url).parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise Invalid(f"{shown(url)}: its folder cannot be created ({fault.strerror}); {ALLOWED}") from fault
    return url


def shown(url: URL) -> str:
    """Return the setting with its value, without a password."""
    return f"{SETTING}={masked(url)}"


def masked(url: URL) -> str:
    """Return a URL as it was given, without a password."""
    return url.set(drivername=url.drivername.removesuffix("+psycopg")).render_as_string(hide_password=True)


def is_file(url: URL) -> bool:
    """Return whether the database is a file of SQLite's."""
    return url.drivername in sqlite.DRIVERS


def reading_engine(url: URL, *, pool_size: int) -> Engine:
    """Return an engine whose every transaction looks at one unchanging picture of the database."""
    if is_file(url):
        return sqlite.engine(url, "BEGIN", pool_size=pool_size)
    return postgresql.reading_engine(url, pool_size=pool_size)


def writing_engine(url: URL, lane: Lane, *, may_idle: bool = False) -> Engine:
    """Return an engine of one connection, whose transactions follow those of every process in the same lane.

    may_idle: whether a transaction may do nothing for long while all others wait.
    """
    if is_file(url):
        return sqlite.engine(url, "BEGIN IMMEDIATE", pool_size=1)
    return postgresql.writing_engine(url, lane.value, idle_seconds=0 if may_idle else postgresql.IDLE_SECONDS)


def migrating_engine(url: URL, patience_seconds: int) -> Engine:
    """Return an engine of one connection, whose transactions wait that long for another process that migrates."""
    if is_file(url):
        return sqlite.engine(url, "BEGIN IMMEDIATE", pool_size=1, busy_milliseconds=patience_seconds * 1000)
    return postgresql.writing_engine(url, "migration", patience_seconds, idle_seconds=0)
