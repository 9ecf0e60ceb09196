"""Dropping packs: of days that changed, and of days that are kept no longer."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from sqlalchemy import Connection, bindparam, delete, func, select

from app.core.floor.rollup import RollupDelta
from app.store.pack_tables import MINUTE_PACKS

_EPOCH = date(1970, 1, 1)
_PACK = MINUTE_PACKS.c
_DROP = delete(MINUTE_PACKS).where(
    _PACK.queue == bindparam("of_queue"), _PACK.metric == bindparam("of_metric"), _PACK.day == bindparam("of_day")
)


def day_of(at: datetime) -> int:
    """Return the UTC day of an instant, counted from 1970."""
    return (at.astimezone(UTC).date() - _EPOCH).days


def drop_packs(connection: Connection, deltas: Sequence[RollupDelta]) -> None:
    """Delete the packs of the days that gain something: their minutes are read one by one until they are packed again.

    What comes in time is of a day that is not packed yet; that is found out by one look at an index.
    """
    days = {day_of(at) for at in {delta.bucket_at for delta in deltas}}
    packed = set(connection.execute(select(_PACK.day).distinct().where(_PACK.day.in_(days))).scalars()) if days else ()
    if packed:
        stale = {(delta.queue, delta.metric.value, day_of(delta.bucket_at)) for delta in deltas}
        keys = [
            {"of_queue": queue, "of_metric": metric, "of_day": day} for queue, metric, day in stale if day in packed
        ]
        connection.execute(_DROP, keys)


def delete_oldest_packs(connection: Connection, before: datetime) -> bool:
    """Delete the packs of the oldest day, should it be over before `before`; return whether there was such a day."""
    oldest = connection.execute(select(func.min(_PACK.day))).scalar()
    if oldest is None or oldest >= day_of(before):
        return False
    connection.execute(delete(MINUTE_PACKS).where(_PACK.day == oldest))
    return True
