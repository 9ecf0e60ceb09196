"""Contact events: what happened to one customer contact, and when; and what makes one acceptable."""

import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.core.floor import fields
from app.core.problem import Problem


class ContactEventKind(StrEnum):
    """What happened to the contact."""

    QUEUED = "queued"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    COMPLETED = "completed"
    TRANSFERRED = "transferred"
    CALLBACK_REQUESTED = "callback_requested"


class ContactEvent(NamedTuple):
    """One thing that happened to one contact in one queue at one instant (`at`, aware UTC).

    contact_id names one stay of one customer in one queue; it never holds a caller's name or number.
    """

    contact_id: str
    queue: str
    event: ContactEventKind
    at: datetime
    source: str
    channel: str | None = None
    agent: str | None = None
    campaign: str | None = None
    reason: str | None = None


_KINDS = frozenset(ContactEventKind)
_OPTIONAL = ("channel", "agent", "campaign", "reason")
# How people and phones are addressed: +1 555 0100 100, tel:..., sip:..., somebody@example.com.
_ADDRESS = re.compile(
    r"(?:^|[\s\"'<(:;,=])(?:\+\(?\d[\d\s()./-]{5,}\d|(?:tel|sips?):)|[^\s@]@[^\s@.]+\.[^\s@]", re.IGNORECASE
)


def problems(event: ContactEvent, now: datetime) -> tuple[Problem, ...]:
    """Return every fault of a contact event received at `now`; () when it may be accepted. Never raises.

    Each fault has the field's JSON pointer and a sentence. Callers' numbers and addresses are refused wherever they
    appear, because nothing here needs them and what is not stored cannot leak.
    """
    try:
        if _plainly_fine(event, now):
            return ()
    except (TypeError, ValueError, OverflowError):
        pass  # a field has a wrong type; the careful way below says which
    return tuple(_faults(event, now))


def _plainly_fine(event: ContactEvent, now: datetime) -> bool:
    """Return True for a correct event, in about two microseconds; False or an error leaves it open."""
    contact_id, queue, kind, at, source, *optional = event
    if not (at - now <= fields.AHEAD and kind in _KINDS and fields.good_name(queue) and fields.good_name(source)):
        return False
    if fields.name_fault(contact_id) is not None or _ADDRESS.search(contact_id):
        return False
    return all(text is None or _fine_text(text) for text in optional)


def _fine_text(text: str) -> bool:
    return fields.good_name(text) and _ADDRESS.search(text) is None


def _faults(event: ContactEvent, now: datetime) -> Iterator[Problem]:
    for name, value in zip(event._fields, event, strict=True):
        detail = _fault(name, value, now)
        if detail is not None:
            yield Problem(f"/{name}", f"{name}: {detail}")


def _fault(name: str, value: object, now: datetime) -> str | None:
    if name == "at":
        return fields.instant_fault(value, now)
    if name == "event":
        return _kind_fault(value)
    if value is None and name in _OPTIONAL:
        return None
    return fields.name_fault(value) or (None if name in {"queue", "source"} else _address_fault(value))


def _kind_fault(value: object) -> str | None:
    if isinstance(value, str) and value in _KINDS:
        return None
    return f"{fields.shown(value)} is no event; send one of {', '.join(ContactEventKind)}"


def _address_fault(value: object) -> str | None:
    if isinstance(value, str) and _ADDRESS.search(value):
        return (
            "the value looks like a phone number or an address; callers' names and numbers are refused here. "
            "Send the identifier your own system uses, or a hash of it"
        )
    return None
