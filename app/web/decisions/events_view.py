"""The audit log as its pages print it: what happened, who did it and why, what it was before and after. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from app.core.event import MEANINGS
from app.ports.events import Verified, WrittenEvent
from app.web.decisions.view import Reader
from app.web.format import NONE, count
from app.web.moments import Moment, clock, full

COLUMNS = (
    *("seq", "type", "at", "actor_id", "actor_name", "subject", "reason", "gate", "campaign", "before", "after"),
    "sha256",
)
LONGEST_SIDE = 2_000
PATH = "/decisions/events"


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event of the list."""

    seq: int
    at: Moment
    type: str
    meaning: str
    who: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class Member:
    """One member of what was changed, before and after; a member of a member is named `rules/0/hold_above`."""

    name: str
    before: str
    after: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class EventDetail:
    """One event. href: where what it happened to has a page of its own, or else its events."""

    seq: int
    at: Moment
    type: str
    meaning: str
    who: str
    who_id: str
    subject: str
    href: str
    reason: str
    gate: str
    campaign: str
    sha256: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check of the whole book found. state: whose shape it wears."""

    state: str
    sentence: str
    head: str
    faults: tuple[str, ...] = ()


def event_line(written: WrittenEvent, reader: Reader) -> EventLine:
    """Return an event as the list prints it."""
    happened = written.event
    return EventLine(
        written.seq,
        clock(happened.at, reader.zone, reader.now),
        happened.type.value,
        MEANINGS[happened.type].text.partition(";")[0],
        happened.actor.name,
        happened.subject,
        happened.reason,
    )


def event_detail(written: WrittenEvent, zone: ZoneInfo) -> EventDetail:
    """Return an event as its own page prints it."""
    happened = written.event
    at = full(happened.at, zone)
    assert at is not None  # noqa: S101  # every event has its instant
    return EventDetail(
        seq=written.seq,
        at=at,
        type=happened.type.value,
        meaning=MEANINGS[happened.type].text,
        who=happened.actor.name,
        who_id=happened.actor.id,
        subject=happened.subject,
        href=_href(happened.subject),
        reason=happened.reason,
        gate=happened.gate or "",
        campaign=happened.campaign or "",
        sha256=written.sha256,
        members=tuple(_members(happened.before, happened.after)),
    )


def event_cells(written: WrittenEvent) -> Sequence[object]:
    """Return an event for a file, in the order of COLUMNS."""
    happened = written.event
    return (
        *(written.seq, happened.type.value, happened.at, happened.actor.id, happened.actor.name, happened.subject),
        *(happened.reason, happened.gate, happened.campaign, happened.before, happened.after, written.sha256),
    )


def finding(verified: Verified) -> Finding:
    """Return in words whether the book is whole."""
    if verified.is_whole:
        return Finding(
            "send", f"{count(verified.count, 'event')} checked: everything is as it was written.", verified.head
        )
    faults = []
    if verified.broken is not None:
        faults.append(f"The chain is broken at event {verified.broken.seq:,}: {verified.broken.detail}.")
    if verified.differs is not None:
        faults.append(f"{verified.differs.detail[:1].upper()}{verified.differs.detail[1:]}; it was changed since.")
    said = f"Not everything is as it was written. The first {count(verified.count, 'event')} fit."
    return Finding("hold", said, verified.head, tuple(faults))


def _href(subject: str) -> str:
    kind, _, name = subject.partition("/")
    if kind == "decision":
        return f"/decisions/{quote(name, safe='')}"
    if kind == "display":
        return f"/settings/screens/{quote(name, safe='')}"
    return f"/?gate={quote(name, safe='')}" if kind == "gate" else f"{PATH}?subject={quote(subject, safe='')}"


def _members(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[Member]:
    former, latter = dict(_flat(before or {})), dict(_flat(after or {}))
    for name in [*former, *(name for name in latter if name not in former)]:
        old, new = former.get(name, NONE), latter.get(name, NONE)
        is_changed = before is not None and after is not None and old != new
        yield Member(name, old, new, is_changed)


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value inside with its path; what is empty stands for itself."""
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            yield from _flat(part, f"{path}/{name}" if path else str(name))
    elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
        for place, part in enumerate(value):
            yield from _flat(part, f"{path}/{place}")
    elif path:
        yield path, _text(value)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST_SIDE else f"{text[:LONGEST_SIDE]}…"
