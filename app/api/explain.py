"""Why an item of a body is refused, field by field: the slow, exact reader behind the fast one in `decode`.

It reads types only; what values are sensible is the core's to say. Everything it takes, the fast reader takes too,
and the other way round, but for what JSON does not know (NaN, Infinity), which it must read in order to name it.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec

from app.api.problems import INVALID, Refused
from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.fields import shown
from app.core.floor.observation import Observation
from app.core.json_members import repeated
from app.core.problem import Problem

Record = TypeVar("Record", Observation, ContactEvent)

# written without _ and -, so that caller_id and Caller-ID are found too
_OF_CALLERS = frozenset({
    "ani", "caller", "callerid", "calleridname", "calleridnum", "calleridnumber", "callername", "callernumber",
    "callerphone", "cid", "cidname", "cidnum", "clid", "contactname", "customer", "customeremail", "customername",
    "customernumber", "customerphone", "email", "emailaddress", "firstname", "fullname", "lastname", "mobile",
    "mobilenumber", "msisdn", "name", "number", "phone", "phonenumber", "tel", "telephone", "telephonenumber",
})  # fmt: skip


class _FaultError(Exception):
    """A field's value is not what it must be; str() says so."""


class Unreadable(str):
    """Stands for one line that is no JSON, and says why."""

    __slots__ = ()


class Ambiguous(dict[str, object]):
    """An object that says a thing twice. name: which, as it may be shown."""

    def __init__(self, members: list[tuple[str, object]], name: str) -> None:
        super().__init__(members)
        self.name = name


@dataclass(frozen=True, slots=True)
class Fields(Generic[Record]):
    """The fields of one kind of payload: how each is read, which must be there, and what the payload is called."""

    noun: str
    record: type[Record]
    readers: Mapping[str, Callable[[object], object]]
    required: frozenset[str]
    source_defaults: bool = False


def fields_of(record: type[Record], noun: str, *, source_defaults: bool = False) -> Fields[Record]:
    """Return the fields of a core record, each read by its type. source_defaults: items need not name their source."""
    hints = get_type_hints(record)
    required = frozenset(hints) - frozenset(record._field_defaults) - ({"source"} if source_defaults else set())
    return Fields(noun, record, {name: _READERS[hint] for name, hint in hints.items()}, required, source_defaults)


def parse(body: bytes, *, lines: bool) -> Iterator[object]:
    """Yield a body's items as plain Python values. Raises Refused (422) for a fault of the body as a whole.

    NaN and Infinity become floats; a line that is no JSON becomes Unreadable, an object that says a thing twice
    Ambiguous.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise Refused(INVALID, f"the body is not UTF-8: byte {fault.start} is {body[fault.start]:#04x}") from None
    if lines:
        yield from (_line(line) for line in text.split("\n") if line.strip(_BLANK))
        return
    if not text.strip(_BLANK):
        raise Refused(INVALID, "the body is empty; send one JSON object, or an array of them")
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as fault:
        raise Refused(INVALID, f"the body is not JSON: {_why(fault)}; it may have been cut off") from None
    if isinstance(value, list):
        yield from value
    else:
        yield value


def _object(members: list[tuple[str, object]]) -> dict[str, object]:
    name = repeated(members)
    return dict(members) if name is None else Ambiguous(members, name)


def _line(line: str) -> object:
    try:
        return json.loads(line, object_pairs_hook=_object)
    except (ValueError, RecursionError) as fault:
        return Unreadable(f"this line is not JSON: {_why(fault)}")


def _why(fault: Exception) -> str:
    if isinstance(fault, json.JSONDecodeError):
        return f"{fault.msg} at line {fault.lineno}, column {fault.colno}"
    return "it is nested too deeply" if isinstance(fault, RecursionError) else "a number has too many digits"


def explain(fields: Fields[Record], item: object, source: str, most: int) -> Record | list[Problem]:
    """Return the item as the core's record, or at most `most` of its faults, pointers into the item."""
    if isinstance(item, Unreadable):
        return [Problem("", str(item))]
    if isinstance(item, Ambiguous):
        return [Problem("", f"{item.name} is there twice in one object, and either may be meant; send it once")]
    if not isinstance(item, dict):
        return [Problem("", f"{_shown(item)} is not an object; each of the {fields.noun} is a JSON object")]
    values: dict[str, Any] = {"source": source} if fields.source_defaults else {}
    problems = [_missing(name) for name in fields.record._fields if name in fields.required and name not in item]
    for name, value in item.items():
        if len(problems) >= most:
            break
        try:
            read = _read(fields, name, value)
        except _FaultError as fault:
            problems.append(Problem(_pointer(name), str(fault)))
        else:
            if read is not None:
                values[name] = read
    return problems[:most] or fields.record(**values)


def _missing(name: str) -> Problem:
    return Problem(f"/{name}", f"{name} is missing; it is required")


def _read(fields: Fields[Record], name: str, value: object) -> object:
    reader = fields.readers.get(name)
    if reader is None:
        raise _FaultError(_unknown(fields, name))
    if value is None and name not in fields.required:
        return None
    return reader(value)


def _unknown(fields: Fields[Record], name: str) -> str:
    if name.lower().replace("_", "").replace("-", "") in _OF_CALLERS:
        return f"{shown(name)} is refused: names and numbers of callers are never accepted; leave the field out"
    return f"unknown field {shown(name)}; known are {', '.join(fields.readers)}"


def _pointer(name: str) -> str:
    escaped = name.replace("~", "~0").replace("/", "~1")
    return "/" + escaped.encode("utf-8", "replace").decode()[:200]


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return shown(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _FaultError(f"{_shown(value)} is not text; put it in double quotes")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise _FaultError(f"{_shown(value)} holds half of a surrogate pair, which is no character")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _FaultError(f"{_shown(value)} is not a number; send a JSON number, without quotes")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _FaultError(f"{number} is not a finite number; leave the field out when the value is not known")
    return number


def _count(value: object) -> int:
    if type(value) is int:
        return value
    if isinstance(value, bool) or not isinstance(value, float):
        raise _FaultError(f"{_shown(value)} is not a whole number; send a JSON number, without quotes")
    number = _number(value)
    if not number.is_integer():
        raise _FaultError(f"{_shown(value)} is not a whole number; a count has no fraction")
    return int(number)


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise _FaultError(f'{_shown(value)} is not a time; send text like "2026-11-21T15:04:05Z" (RFC 3339)')
    try:
        at = msgspec.convert(value, datetime)
        if at.tzinfo is None:
            raise _FaultError(f"{_shown(value)} has no time zone; append Z for UTC, or an offset such as +01:00")
        return at.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError, UnicodeEncodeError):
        raise _FaultError(f'{_shown(value)} is not a time; send one like "2026-11-21T15:04:05Z" (RFC 3339)') from None


def _kind(value: object) -> ContactEventKind:
    try:
        return ContactEventKind(_text(value))
    except ValueError:
        raise _FaultError(f"{_shown(value)} is not an event; allowed: {', '.join(ContactEventKind)}") from None


_BLANK = " \t\r\n"
_READERS: dict[Any, Callable[[object], object]] = {
    str: _text,
    str | None: _text,
    int | None: _count,
    float | None: _number,
    datetime: _instant,
    ContactEventKind: _kind,
}
