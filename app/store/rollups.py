"""History's buckets: what each record adds to its minute and to its hour.

A bucket keeps total and weight, never their quotient, so that buckets can be added up to any span without averaging
averages. Adding is all that ever happens to one; late records simply add to an old bucket.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, case, or_, select, tuple_

from app.core.floor.rollup import RollupDelta
from app.store.deleting import delete_in_turn
from app.store.stale_packs import drop_packs
from app.store.tables import ROLLUP_HOURS, ROLLUP_MINUTES
from app.store.upsert import insert

HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY = ("queue", "metric", "bucket_at")

Series = tuple[str, str]
FIRST: Series = ("", "")  # before every series there can be


def add_rollups(connection: Connection, deltas: Sequence[RollupDelta]) -> None:
    """Add deltas to the 1-minute and to the 1-hour buckets. A day that was packed has to be packed again."""
    _add(connection, ROLLUP_MINUTES, deltas)
    drop_packs(connection, deltas)
    hours = (delta._replace(bucket_at=delta.bucket_at - (delta.bucket_at - _EPOCH) % HOUR) for delta in deltas)
    _add(connection, ROLLUP_HOURS, hours)


def delete_minutes(
    connection: Connection, before: datetime, limit: int, series: Series = FIRST
) -> tuple[int, Series | None]:
    """Delete up to `limit` 1-minute buckets that begin before `before`, from `series` (queue, metric) on.

    Return how many, and the series to go on from; None when all is done.
    """
    return delete_in_turn(
        series,
        limit,
        delete=lambda each, most: _delete_series(connection, each, before, most),
        after=lambda each: _series_after(connection, each),
    )


def _add(connection: Connection, table: Table, deltas: Iterable[RollupDelta]) -> None:
    sums: dict[tuple[Any, ...], RollupDelta] = {}
    for delta in deltas:
        key = delta[:3]
        sums[key] = delta if key not in sums else _sum(sums[key], delta)
    if sums:
        connection.execute(_upsert(table), [delta._asdict() for delta in sums.values()])


def _sum(one: RollupDelta, other: RollupDelta) -> RollupDelta:
    newest = max((one, other), key=lambda delta: delta.last_at or _EPOCH - HOUR)
    return one._replace(
        weight=one.weight + other.weight,
        total=one.total + other.total,
        minimum=min((m for m in (one.minimum, other.minimum) if m is not None), default=None),
        maximum=max((m for m in (one.maximum, other.maximum) if m is not None), default=None),
        last=newest.last,
        last_at=newest.last_at,
    )


def _upsert(table: Table) -> Any:
    new = insert(table)
    old, more = table.c, new.excluded
    newer = and_(more.last_at.is_not(None), or_(old.last_at.is_(None), more.last_at >= old.last_at))
    return new.on_conflict_do_update(
        index_elements=_KEY,
        set_={
            "weight": old.weight + more.weight,
            "total": old.total + more.total,
            "minimum": _preferred(old.minimum, more.minimum, more.minimum < old.minimum),
            "maximum": _preferred(old.maximum, more.maximum, more.maximum > old.maximum),
            "last": case((newer, more.last), else_=old.last),
            "last_at": case((newer, more.last_at), else_=old.last_at),
        },
    )


def _preferred(old: Any, more: Any, better: ColumnElement[bool]) -> ColumnElement[Any]:
    return case((more.is_(None), old), (or_(old.is_(None), better), more), else_=old)


def all_series(connection: Connection) -> Iterator[Series]:
    """Yield the queue and metric of every series of 1-minute buckets, in order: a jump of the index for each."""
    series = _series_after(connection, FIRST)
    while series is not None:
        yield series
        series = _series_after(connection, series)


def _series_after(connection: Connection, series: Series) -> Series | None:
    key = (ROLLUP_MINUTES.c.queue, ROLLUP_MINUTES.c.metric)
    found = connection.execute(select(*key).where(tuple_(*key) > series).order_by(*key).limit(1)).first()
    return None if found is None else (found.queue, found.metric)


def _delete_series(connection: Connection, series: Series, before: datetime, limit: int) -> int:
    minutes = ROLLUP_MINUTES.c
    mine = and_(minutes.queue == series[0], minutes.metric == series[1], minutes.bucket_at < before)
    oldest = select(minutes.bucket_at).where(mine).order_by(minutes.bucket_at).limit(limit)
    return connection.execute(ROLLUP_MINUTES.delete().where(mine, minutes.bucket_at.in_(oldest))).rowcount
