"""Reading rows as they are stored, past everything that would correct them, from a database that is not written to."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy import URL

from app.errors import HoldfireError, Invalid
from app.store.connect import is_file, known_url, shown
from app.store.postgresql import address
from app.store.sqlite import path_of

Rows = Callable[[str, Sequence[object]], Sequence[tuple[Any, ...]]]
"""All rows of a statement, whose values are marked by question marks; each call is a transaction of its own."""


@contextmanager
def rows_of(url: str) -> Iterator[Rows]:
    """Yield what reads the database at `url`.

    Raises Invalid for a URL that names no database with events, HoldfireError for one that cannot be read.
    """
    target = known_url(url)
    try:
        with _file(target) if is_file(target) else _server(target) as rows:
            yield rows
    except (sqlite3.Error, psycopg.Error) as fault:
        raise HoldfireError(f"the database could not be read: {fault}") from fault


@contextmanager
def _file(target: URL) -> Iterator[Rows]:
    path = path_of(target)
    if not path.is_file():
        raise Invalid(f"{shown(target)}: there is no such file; name the database to check")
    with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda text: text.decode(errors="replace")  # what is no text any more fits no digest
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
            raise _without_events(target)
        yield lambda statement, values: connection.execute(statement, values).fetchall()


@contextmanager
def _server(target: URL) -> Iterator[Rows]:
    with psycopg.connect(address(target), autocommit=True, connect_timeout=5) as connection:
        connection.read_only = True
        if connection.execute("SELECT to_regclass('events')").fetchone() == (None,):
            raise _without_events(target)
        yield lambda statement, values: connection.execute(statement.replace("?", "%s").encode(), values).fetchall()


def _without_events(target: URL) -> Invalid:
    return Invalid(f"{shown(target)} has no events: an older holdfire wrote it; `holdfire migrate` upgrades it")
