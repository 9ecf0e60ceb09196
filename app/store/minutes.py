"""Minute history as arrays, for who reads a year of it at once: packed days where they are, buckets where they are not.

What was unpacked stays, up to a limit: who drags a policy's limit asks for the same year again and again. Packs are
known by their digests, so what stayed is never older than what is stored.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, Connection, Select, func, select, type_coerce
from sqlalchemy.exc import DBAPIError

from app.core.backtest.history import MINUTE, FloorHistory, MetricMinutes, QueueMinutes
from app.core.floor.instants import MINUTE as MINUTE_MICROSECONDS
from app.core.floor.instants import micros
from app.core.floor.metric import DEFINITIONS, Metric
from app.core.forecast.series import BoolArray
from app.core.gate.decide import select as matching
from app.errors import HoldfireError
from app.ports.backtest import Wanted
from app.store.connect import known_url, reading_engine
from app.store.kept_columns import Digests, kept_columns
from app.store.pack_tables import MINUTE_PACKS
from app.store.packs import DAY_MINUTES, Columns, unpack
from app.store.rollups import all_series
from app.store.tables import QUEUE_TARGETS, ROLLUP_MINUTES

DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SqlMinutes:
    """The MinuteReader port, over the database at `url`; it opens a connection of its own for each reading."""

    url: str

    def read(self, wanted: Wanted, progress: Callable[[float], None] = lambda _: None) -> FloorHistory:
        engine = reading_engine(known_url(self.url), pool_size=1)
        try:
            with engine.begin() as connection:
                return _Reading(connection, self.url, wanted).history(progress)
        except DBAPIError as fault:
            raise HoldfireError(f"the database could not be read: {fault.orig}") from fault
        finally:
            engine.dispose()


def buckets(queue: str, metric: str, start: datetime, until: datetime) -> Select[Any]:
    """Return the query for a series' minutes from `start` on: which one it is, its weight, its total and its last."""
    minute = ROLLUP_MINUTES.c
    place = (type_coerce(minute.bucket_at, BigInteger) - micros(start)) // MINUTE_MICROSECONDS
    mine = (minute.queue == queue, minute.metric == metric, minute.bucket_at >= start, minute.bucket_at < until)
    return select(place, minute.weight, minute.total, minute.last).where(*mine)


def is_windowed(metric: str) -> bool:
    """Return whether a metric's minutes may be sums over contacts."""
    return DEFINITIONS[Metric(metric)].windowed


class _Reading:
    """One reading, on one unchanging picture of the database. Days are read whole and cut to what is wanted."""

    def __init__(self, connection: Connection, url: str, wanted: Wanted) -> None:
        self._connection, self._url, self._wanted = connection, url, wanted
        self._days = range((wanted.start - EPOCH) // DAY, -(-(wanted.start + wanted.minutes * MINUTE - EPOCH) // DAY))

    def history(self, progress: Callable[[float], None]) -> FloorHistory:
        """Return all queues that any pattern matches, sorted by name."""
        series = groupby(all_series(self._connection), key=lambda one: one[0])
        known = {queue: [metric for _, metric in each] for queue, each in series}
        names, _ = matching(self._wanted.patterns, tuple(known))
        retired = dict(self._connection.execute(select(QUEUE_TARGETS.c.queue, QUEUE_TARGETS.c.retired_at)).all())
        queues = []
        for name in names:
            queues.append(self._queue(name, known[name], retired.get(name)))
            progress(len(queues) / len(names))
        return FloorHistory(self._wanted.start, self._wanted.minutes, queues)

    def _queue(self, name: str, metrics: Collection[str], retired_at: datetime | None) -> QueueMinutes:
        since = {metric: self._since(name, metric) for metric in metrics}
        wanted = self._wanted.metrics & since.keys()
        speaking = {Metric.BACKLOG} if Metric.BACKLOG in since else since.keys()
        heard, found = np.zeros(self._wanted.minutes, bool), {}
        for metric in wanted | speaking:
            minutes = self._cut(self._columns(name, metric, since[metric]), since[metric])
            heard |= _heard(minutes)
            if metric in wanted:
                found[Metric(metric)] = minutes
        return QueueMinutes(name, min(since.values()), heard, found, retired_at)

    def _since(self, queue: str, metric: str) -> int:
        """Return the minute, from the wanted start on, in which a series begins."""
        minute = ROLLUP_MINUTES.c
        first = select(func.min(minute.bucket_at)).where(minute.queue == queue, minute.metric == metric)
        since: datetime = self._connection.execute(first).scalar_one()
        return (since - self._wanted.start) // MINUTE

    def _cut(self, columns: Columns, since: int) -> MetricMinutes:
        """Return the wanted minutes of whole days."""
        first = (self._wanted.start - EPOCH) // MINUTE - self._days.start * DAY_MINUTES
        wanted = slice(first, first + self._wanted.minutes)
        last, weight, total = columns.last, columns.weight, columns.total
        return MetricMinutes(
            since,
            None if last is None else last[wanted],
            None if weight is None else weight[wanted],
            None if total is None else total[wanted],
        )

    def _columns(self, queue: str, metric: str, since: int) -> Columns:
        """Return the days of one series: unpacked, and with the buckets of those that are not packed.

        These are written into what is kept, in place of what was there: since then minutes may have been corrected, or
        forgotten.
        """
        columns, packed = self._packed(queue, metric, self._digests(queue, metric))
        for days in _stretches(day for day in self._days if day not in packed):
            columns.clear(*((day - self._days.start) * DAY_MINUTES for day in (days.start, days.stop)))
        first = max(self._days.start, ((self._wanted.start - EPOCH) // MINUTE + since) // DAY_MINUTES)
        for days in _stretches(day for day in range(first, self._days.stop) if day not in packed):
            start, until = (EPOCH + day * DAY for day in (days.start, days.stop))
            rows = self._connection.execute(buckets(queue, metric, start, until)).all()
            columns.put(rows, (days.start - self._days.start) * DAY_MINUTES, windowed=is_windowed(metric))
        return columns

    def _digests(self, queue: str, metric: str) -> Digests:
        pack = MINUTE_PACKS.c
        query = select(pack.day, pack.digest).where(*self._mine(queue, metric))
        return dict(self._connection.execute(query).all())

    def _packed(self, queue: str, metric: str, digests: Digests) -> tuple[Columns, Collection[int]]:
        """Return what the packs hold, and the days that could be read from them."""
        key = (self._url, queue, metric, self._days)
        if (kept := kept_columns().get(key, digests)) is not None:
            return kept, digests.keys()
        columns, read = Columns(len(self._days) * DAY_MINUTES), set()
        pack = MINUTE_PACKS.c
        bodies = select(pack.day, pack.body).where(*self._mine(queue, metric))
        for day, body in self._connection.execute(bodies).all():
            if unpack(body, columns, (day - self._days.start) * DAY_MINUTES):
                read.add(day)
        if len(read) == len(digests):
            kept_columns().put(key, digests, columns)
        return columns, read

    def _mine(self, queue: str, metric: str) -> tuple[ColumnElement[bool], ...]:
        pack = MINUTE_PACKS.c
        days = (pack.day >= self._days.start, pack.day < self._days.stop)
        return pack.queue == queue, pack.metric == metric, *days


def _heard(minutes: MetricMinutes) -> BoolArray:
    """Return in which minutes a metric says something."""
    said = np.zeros(1, bool)
    if minutes.last is not None:
        said = np.isfinite(minutes.last)
    if minutes.weight is not None and minutes.total is not None:
        said = said | (minutes.weight != 0) | (minutes.total != 0)
    return said


def _stretches(days: Iterator[int]) -> Iterator[range]:
    """Yield days that follow each other as one range."""
    for _, each in groupby(enumerate(days), key=lambda one: one[1] - one[0]):
        stretch = [day for _, day in each]
        yield range(stretch[0], stretch[-1] + 1)
