"""The outbox, on SQL: what goes next, what became of it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, not_, select, tuple_, update

from app.core.event import EventType
from app.core.webhooks.schedule import FAST_TRIES
from app.core.webhooks.subscription import CONTRADICTED_BY_CAMPAIGN, CONTRADICTED_BY_SUBJECT
from app.errors import Conflict, NotFound
from app.ports.callbacks import ASK_PREFIX
from app.ports.webhooks import Delivery, DeliveryState, Due, Lane
from app.store.event_tables import EVENTS
from app.store.outbox import PENDING, PUT_OUT
from app.store.webhook_tables import DELIVERIES

_C = DELIVERIES.c
_IS_ASKER = and_(_C.receiver_id >= ASK_PREFIX, _C.receiver_id < f"{ASK_PREFIX}~")  # a range, for the index
_WAITING = select(func.count()).where(PENDING)
_LANES = select(_C.receiver_id, _C.urgent).distinct().where(PENDING, not_(_IS_ASKER)).order_by(_C.receiver_id)
_ASKERS = select(DELIVERIES).where(PENDING, _IS_ASKER).order_by(_C.next_at, _C.id)
_MOST_ASKERS = 20
_SETTLED = ("state", "attempts", "next_at", "last_at", "last_status", "last_detail")


def due(connection: Connection, at: datetime, busy: Collection[Lane]) -> Due:
    """Return what of the lanes that are not busy may be sent at `at`, and when the next of them is due."""
    lanes = {Lane(row.receiver_id, row.urgent) for row in connection.execute(_LANES)}.difference(busy)
    stops = [_heads(connection, lane) for lane in sorted(lanes) if lane.urgent]
    others = [_heads(connection, lane) for lane in sorted(lanes) if not lane.urgent]
    now: list[Delivery] = []
    later: list[datetime] = []
    for heads in (*stops, *_askers(connection, busy), *others):
        ready = [head for head in heads if head.next_at is not None and head.next_at <= at]
        now += ready[:1]
        later += [head.next_at for head in heads if head.next_at is not None and head not in ready]
    return Due(now, min(later, default=None), connection.execute(_WAITING).scalar_one())


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
    """Make a delivery pending, due at `at`.

    Raises NotFound, or Conflict for one that was withdrawn, or would be if it were pending still.
    """
    found = find(connection, receiver_id, delivery_id)
    if found.state is DeliveryState.WITHDRAWN:
        raise Conflict(f"delivery {delivery_id!r} was {found.last_detail}; what it says is no longer true")
    if (stop := _contradiction(connection, found)) is not None:
        raise Conflict(f"event {stop.seq} says {stop.type}; what delivery {delivery_id!r} says is no longer true")
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


def _askers(connection: Connection, busy: Collection[Lane]) -> Sequence[Sequence[Delivery]]:
    """Return the one message to each of the waiting askers that goes next, without one query for each of them."""
    found = connection.execute(_ASKERS.limit(_MOST_ASKERS + len(busy)))
    return [[each] for each in map(_of, found) if Lane(each.receiver_id, each.urgent) not in busy][:_MOST_ASKERS]


def _contradiction(connection: Connection, delivery: Delivery) -> Row[int, str] | None:
    """Return the first event that took back what a delivery says; None while that is true."""
    event = EVENTS.c
    about = (
        (event.subject == delivery.subject, CONTRADICTED_BY_SUBJECT),
        (event.campaign == delivery.campaign, CONTRADICTED_BY_CAMPAIGN),
    )
    for is_same, table in about:
        if stops := table.get(EventType(delivery.event_type)):
            query = select(event.seq, event.type).where(event.seq > delivery.event_seq, is_same, event.type.in_(stops))
            if (found := connection.execute(query.order_by(event.seq).limit(1)).first()) is not None:
                return found
    return None


def _of(row: Row[Any]) -> Delivery:
    found = Delivery(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return replace(found, state=DeliveryState(row.state))
