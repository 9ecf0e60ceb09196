"""Checking the chain of events in a database file, and the decisions it tells of, without writing to it.

The file may be a copy, or one beside a running server.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.core.chain import Break, Entry, Link, follow
from app.core.floor.instants import instant
from app.errors import HoldfireError, Invalid
from app.ports.events import Verified
from app.store.audit_decisions import first_difference
from app.store.connect import known_url, shown

BATCH = 10_000
_BEFORE_ALL = -(1 << 63)
_NEXT = f"SELECT {', '.join(Entry._fields)}, sha256 FROM events WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608  # our own names
_EPOCH = instant(0)


def verify(url: str, noted: str | None = None) -> Verified:
    """Check the whole chain, from the first event to the last, and each decision by the digest that its event carries.

    Events that are written meanwhile are checked, too.

    noted: a head that was written down earlier; it must be in the chain, or something at its end was cut off.
    Raises Invalid for a URL that names no database with events, HoldfireError for a file that cannot be read.
    """
    try:
        with closing(_opened(url)) as connection:
            return _verified(connection, noted)
    except sqlite3.Error as fault:
        raise HoldfireError(f"the database could not be read: {fault}") from fault


def _opened(url: str) -> sqlite3.Connection:
    target = known_url(url)
    path = Path(str(target.database))
    if not path.is_file():
        raise Invalid(f"{shown(target)}: there is no such file; name the database to check")
    connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)
    connection.text_factory = lambda text: text.decode(errors="replace")  # what is no text any more fits no digest
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
        connection.close()
        raise Invalid(f"{shown(target)} has no events: an older holdfire wrote it; `holdfire migrate` upgrades it")
    return connection


def _verified(connection: sqlite3.Connection, noted: str | None) -> Verified:
    link, is_noted, differs = Link(), noted in (None, Link().digest.hex()), None
    for batch in _batches(connection):
        is_noted = is_noted or any(written.hex() == noted for _, written in batch if isinstance(written, bytes))
        link, broken = follow(link, batch)
        differs = differs or first_difference(connection, (entry for entry, _ in batch if entry.seq <= link.seq))
        if broken is not None:
            return Verified(link.seq, link.digest.hex(), broken, differs)
    return Verified(link.seq, link.digest.hex(), None if is_noted else _cut_off(link, str(noted)), differs)


def _cut_off(link: Link, noted: str) -> Break:
    detail = f"no event has the digest {noted} that was noted: what came after event {link.seq} was cut off"
    return Break(link.seq + 1, f"{detail}, or everything was written anew")


def _batches(connection: sqlite3.Connection) -> Iterator[list[tuple[Entry, bytes]]]:
    """Yield all events in order, each batch from a transaction of its own: a busy writer is not held up."""
    after = _BEFORE_ALL
    while rows := connection.execute(_NEXT, (after, BATCH)).fetchall():
        yield [_entry(row) for row in rows]
        after = rows[-1][0]


def _entry(row: tuple[Any, ...]) -> tuple[Entry, bytes]:
    """Return an event as it is kept. An instant that is none any more is one that fits no digest."""
    seq, kind, at, *rest, written = row
    try:
        return Entry(seq, kind, instant(at), *rest), written
    except (TypeError, OverflowError):
        return Entry(seq, kind, _EPOCH, *rest), b""
