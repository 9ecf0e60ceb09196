"""Values as systems write them, in our units. Pure; every function returns None for what is not said.

Null, an empty text and -1 mean "not said". What cannot be understood raises BadValue, which never quotes it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from app.core.floor.observation import Observation

_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d\d(?:\.\d{1,6})?)", re.ASCII)
_NOT_SAID = -1
_TOO_LARGE = 1e18  # no count, time or instant comes near it, and arithmetic with larger whole numbers fails
AHEAD_SECONDS = 60.0  # two clocks differ; what lies further ahead is no moment that has been

COUNTS = frozenset({
    *("backlog", "contacts_in_progress", "agents_staffed", "agents_available", "agents_busy"),
    *("offered", "answered", "abandoned", "answered_within_target"),
})  # fmt: skip
FIELDS = tuple(name for name in Observation._fields[4:] if name != "window_seconds")
INSTANTS = ("iso", "epoch-seconds", "epoch-milliseconds")
_SECONDS = ("seconds", "milliseconds", "minutes", "hh:mm:ss")
_RATIOS = ("ratio", "percent")


class BadValue(ValueError):
    """A value that cannot be understood; str() says why without quoting it."""


def units_of(field: str) -> tuple[str, ...]:
    """Return the units that a field of an observation may come in, the usual one first."""
    if field in COUNTS:
        return ("count",)
    if field.endswith("ratio"):
        return _RATIOS
    return (*_SECONDS, *INSTANTS) if field == "oldest_wait_seconds" else _SECONDS


def value_in(unit: str, value: Any, now: datetime, zone: tzinfo | None) -> float | None:
    """Return a value in our unit: a whole number for a count, an age for an instant. now: what ages are counted from.

    zone: of instants without an offset; None: these are refused.
    """
    if unit in INSTANTS:
        at = instant_in(unit, value, zone)
        return None if at is None else _age(at, now)
    if unit == "hh:mm:ss" and isinstance(value, str) and (match := _CLOCK.fullmatch(value.strip())):
        hours, minutes, seconds = match.groups()
        return int(hours or 0) * 3600.0 + int(minutes) * 60.0 + float(seconds)
    number = number_of(value.strip().removesuffix("%") if unit == "percent" and isinstance(value, str) else value)
    return None if number is None else _SCALED[unit](number)


def instant_in(unit: str, value: Any, zone: tzinfo | None) -> datetime | None:
    """Return an instant in UTC."""
    if value is None or value == "":
        return None
    if unit == "iso":
        return _read_iso(value, zone)
    number = number_of(value)
    try:
        return None if number is None else datetime.fromtimestamp(number / (1000 if "milli" in unit else 1), UTC)
    except (OverflowError, OSError, ValueError):
        raise BadValue("is a number that no clock shows") from None


def number_of(value: Any) -> float | None:
    """Return a number that is one, or a text that says one."""
    if isinstance(value, str) and (not value.strip() or _NUMBER.fullmatch(value.strip())):
        value = float(value) if value.strip() else None
    if value is None or value == _NOT_SAID:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValue(f"is {_kind(value)}, not a number")
    if not abs(value) < _TOO_LARGE:  # nor NaN
        raise BadValue("is not a finite number that anything is measured in")
    return value


def _whole(number: float) -> int:
    if not float(number).is_integer():
        raise BadValue("is not a whole number")
    return int(number)


_SCALED: Mapping[str, Callable[[float], float]] = {
    "count": _whole,
    "seconds": float,
    "milliseconds": lambda number: number / 1000,
    "minutes": lambda number: number * 60.0,
    "hh:mm:ss": float,
    "ratio": float,
    "percent": lambda number: number / 100,
}


def _read_iso(value: Any, zone: tzinfo | None) -> datetime:
    if not isinstance(value, str):
        raise BadValue(f"is {_kind(value)}, not an instant as text")
    try:
        at = datetime.fromisoformat(value.strip())
        if at.tzinfo is None and zone is None:
            raise BadValue("is an instant without a time zone; set time_zone to the one that is meant")
        return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        if isinstance(fault, BadValue):
            raise
        raise BadValue("is not an instant (RFC 3339)") from None


def _age(at: datetime, now: datetime) -> float:
    age = (now - at).total_seconds()
    if age < -AHEAD_SECONDS:
        raise BadValue(f"is an instant {-age:,.0f} s ahead: two clocks differ, or its zone is another")
    return max(0.0, age)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    kinds = ((str, "a text"), (dict, "an object"), (list, "a list"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "a value of another kind")
