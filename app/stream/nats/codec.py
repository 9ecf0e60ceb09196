"""What one message of the stream holds: records that were made durable as one, column by column.

In front stand the position before its first record, how many there are, and the latest instant at which anything was
received up to its end. Both grow along the stream, so that a place in it is found by halving. A message without records
is a mark: it says where positions go on in a new stream.
"""

import struct
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import groupby, repeat
from typing import Any, NamedTuple

import msgspec

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.instants import instant, micros
from app.core.floor.observation import Observation
from app.ports.stream import Payload, StreamRecord

_FRONT = struct.Struct(">4sQqI")
_MAGIC = b"HFS1"
_KINDS = {kind.value: kind for kind in ContactEventKind}
_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode

# What is raised by bytes that are not what they should be.
_FAULTS = (msgspec.MsgspecError, ValueError, TypeError, KeyError, IndexError, OverflowError)

Received = tuple[int, Sequence[Payload]]  # in microseconds, and what came then


class Unreadable(Exception):
    """A message that holdfire did not write, or of a format that this version does not know."""


class Front(NamedTuple):
    """What stands in front of a message: the position before it, its records, the latest instant up to its end."""

    base: int
    high: int
    number: int

    @property
    def head(self) -> int:
        """The position of its last record, or where positions go on after a mark."""
        return self.base + self.number


def encoded(base: int, high: int, received: Iterable[Received] = ()) -> bytes:
    """Return a message. Raises ValueError, TypeError or OverflowError for what cannot be written."""
    segments, count = [], 0
    for came, payloads in received:
        for kind, run in groupby(payloads, type):
            some = list(run)
            count += len(some)
            columns = _observation_columns(some) if kind is Observation else _contact_columns(some)
            segments.append([came, kind is ContactEvent, len(some), *map(_packed, columns)])
    return _FRONT.pack(_MAGIC, base, high, count) + _encode(segments)


def front_of(message: bytes) -> Front:
    """Return what stands in front of a message. Raises Unreadable."""
    try:
        magic, base, high, number = _FRONT.unpack_from(message)
    except struct.error as fault:
        raise Unreadable(str(fault)) from fault
    if magic != _MAGIC:
        raise Unreadable(f"it begins with {magic!r} and not with {_MAGIC!r}")
    return Front(base, high, number)


def records_of(message: bytes) -> list[StreamRecord]:
    """Return the records of a message. Raises Unreadable."""
    front = front_of(message)
    try:
        return list(_records(front.base, _decode(message[_FRONT.size :])))
    except _FAULTS as fault:
        raise Unreadable(str(fault)) from fault


def keys_of(message: bytes) -> list[Hashable]:
    """Return the keys of a message's records, at a third of the cost of the records. Raises Unreadable."""
    front_of(message)
    keys: list[Hashable] = []
    try:
        for _, is_contact, count, *packed in _decode(message[_FRONT.size :]):
            of = [column if isinstance(column, list) else repeat(column, count) for column in packed[:4]]
            if is_contact:
                keys += zip(of[0], map(_KINDS.__getitem__, of[2]), strict=True)
            else:
                keys += zip(of[2], of[0], map(instant, of[1]), strict=True)
    except _FAULTS as fault:
        raise Unreadable(str(fault)) from fault
    return keys


def key_of(payload: Payload) -> Hashable:
    """Return what no other record has: (source, queue, observed_at), or (contact_id, event)."""
    if isinstance(payload, Observation):
        return payload[2], payload[0], payload[1]
    return payload[0], payload[2]


def _records(base: int, segments: Sequence[Sequence[Any]]) -> Iterator[StreamRecord]:
    for came, is_contact, count, *packed in segments:
        at = instant(came)
        columns: list[Iterable[Any]] = [
            column if isinstance(column, list) else repeat(column, count) for column in packed
        ]
        payloads: Iterable[Payload]
        if is_contact:
            columns[2], columns[3] = map(_KINDS.__getitem__, columns[2]), map(instant, columns[3])
            payloads = map(ContactEvent._make, zip(*columns, strict=True))
        else:
            columns[1] = map(instant, columns[1])
            payloads = map(Observation._make, zip(*columns, strict=True))
        for position, payload in enumerate(payloads, base + 1):
            yield StreamRecord(position, at, payload)
        base += count


def _observation_columns(some: Sequence[Payload]) -> list[Sequence[Any]]:
    columns: list[Sequence[Any]] = list(zip(*some, strict=True))
    columns[1] = list(map(micros, columns[1]))
    return columns


def _contact_columns(some: Sequence[Payload]) -> list[Sequence[Any]]:
    columns: list[Sequence[Any]] = list(zip(*some, strict=True))
    columns[3] = list(map(micros, columns[3]))
    return columns


def _packed(column: Sequence[Any]) -> Any:
    """Return a column, one value for all when they are the same: most fields of most observations are None."""
    return column[0] if column.count(column[0]) == len(column) else column
