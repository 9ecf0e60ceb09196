"""What Amazon Connect's contact events mean, as EventBridge sends them on. Pure.

They are best effort and come in any order, so each is taken for all that it says: the last event of a contact alone
tells when it was queued and answered. Keys and values come in either case. Nothing but ids and instants is read.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.errors import Invalid
from app.ports.pushes import Pushed

DETAIL_TYPE = "Amazon Connect Contact Event"
_CHANNELS = frozenset({"voice", "chat", "task", "email"})
_REASONS = frozenset(
    {
        "CUSTOMER_DISCONNECT", "AGENT_DISCONNECT", "THIRD_PARTY_DISCONNECT", "TELECOM_PROBLEM", "BARGED", "EXPIRED",
        "CONTACT_FLOW_DISCONNECT", "API", "TRANSFERRED", "OTHER",
    }
)  # fmt: skip
_HUNG_UP = "CUSTOMER_DISCONNECT"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_FORM = f'send one event of EventBridge as it comes: {{"detail-type": "{DETAIL_TYPE}", "detail": {{...}}, ...}}'


def reader(source: str, queues: Mapping[str, str]) -> Callable[[bytes], Pushed]:
    """Return what reads pushes for a source. queues: our names by Amazon's ids; other queues are ignored."""

    def read(body: bytes) -> Pushed:
        """Return what an event says of its contact. Raises Invalid."""
        event = _event(body)
        detail = _lowered(event.get("detail"))
        queue_id, contact = (
            _last_part(_lowered(detail.get("queueinfo")).get("queuearn")),
            _uuid(detail.get("contactid")),
        )
        if contact is None:
            raise Invalid(f"detail.contactId is no UUID; {_FORM}")
        if queue_id not in queues:
            return Pushed((), 1)
        channel = str(detail.get("channel", "")).lower()
        common = ContactEvent(
            f"{contact}.{queue_id}"[:128],
            queues[queue_id],
            ContactEventKind.QUEUED,
            datetime.min.replace(tzinfo=UTC),
            source,
            channel if channel in _CHANNELS else None,
        )
        events = tuple(_told(common, detail, event))
        return Pushed(events, 0 if events else 1)

    return read


def _event(body: bytes) -> Mapping[str, Any]:
    try:
        event = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise Invalid(f"the body is not JSON; {_FORM}") from None
    if (
        not isinstance(event, dict)
        or event.get("detail-type") != DETAIL_TYPE
        or not isinstance(event.get("detail"), dict)
    ):
        raise Invalid(f"the body is no contact event; {_FORM}")
    return event


def _told(common: ContactEvent, detail: Mapping[str, Any], event: Mapping[str, Any]) -> Iterator[ContactEvent]:
    """Yield all that an event tells of its contact: when it was queued, answered, and over."""
    kind, agent = str(detail.get("eventtype", "")).upper(), _lowered(detail.get("agentinfo"))
    queued = _instant(_lowered(detail.get("queueinfo")).get("enqueuetimestamp"), event if kind == "QUEUED" else None)
    answered = _instant(agent.get("connectedtoagenttimestamp"), event if kind == "CONNECTED_TO_AGENT" else None)
    over = _instant(detail.get("disconnecttimestamp"), event if kind == "DISCONNECTED" else None)
    if queued is not None:
        yield common._replace(event=ContactEventKind.QUEUED, at=queued)
    if answered is not None:
        who = _uuid(_last_part(agent.get("agentarn")))
        yield common._replace(event=ContactEventKind.ANSWERED, at=answered, agent=who)
    if over is not None:
        said = str(detail.get("disconnectreason", "")).upper()
        left = answered is None and said == _HUNG_UP  # who left otherwise: unanswered, and nobody's fault
        ended = ContactEventKind.ABANDONED if left else ContactEventKind.COMPLETED
        yield common._replace(event=ended, at=over, reason=said if said in _REASONS else None)


def _instant(said: object, event: Mapping[str, Any] | None) -> datetime | None:
    """Return an instant as said, else the event's own where one is given and has one. Raises Invalid for no instant."""
    if said is None and event is not None:
        said = event.get("time")
    if said is None:
        return None
    try:
        at = datetime.fromisoformat(said) if isinstance(said, str) else None
        if at is not None and at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Invalid(f"an instant of the event is not RFC 3339 with a time zone; {_FORM}")


def _lowered(said: object) -> Mapping[str, Any]:
    return {key.lower(): value for key, value in said.items()} if isinstance(said, dict) else {}


def _last_part(arn: object) -> str:
    return arn.rpartition("/")[2] if isinstance(arn, str) else ""


def _uuid(said: object) -> str | None:
    return said.lower() if isinstance(said, str) and _UUID.fullmatch(said.lower()) else None
