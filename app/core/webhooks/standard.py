"""The body of a delivery by Standard Webhooks 1.0.0: {type, timestamp, data}, below 20 kB.

Source: the specification's chapters "Payload structure" and "Payload size".
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.core.event import Event, EventType

LARGEST_BYTES = 20_000
LONGEST_REASON = 1_000
MAY_GO_ON = frozenset(
    {EventType.PERMIT_GRANTED, EventType.PERMIT_REPORTED, EventType.PERMIT_RENEWED, EventType.PERMIT_RESUMED}
)


def standard_body(seq: int, event: Event) -> bytes:
    """Return the JSON of an event, the seq-th in the book. What does not fit loses before and after, and says so."""
    shorter = {"before": None, "after": None, "read_at": f"/api/v1/events/{seq}"}
    return enveloped(event.type, event.at, event_data(seq, event), shorter=shorter)


def enveloped(kind: str, at: datetime, data: Mapping[str, object], *, shorter: Mapping[str, object]) -> bytes:
    """Return {type, timestamp, data} as UTF-8 JSON below 20 kB.

    shorter: members in place of the ones of that name where it would be larger; `truncated` says so then.
    """
    body = _encoded(kind, at, data)
    return body if len(body) < LARGEST_BYTES else _encoded(kind, at, {**data, **shorter, "truncated": True})


def event_data(seq: int, event: Event) -> dict[str, Any]:
    """Return what an event says. seq only ever grows: of two messages about one subject the higher one is newer.

    must_stop is there for events of a permit; anything but a word that it may go on tells its sender to stop.
    """
    data: dict[str, Any] = {
        "seq": seq,
        "subject": event.subject,
        "gate": event.gate,
        "campaign": event.campaign,
        "reason": shortened(event.reason),
        "actor": {"id": event.actor.id, "name": event.actor.name},
    }
    kind, _, name = event.subject.partition("/")
    if kind == "permit":
        data |= {"permit_id": name, "must_stop": event.type not in MAY_GO_ON}
    elif event.after is not None and "permit_id" in event.after:
        data |= {"permit_id": event.after["permit_id"]}
    return data | {"before": event.before, "after": event.after}


def shortened(text: str, longest: int = LONGEST_REASON) -> str:
    """Return a text, cut where it is too long for a message."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def text_of(at: datetime) -> str:
    """Return an instant as RFC 3339 UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _encoded(kind: str, at: datetime, data: Mapping[str, object]) -> bytes:
    whole = {"type": str(kind), "timestamp": text_of(at), "data": data}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"), default=_plain).encode(errors="replace")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return text_of(value)
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, set | frozenset) else str(value)
