"""Exact sums over contacts, straight from the raw events: what any other figure of holdfire can be checked against.

A contact counts where and when it was queued. answered: it has an answer; its wait is answered - queued. abandoned:
it has an abandon and no answer. handled: answered and completed or transferred; its handle time is the earlier of the
two less the answer. Where clocks disagree so that a time would be negative, it is zero.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, FromClause, Row, Select, and_, case, func, literal, select

from app.core.floor.contact import ContactEventKind
from app.core.floor.instants import SECOND, instant, micros, span
from app.ports.history import ContactTotals
from app.stream.tables import CONTACT_EVENTS


def contact_totals(
    connection: Connection, start: datetime, until: datetime, target_seconds: float
) -> Sequence[ContactTotals]:
    """Return one entry per queue with contacts queued in [start, until), sorted; first_at and last_at: of queueing."""
    rows = connection.execute(totals_query(start, until, target_seconds))
    return [_totals(row) for row in rows]


def totals_query(start: datetime, until: datetime, target_seconds: float) -> Select[Any]:
    """Return the query behind contact_totals; times in it are microseconds."""
    queued = CONTACT_EVENTS.alias("queued")
    contacts: FromClause = queued
    at = {}
    for kind in ("answered", "abandoned", "completed", "transferred"):
        event = CONTACT_EVENTS.alias(kind)
        contacts = contacts.outerjoin(event, and_(event.c.contact_id == queued.c.contact_id, event.c.event == kind))
        at[kind] = event.c.at
    answered = at["answered"].is_not(None)
    wait = _not_negative(at["answered"] - queued.c.at)
    ended = _earlier(at["completed"], at["transferred"])
    handled = and_(answered, ended.is_not(None))
    return (
        select(
            queued.c.queue,
            func.count().label("offered"),
            _count(answered).label("answered"),
            _count(and_(at["abandoned"].is_not(None), ~answered)).label("abandoned"),
            _count(and_(answered, wait <= literal(span(target_seconds), BigInteger))).label("answered_within_target"),
            _sum(answered, wait).label("wait"),
            _count(handled).label("handled"),
            _sum(handled, _not_negative(ended - at["answered"])).label("handle"),
            func.min(queued.c.at).label("first"),
            func.max(queued.c.at).label("last"),
        )
        .select_from(contacts)
        .where(queued.c.event == ContactEventKind.QUEUED.value)
        .where(queued.c.at >= micros(start), queued.c.at < micros(until))
        .group_by(queued.c.queue)
        .order_by(queued.c.queue)
    )


def _totals(row: Row[Any]) -> ContactTotals:
    return ContactTotals(
        queue=row.queue,
        offered=row.offered,
        answered=row.answered,
        abandoned=row.abandoned,
        answered_within_target=row.answered_within_target,
        wait_seconds_sum=row.wait / SECOND,
        handled=row.handled,
        handle_seconds_sum=row.handle / SECOND,
        first_at=instant(row.first),
        last_at=instant(row.last),
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _sum(condition: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[int]:
    return func.sum(case((condition, value), else_=literal(0, BigInteger)))


def _not_negative(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((value < 0, literal(0, BigInteger)), else_=value)


def _earlier(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((one.is_(None), other), (other.is_(None), one), (one < other, one), else_=other)
