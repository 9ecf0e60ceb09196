"""The chain that the book of events is: each entry's digest covers the entry and the digest before it.

    digest(n) = SHA-256( digest(n - 1) || canonical(entry n) ),  digest(0) = 32 zero bytes

`canonical` is UTF-8 JSON without spaces, its members sorted by name. The texts of before and after go in word for word
as they are kept, so that a digest never depends on how some version would write a number. Whoever changes, removes,
adds or swaps entries has to write every digest after that place anew, and then the last one differs from what was
noted elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from json import JSONEncoder
from typing import NamedTuple

START = bytes(32)

_text = JSONEncoder(ensure_ascii=False).encode


class Entry(NamedTuple):
    """An event as it stands in the book. before and after are JSON texts; None where there is no such side."""

    seq: int
    type: str
    at: datetime
    actor_id: str
    actor_name: str
    subject: str
    reason: str
    gate: str | None
    campaign: str | None
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the chain: how many entries there are up to it, and the digest there."""

    seq: int = 0
    digest: bytes = START


@dataclass(frozen=True, slots=True)
class Break:
    """The first place that does not fit, and what is wrong there."""

    seq: int
    detail: str


def canonical(entry: Entry) -> bytes:
    """Return the bytes that stand for an entry in its digest; the same in every version of holdfire."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    return (
        f'{{"actor":{{"id":{_text(entry.actor_id)},"name":{_text(entry.actor_name)}}},"after":{_side(entry.after)},'
        f'"at":"{at}Z","before":{_side(entry.before)},"campaign":{_text(entry.campaign)},'
        f'"gate":{_text(entry.gate)},"reason":{_text(entry.reason)},"seq":{entry.seq},'
        f'"subject":{_text(entry.subject)},"type":{_text(entry.type)}}}'
    ).encode()


def _side(text: str | None) -> str:
    return "null" if text is None else text


def digest(previous: bytes, entry: Entry) -> bytes:
    """Return an entry's digest, 32 bytes, given the one before it (START for the first)."""
    return sha256(previous + canonical(entry)).digest()


def follow(link: Link, kept: Iterable[tuple[Entry, bytes]]) -> tuple[Link, Break | None]:
    """Walk on from a link over entries with the digests kept for them; return the last good link, and what ended it.

    None: everything fits. Entries must come in the order of their places.
    """
    seq, last = link.seq, link.digest
    for entry, written in kept:
        if entry.seq != seq + 1:
            return Link(seq, last), Break(seq + 1, f"event {seq + 1} is missing; the next one there is {entry.seq}")
        if not _fits(last, entry, written):
            detail = f"event {entry.seq} is not what was written, or an event before it is not"
            return Link(seq, last), Break(entry.seq, detail)
        seq, last = entry.seq, written
    return Link(seq, last), None


def _fits(previous: bytes, entry: Entry, written: bytes) -> bool:
    """Tell whether an entry has the digest that was kept for it; one that holds no texts where it should has not."""
    try:
        return digest(previous, entry) == written
    except (TypeError, ValueError):
        return False
