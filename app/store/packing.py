"""Packing days of minutes that are over."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, func, select

from app.ports.backtest import PackableDay
from app.store.engine import Database
from app.store.minutes import DAY, EPOCH, buckets, is_windowed
from app.store.pack_tables import MINUTE_PACKS
from app.store.packs import DAY_MINUTES, Columns, digest, packed
from app.store.rollups import Series, all_series
from app.store.stale_packs import day_of
from app.store.tables import ROLLUP_MINUTES
from app.store.upsert import insert


class SqlMinutePacks:
    """The MinutePacks port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unpacked(self, before: datetime, limit: int) -> Sequence[PackableDay]:
        return await self._database.read(lambda connection: list(islice(_unpacked(connection, before), limit)))

    async def pack(self, day: PackableDay) -> None:
        await self._database.write(lambda connection: _pack(connection, day))


def _unpacked(connection: Connection, before: datetime) -> Iterator[PackableDay]:
    for queue, metric in list(all_series(connection)):
        first, last = _days(connection, (queue, metric))
        pack = MINUTE_PACKS.c
        done = select(pack.day).where(pack.queue == queue, pack.metric == metric)
        there = set(connection.execute(done).scalars())
        for day in range(first, min(last + 1, day_of(before))):
            if day not in there:
                yield PackableDay(queue, metric, day)


def _days(connection: Connection, series: Series) -> tuple[int, int]:
    """Return the first and the last day of a series."""
    minute = ROLLUP_MINUTES.c
    mine = (minute.queue == series[0], minute.metric == series[1])
    first, last = (  # two queries: SQLite finds one end of an index at a time
        connection.execute(select(end(minute.bucket_at)).where(*mine)).scalar_one() for end in (func.min, func.max)
    )
    return day_of(first), day_of(last)


def _pack(connection: Connection, day: PackableDay) -> None:
    """Read a day and write its pack in one transaction, so that nothing comes in between."""
    start = EPOCH + day.day * DAY
    rows = connection.execute(buckets(day.queue, day.metric, start, start + DAY)).all()
    columns = Columns(DAY_MINUTES)
    columns.put(rows, 0, windowed=is_windowed(day.metric))
    body = packed(columns)
    values = {"digest": digest(body), "body": body}
    new = insert(MINUTE_PACKS).values(queue=day.queue, metric=day.metric, day=day.day, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["queue", "metric", "day"], set_=values))
