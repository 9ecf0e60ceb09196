"""Checking the chain of events in a database, and the decisions it tells of, without writing to it.

The database may be a copy, or in use by a running server.
"""

from collections.abc import Iterator
from typing import Any

from app.core.chain import Break, Entry, Link, follow
from app.core.floor.instants import instant
from app.ports.events import Verified
from app.store.audit_decisions import first_difference
from app.store.audit_reader import Rows, rows_of

BATCH = 10_000
_BEFORE_ALL = -(1 << 63)
_NEXT = f"SELECT {', '.join(Entry._fields)}, sha256 FROM events WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608  # our own names
_EPOCH = instant(0)


def verify(url: str, noted: str | None = None) -> Verified:
    """Check the whole chain, from the first event to the last, and each decision by the digest that its event carries.

    Events that are written meanwhile are checked, too.

    noted: a head that was written down earlier; it must be in the chain, or something at its end was cut off.
    Raises Invalid for a URL that names no database with events, HoldfireError for one that cannot be read.
    """
    with rows_of(url) as rows:
        return verified(rows, noted)


def verified(rows: Rows, noted: str | None = None) -> Verified:
    """Check the whole chain and each decision, as verify does, in what `rows` reads."""
    link, is_noted, differs = Link(), noted in (None, Link().digest.hex()), None
    for batch in _batches(rows):
        is_noted = is_noted or any(written.hex() == noted for _, written in batch if isinstance(written, bytes))
        link, broken = follow(link, batch)
        differs = differs or first_difference(rows, (entry for entry, _ in batch if entry.seq <= link.seq))
        if broken is not None:
            return Verified(link.seq, link.digest.hex(), broken, differs)
    return Verified(link.seq, link.digest.hex(), None if is_noted else _cut_off(link, str(noted)), differs)


def _cut_off(link: Link, noted: str) -> Break:
    detail = f"no event has the digest {noted} that was noted: what came after event {link.seq} was cut off"
    return Break(link.seq + 1, f"{detail}, or everything was written anew")


def _batches(rows: Rows) -> Iterator[list[tuple[Entry, bytes]]]:
    """Yield all events in order, each batch from a transaction of its own: a busy writer is not held up."""
    after = _BEFORE_ALL
    while found := rows(_NEXT, (after, BATCH)):
        yield [_entry(row) for row in found]
        after = found[-1][0]


def _entry(row: tuple[Any, ...]) -> tuple[Entry, bytes]:
    """Return an event as it is kept. An instant that is none any more is one that fits no digest."""
    seq, kind, at, *rest, written = row
    try:
        return Entry(seq, kind, instant(at), *rest), written
    except (TypeError, OverflowError):
        return Entry(seq, kind, _EPOCH, *rest), b""
