"""Numbers as systems send them: as numbers or as text, and -1, null or nothing for what they do not say. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from app.core.floor.fields import LARGEST, name_fault
from workers.systems.faults import TranslateError
from workers.systems.table import Table

_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{0,18})?")


def number(said: Mapping[str, Any], key: str) -> float | None:
    """Return the number under a key; None where it is absent, null, empty, negative or endless.

    Raises TranslateError, naming the key and not the value, for what is no number.
    """
    value = said.get(key)
    if isinstance(value, str):
        value = _of_text(key, value.strip()) if value.strip() else None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TranslateError(f"{key} is no number")
    return value if 0 <= value <= LARGEST and isfinite(value) else None


def count(said: Mapping[str, Any], key: str) -> int | None:
    """Return the whole number under a key as `number` does; None for a broken one, too. Raises TranslateError."""
    value = number(said, key)
    return int(value) if value is not None and value == int(value) else None


def total(*counts: int | None) -> int | None:
    """Return the sum, None when one of them is not known."""
    known = [each for each in counts if each is not None]
    return sum(known) if len(known) == len(counts) else None


def instant(said: Mapping[str, Any], key: str) -> datetime | None:
    """Return the ISO instant under a key, as UTC where it names no zone; None where it is absent, null or empty.

    Raises TranslateError, naming the key, for what is no instant.
    """
    value = said.get(key)
    if value is None or value == "":
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        raise TranslateError(f"{key} is no instant") from None


def within(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object under a key, {} where it is absent or null. Raises TranslateError for anything else."""
    value = said.get(key)
    if value is not None and not isinstance(value, dict):
        raise TranslateError(f"{key} is no object")
    return value or {}


def named_queues(table: Table, example: str) -> Mapping[str, str]:
    """Return the system's names of queues by ours, from the table `queues`; example: of such a name. Raises Invalid."""
    queues = table.mapping("queues")
    for name in queues:
        if fault := name_fault(name):
            raise table.fault(f"queues.{name}", fault, "")
    if not queues:
        raise table.fault("queues", "names no queue", f'write for example {{ orders-voice = "{example}" }}')
    return queues


def by_skill(table: Table, queues: Mapping[str, str]) -> Mapping[str, str]:
    """Return our names by the system's skills, from its skills by ours. Raises Invalid when two are of one skill."""
    found: dict[str, str] = {}
    for name, skill in queues.items():
        if skill in found:
            raise table.fault(f"queues.{name}", f"is the skill of {found[skill]!r} too", "give each skill one name")
        found[skill] = name
    return found


def _of_text(key: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise TranslateError(f"{key} is no number")
    return float(text)
