"""The outbox, on SQL: what goes next, what became of it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, tuple_, update

from app.core.webhooks.schedule import FAST_TRIES
from app.errors import Conflict, NotFound
from app.ports.webhooks import Delivery, DeliveryState, Due, Lane
from app.store.outbox import PENDING, PUT_OUT
from app.store.webhook_tables import DELIVERIES

_C = DELIVERIES.c
_LANES = (
    select(_C.receiver_id, _C.urgent, func.count().label("waiting"))
    .where(PENDING)
    .group_by(_C.receiver_id, _C.urgent)
    .order_by(_C.urgent.desc(), _C.receiver_id)
)
_SETTLED = ("state", "attempts", "next_at", "last_at", "last_status", "last_detail")


def due(connection: Connection, at: datetime, busy: Collection[Lane]) -> Due:
    """Return what of the lanes that are not busy may be sent at `at`, and when the next of them is due."""
    now: list[Delivery] = []
    later: list[datetime] = []
    lanes = connection.execute(_LANES).all()
    for row in lanes:
        lane = Lane(row.receiver_id, row.urgent)
        if lane in busy:
            continue
        heads = _heads(connection, lane)
        ready = [head for head in heads if head.next_at is not None and head.next_at <= at]
        now += ready[:1]
        later += [head.next_at for head in heads if head.next_at is not None and head not in ready]
    return Due(now, min(later, default=None), sum(row.waiting for row in lanes))


def settle(connection: Connection, delivery: Delivery) -> bool:
    """Write down what became of a try; False, and nothing is written, for a delivery that is no longer pending."""
    values = {name: getattr(delivery, name) for name in _SETTLED} | {"state": delivery.state.value}
    return connection.execute(update(DELIVERIES).where(_C.id == delivery.id, PENDING).values(values)).rowcount == 1


def find(connection: Connection, receiver_id: str, delivery_id: str) -> Delivery:
    """Return one. Raises NotFound."""
    query = select(DELIVERIES).where(_C.id == delivery_id, _C.receiver_id == receiver_id)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"there is no delivery {delivery_id!r} to {receiver_id!r}")
    return _of(row)


def page(
    connection: Connection,
    receiver_id: str,
    state: DeliveryState | None,
    before: tuple[datetime, str] | None,
    limit: int,
) -> Sequence[Delivery]:
    """Return a receiver's deliveries, newest first."""
    wanted: list[ColumnElement[bool]] = [_C.receiver_id == receiver_id]
    if state is not None:
        wanted.append(_C.state == state.value)
    if before is not None:
        wanted.append(tuple_(_C.created_at, _C.id) < before)
    query = select(DELIVERIES).where(*wanted).order_by(_C.created_at.desc(), _C.id.desc()).limit(limit)
    return [_of(row) for row in connection.execute(query)]


def again(connection: Connection, receiver_id: str, delivery_id: str, at: datetime) -> Delivery:
    """Make a delivery pending, due at `at`. Raises NotFound, or Conflict for one that was withdrawn."""
    found = find(connection, receiver_id, delivery_id)
    if found.state is DeliveryState.WITHDRAWN:
        raise Conflict(f"delivery {delivery_id!r} was {found.last_detail}; what it says is no longer true")
    pending = {"state": DeliveryState.PENDING.value, "next_at": at}
    connection.execute(update(DELIVERIES).where(_C.id == delivery_id).values(pending))
    connection.info[PUT_OUT] = True
    return replace(found, state=DeliveryState.PENDING, next_at=at)


def fail_pending(connection: Connection, receiver_id: str, detail: str) -> None:
    """End everything that waits for a receiver."""
    failed = {"state": DeliveryState.FAILED.value, "next_at": None, "last_detail": detail}
    connection.execute(update(DELIVERIES).where(_C.receiver_id == receiver_id, PENDING).values(failed))


def prune(connection: Connection, before: datetime) -> int:
    """Delete what ended and was created before that; return how many."""
    ended = _C.state != DeliveryState.PENDING.value
    return connection.execute(delete(DELIVERIES).where(_C.created_at < before, ended)).rowcount


def _heads(connection: Connection, lane: Lane) -> Sequence[Delivery]:
    """Return what a lane may send next, best first: of the urgent ones only the oldest that is in its fast tries."""
    waiting = select(DELIVERIES).where(PENDING, _C.receiver_id == lane.receiver_id, _C.urgent == lane.urgent)
    queries = [waiting.order_by(_C.next_at, _C.event_seq).limit(1)]
    if lane.urgent:
        fast = _C.attempts < FAST_TRIES
        queries = [
            waiting.where(fast).order_by(_C.event_seq).limit(1),
            waiting.where(~fast).order_by(_C.next_at, _C.event_seq).limit(1),
        ]
    return [_of(row) for query in queries if (row := connection.execute(query).first()) is not None]


def _of(row: Row[Any]) -> Delivery:
    found = Delivery(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return replace(found, state=DeliveryState(row.state))
