"""What a log's URL asks for: read field by field, each fault a sentence beside its field. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field

from app.core.event import EventType
from app.core.gate.decision import Verdict
from app.web.exports import Format
from app.web.instants import FIRST, SECOND, read_instant
from app.web.tools import GateQuery
from app.web.typed import NotRead

KINDS = ("transition", "asked")
LONGEST = 300
LAST_PLACE = 2**63 - 1
Place = TypeVar("Place")


class SpanQuery(GateQuery):
    """What all logs can be narrowed by. `from` and `to` are times of the shown zone."""

    start: str = Field("", alias="from", max_length=40)
    until: str = Field("", alias="to", max_length=40)
    who: str = Field("", max_length=LONGEST)
    campaign: str = Field("", max_length=LONGEST)
    before: str = Field("", max_length=LONGEST)
    after: str = Field("", max_length=LONGEST)
    zone: str = Field("", max_length=40)
    format: Format | None = None


class DecisionQuery(SpanQuery):
    """The decision log's URL. A choice that does not exist is none."""

    kind: str = ""
    state: str = ""
    overridden: str = ""


class EventQuery(SpanQuery):
    """The audit log's URL."""

    type: str = ""
    subject: str = Field("", max_length=LONGEST)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a URL asks a log for: `narrowed` and `place` are arguments of its service's `page`. faults: by field."""

    narrowed: Mapping[str, Any]
    place: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_narrowed(self) -> bool:
        """Whether it asks for less than everything."""
        return any(self.narrowed.values()) or bool(self.faults)


def decisions_asked(query: DecisionQuery, names: Mapping[str, str], zone: ZoneInfo) -> Asked:
    """Return what is asked of the decision log. names: what keys and people are called, by id."""
    span, faults = _span(query, zone)
    narrowed = span | {
        "gate": query.gate or None,
        "kind": query.kind if query.kind in KINDS else None,
        "verdict": query.state if query.state in list(Verdict) else None,
        "asked_by": ids_of(query.who, names),
        "campaign": query.campaign.strip() or None,
        "overridden": bool(query.overridden),
    }
    return Asked(narrowed, _place(row_place(query.before), row_place(query.after)), faults)


def events_asked(query: EventQuery, names: Mapping[str, str], zone: ZoneInfo) -> Asked:
    """Return what is asked of the audit log. names: as for decisions."""
    span, faults = _span(query, zone)
    ids = ids_of(query.who, names)
    if len(ids) > 1:
        faults["who"] = f"{len(ids)} have this name; write the id of one: {', '.join(ids)}."
    narrowed = span | {
        "type": EventType(query.type) if query.type in list(EventType) else None,
        "subject": query.subject.strip() or None,
        "gate": query.gate or None,
        "campaign": query.campaign.strip() or None,
        "actor": ids[0] if ids else None,
    }
    return Asked(narrowed, _place(_event_place(query.before), _event_place(query.after)), faults)


def ids_of(who: str, names: Mapping[str, str]) -> Sequence[str]:
    """Return the ids that a name or an id stands for, () for an empty text; several keys may have one name."""
    who = who.strip()
    return (tuple(sorted(key for key, name in names.items() if name == who)) or (who,)) if who else ()


def shown_zone(zone: str, center: ZoneInfo) -> ZoneInfo:
    """Return the zone that times are typed and written in: the center's, unless the URL wants UTC."""
    return ZoneInfo("UTC") if zone.upper() == "UTC" else center


def place_text(at: datetime, row_id: str) -> str:
    """Return the place of a row of the decision log, as a URL carries it."""
    return f"{at.astimezone(UTC).isoformat()}~{row_id}"


def row_place(text: str) -> tuple[datetime, str] | None:
    """Return the place that a URL carries, None for a text that is none."""
    at, _, row_id = text.partition("~")
    try:
        instant = datetime.fromisoformat(at)
        return (instant.astimezone(UTC), row_id) if instant.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _span(query: SpanQuery, zone: ZoneInfo) -> tuple[dict[str, Any], dict[str, str]]:
    span: dict[str, Any] = {}
    faults: dict[str, str] = {}
    # Of a time that comes twice the first is meant as a beginning and the second as an end: nothing is left out.
    for name, text, which in (("start", query.start, FIRST), ("until", query.until, SECOND)):
        try:
            span[name] = read_instant(text, zone, which)
        except NotRead as fault:
            faults["from" if name == "start" else "to"] = str(fault)
    start, until = span.get("start"), span.get("until")
    if start and until and start >= until:
        faults["to"] = "Choose a time after the one it begins with."
    return span, faults


def _place(before: Place | None, after: Place | None) -> dict[str, Place]:
    return {name: place for name, place in (("before", before), ("after", after)) if place is not None}


def _event_place(text: str) -> int | None:
    place = int(text) if text.isascii() and text.isdigit() and len(text) < len(str(LAST_PLACE)) else None
    return place if place is None or place <= LAST_PLACE else None
