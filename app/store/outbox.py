"""What webhooks are to be told, written down in the transaction of the change that it tells of."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, insert, literal_column, select, update

from app.core.event import MEANINGS, Event
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
PENDING = DELIVERIES.c.state == literal_column(
    "'pending'"
)  # word for word, or SQLite would not see its partial indexes


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
    for each in told:
        _withdraw(connection, each)
        rows = _rows(each, subscribers)
        if rows:
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


def _rows(written: WrittenEvent, subscribers: Iterable[_Subscriber]) -> list[dict[str, Any]]:
    seq, event = written.seq, written.event
    wanting = [each for each in subscribers if wants(event, each.id, each.types, each.gate)]
    bodies = {form: body_of(form, seq, event) for form in {each.form for each in wanting}}
    urgent = MEANINGS[event.type].urgent
    return [delivery_row(each.id, seq, event, bodies[each.form], urgent=urgent, at=event.at) for each in wanting]


def _withdraw(connection: Connection, written: WrittenEvent) -> None:
    event = written.event
    about: ColumnElement[bool] | None = None
    if types := WITHDRAWS_BY_SUBJECT.get(event.type):
        about = DELIVERIES.c.subject == event.subject
    elif event.campaign is not None and (types := WITHDRAWS_BY_CAMPAIGN.get(event.type)):
        about = DELIVERIES.c.campaign == event.campaign
    if about is None or not types:
        return
    detail = f"withdrawn: event {written.seq} says {event.type}"
    ended = {"state": DeliveryState.WITHDRAWN.value, "next_at": None, "last_detail": detail}
    stale = DELIVERIES.c.event_type.in_([kind.value for kind in types])
    connection.execute(update(DELIVERIES).where(PENDING, about, stale).values(ended))
