"""What webhooks are to be told, written down in the transaction of the change that it tells of."""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Update, bindparam, insert, literal_column, or_, select, update

from app.core.event import MEANINGS, Event, EventType
from app.core.webhooks.form import Form, body_of
from app.core.webhooks.subscription import WITHDRAWS_BY_CAMPAIGN, WITHDRAWS_BY_SUBJECT, wants
from app.ports.events import WrittenEvent
from app.ports.webhooks import DeliveryState
from app.store.webhook_tables import DELIVERIES, WEBHOOKS

PUT_OUT = "holdfire_put_out"  # in a connection's info: this transaction wrote to the outbox
_SUBSCRIBERS = select(WEBHOOKS.c.id, WEBHOOKS.c.form, WEBHOOKS.c.types, WEBHOOKS.c.gate).where(
    WEBHOOKS.c.disabled_at.is_(None)
)
_INSERT = insert(DELIVERIES)
# Word for word, or SQLite would not see its partial indexes.
PENDING = DELIVERIES.c.state == literal_column("'pending'")


def _withdrawal(about: Column[Any], stale: Collection[EventType]) -> Update:
    is_stale = or_(*(DELIVERIES.c.event_type == kind.value for kind in sorted(stale)))  # IN cannot be run for many
    ended = update(DELIVERIES).where(PENDING, about == bindparam("about"), is_stale)
    return ended.values(state=DeliveryState.WITHDRAWN.value, next_at=None, last_detail=bindparam("why"))


_BY_SUBJECT = {kind: _withdrawal(DELIVERIES.c.subject, stale) for kind, stale in WITHDRAWS_BY_SUBJECT.items()}
_BY_CAMPAIGN = {kind: _withdrawal(DELIVERIES.c.campaign, stale) for kind, stale in WITHDRAWS_BY_CAMPAIGN.items()}


class _Subscriber(NamedTuple):
    id: str
    form: Form
    types: frozenset[str]
    gate: str | None


def put_out(connection: Connection, written: Sequence[WrittenEvent]) -> None:
    """Put out the events that somebody subscribed to, one row per event and receiver, due at once.

    What still waits to say the opposite of a stop is withdrawn. Without a receiver it costs one look at a table.
    """
    told = [each for each in written if MEANINGS[each.event.type].told]
    if not told or not (subscribers := _subscribers(connection)):
        return
    _withdraw(connection, told)
    if rows := _rows(told, subscribers):
        connection.execute(_INSERT, rows)
        connection.info[PUT_OUT] = True


def delivery_row(
    receiver_id: str, seq: int, event: Event, payload: bytes, *, urgent: bool, at: datetime
) -> dict[str, Any]:
    """Return a new row of the outbox, due at once."""
    return {
        "id": f"msg_{secrets.token_hex(12)}",
        "receiver_id": receiver_id,
        "event_seq": seq,
        "event_type": event.type.value,
        "subject": event.subject,
        "campaign": event.campaign,
        "urgent": urgent,
        "payload": payload,
        "created_at": at,
        "state": DeliveryState.PENDING.value,
        "attempts": 0,
        "next_at": at,
        "last_at": None,
        "last_status": None,
        "last_detail": "",
    }


def _subscribers(connection: Connection) -> list[_Subscriber]:
    rows = connection.execute(_SUBSCRIBERS).all()
    return [_Subscriber(row.id, Form(row.form), frozenset(row.types), row.gate) for row in rows]


def _rows(told: Iterable[WrittenEvent], subscribers: Iterable[_Subscriber]) -> list[dict[str, Any]]:
    """Return the rows that events of one transaction put out, without those that a later one of them contradicts."""
    rows: list[dict[str, Any]] = []
    kinds: set[str] = set()
    for each in told:
        if not kinds.isdisjoint(_contradicted(each.event)):
            rows = [row for row in rows if not _is_stale(row, each.event)]
        rows += _rows_of(each, subscribers)
        kinds.add(each.event.type)
    return rows


def _rows_of(written: WrittenEvent, subscribers: Iterable[_Subscriber]) -> list[dict[str, Any]]:
    seq, event = written.seq, written.event
    wanting = [each for each in subscribers if wants(event, each.id, each.types, each.gate)]
    bodies = {form: body_of(form, seq, event) for form in {each.form for each in wanting}}
    urgent = MEANINGS[event.type].urgent
    return [delivery_row(each.id, seq, event, bodies[each.form], urgent=urgent, at=event.at) for each in wanting]


def _withdraw(connection: Connection, told: Iterable[WrittenEvent]) -> None:
    """Withdraw what earlier transactions put out and these events contradict."""
    said: dict[Update, list[dict[str, str]]] = {}
    for seq, event in ((each.seq, each.event) for each in told):
        why = f"withdrawn: event {seq} says {event.type}"
        if event.type in _BY_SUBJECT:
            said.setdefault(_BY_SUBJECT[event.type], []).append({"about": event.subject, "why": why})
        elif event.type in _BY_CAMPAIGN and event.campaign is not None:
            said.setdefault(_BY_CAMPAIGN[event.type], []).append({"about": event.campaign, "why": why})
    for statement, values in said.items():
        connection.execute(statement, values)


def _contradicted(event: Event) -> Collection[EventType]:
    return WITHDRAWS_BY_SUBJECT.get(event.type) or WITHDRAWS_BY_CAMPAIGN.get(event.type, frozenset())


def _is_stale(row: Mapping[str, Any], event: Event) -> bool:
    if row["event_type"] in WITHDRAWS_BY_SUBJECT.get(event.type, ()):
        return bool(row["subject"] == event.subject)
    return row["event_type"] in WITHDRAWS_BY_CAMPAIGN.get(event.type, ()) and row["campaign"] == event.campaign
