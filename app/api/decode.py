"""Bodies of observations and contact events, as fast as can be: typed structs first, explanations only on a fault.

The fast way decodes the whole body at once and takes everything or nothing. When it takes nothing, `explain` goes
item by item, keeps the good ones and says of each bad one where and why. Both take exactly the same items.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from typing import Any, Generic, NamedTuple, TypeVar, get_type_hints

import msgspec

from app.api.explain import Ambiguous, Fields, Unreadable, explain, fields_of, parse
from app.api.problems import INVALID, MEDIA, TOO_LARGE, Refused
from app.core.floor.contact import ContactEvent
from app.core.floor.fields import good_name
from app.core.floor.observation import Observation
from app.services.ingest import Rejection
from app.services.refusals import Faulty

MAX_ITEMS = 10_000
JSON, NDJSON = "application/json", "application/x-ndjson"
EXPLAINED_ITEMS, FAULTS_EACH = 100, 5  # after that many bad items one fault each must do: it bounds the answer
_SPACES = (b" ", b"\t", b"\n", b"\r")
Record = TypeVar("Record", Observation, ContactEvent)


class _NotFast(Exception):
    """The fast way cannot take this body."""


class Decoded(NamedTuple, Generic[Record]):
    """What a body holds: the readable items, their places in it (None: 0, 1, ...), and the unreadable ones' faults.

    refused: per source that could be made out, how many of its items are unreadable and what is wrong with the last.
    """

    items: Sequence[Record]
    indexes: Sequence[int] | None
    rejected: Sequence[Rejection]
    refused: Mapping[str, Faulty]


@dataclass(frozen=True, slots=True)
class Form(Generic[Record]):
    """How one kind of payload is decoded; instant_at and source_at are those fields' places in the record."""

    fields: Fields[Record]
    one: msgspec.json.Decoder[Any]
    many: msgspec.json.Decoder[list[Any]]
    instant_at: int
    source_at: int


def form_of(record: type[Record], noun: str, instant: str, *, source_defaults: bool = False) -> Form[Record]:
    """Return how to decode a core record: a struct with its very fields, unknown ones forbidden."""
    hints, defaults = get_type_hints(record), dict(record._field_defaults)
    if source_defaults:
        hints["source"], defaults["source"] = str | None, None
    ordered = [(name, hint, defaults.get(name, msgspec.NODEFAULT)) for name, hint in hints.items()]
    struct = msgspec.defstruct(record.__name__, ordered, forbid_unknown_fields=True, kw_only=True, gc=False)
    return Form(
        fields_of(record, noun, source_defaults=source_defaults),
        msgspec.json.Decoder(struct),
        msgspec.json.Decoder(list[struct]),  # type: ignore[valid-type]  # the type is made one line above
        record._fields.index(instant),
        record._fields.index("source"),
    )


OBSERVATIONS = form_of(Observation, "observations", "observed_at", source_defaults=True)
CONTACTS = form_of(ContactEvent, "contact events", "at")


async def decode(
    form: Form[Record], body: bytes, media_type: str | None, coding: str | None, source: str
) -> Decoded[Record]:
    """Return what a body holds. media_type and coding are its headers as sent; source is for items that name none.

    Raises Refused: 415 for another form or any content coding, 413 above 10,000 items, 422 when there is no item.
    """
    lines = _is_ndjson(media_type)
    if coding is not None and coding.strip().lower() != "identity":
        raise Refused(
            MEDIA,
            f"Content-Encoding {coding!r} is not supported; send it plain",
            headers={"Accept-Encoding": "identity"},
        )
    try:
        decoded: Decoded[Record] = Decoded(_fast(form, body, source, lines=lines), None, (), {})
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, _NotFast):
        decoded = await asyncio.to_thread(_slow, form, body, source, lines=lines)
    if len(decoded.items) > MAX_ITEMS:
        raise _too_many(form)
    if not decoded.items and not decoded.rejected:
        raise Refused(INVALID, f"the body holds no {form.fields.noun}; send at least one")
    return decoded


def _is_ndjson(media_type: str | None) -> bool:
    kind, _, parameters = (media_type or "").lower().partition(";")
    charset = parameters.partition("charset=")[2].strip().strip('"')
    if kind.strip() in (JSON, NDJSON) and charset in ("", "utf-8", "utf8"):
        return kind.strip() == NDJSON
    given = f"Content-Type {media_type!r} is not supported" if media_type else "there is no Content-Type"
    raise Refused(MEDIA, f"{given}; send {JSON} (an object or an array) or {NDJSON} (one object per line), in UTF-8")


def _fast(form: Form[Record], body: bytes, source: str, *, lines: bool) -> list[Record]:
    if lines:
        structs = form.one.decode_lines(body)
    elif body.startswith(b"{"):
        structs = [form.one.decode(body)]
    else:
        structs = form.many.decode(body)
    rows: list[tuple[Any, ...]] = list(map(msgspec.structs.astuple, structs))
    columns = list(zip(*rows, strict=True))
    if not _says_each_once(body, columns, lines=lines):
        raise _NotFast
    if columns and not _whole(columns[form.instant_at], columns[form.source_at]):
        rows = [_mended(form, row, source) for row in rows]
    # As _make does, without a Python call for each.
    return list(map(tuple.__new__, repeat(form.fields.record), rows))


def _whole(instants: Sequence[datetime], sources: Sequence[str | None]) -> bool:
    """Return whether all instants are in UTC and no source is left to the key, as nearly always."""
    return None not in sources and all(at.tzinfo is UTC for at in instants)


def _says_each_once(body: bytes, columns: Sequence[Sequence[Any]], *, lines: bool) -> bool:
    """Return whether no object says a thing twice, of which the fast reader would take the last.

    Usually that is seen by counting: there are as many names in the body as values were read. Only where they are not,
    as with nulls, or where names cannot be counted so, it is looked at more closely.
    """
    read = sum(len(column) - column.count(None) for column in columns)
    if body.count(b'":') == read and not any(space in body and space + b":" in body for space in _SPACES):
        return True
    return not any(isinstance(item, Ambiguous) for item in parse(body, lines=lines))


def _mended(form: Form[Record], row: Sequence[Any], source: str) -> tuple[Any, ...]:
    """Return a row with its instant in UTC and its source named."""
    at: datetime = row[form.instant_at]
    if at.tzinfo is None:
        raise _NotFast
    values = list(row)
    values[form.instant_at] = at.astimezone(UTC)
    if values[form.source_at] is None:
        values[form.source_at] = source
    return tuple(values)


def _slow(form: Form[Record], body: bytes, source: str, *, lines: bool) -> Decoded[Record]:
    items: list[Record] = []
    indexes: list[int] = []
    rejected: list[Rejection] = []
    refused: dict[str, Faulty] = defaultdict(Faulty)
    bad = 0
    for index, value in enumerate(parse(body, lines=lines)):
        if index >= MAX_ITEMS:
            raise _too_many(form)
        outcome = explain(form.fields, value, source, FAULTS_EACH if bad < EXPLAINED_ITEMS else 1)
        if isinstance(outcome, list):
            bad += 1
            rejected.extend(Rejection(index, problem.pointer, problem.detail) for problem in outcome)
            refused[_source_of(value, source)].add((problem, _value_at(value, problem.pointer)) for problem in outcome)
        else:
            items.append(outcome)
            indexes.append(index)
    return Decoded(items, indexes, rejected, refused)


def _source_of(value: object, source: str) -> str:
    named = value.get("source") if isinstance(value, dict) else None
    return named if isinstance(named, str) and good_name(named) else source


def _value_at(value: object, pointer: str) -> object:
    """Return what stands at a fault's pointer; the item itself, where it is no object."""
    if not isinstance(value, dict):
        return None if isinstance(value, Unreadable) else value
    return value.get(pointer.removeprefix("/").replace("~1", "/").replace("~0", "~"))


def _too_many(form: Form[Record]) -> Refused:
    return Refused(
        TOO_LARGE, f"the body holds more than {MAX_ITEMS:,} {form.fields.noun}; send them in several requests"
    )
