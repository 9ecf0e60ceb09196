"""Minute history as arrays: the same from packs and from buckets, however the two are mixed, and never older."""

import pickle
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from app.core.floor.metric import Metric
from app.core.floor.rollup import RollupDelta
from app.core.floor.targets import QueueTargets
from app.ports.backtest import PackableDay, Wanted
from app.ports.evaluation import Checkpoint
from app.store.kept_columns import kept_columns
from app.store.pack_tables import MINUTE_PACKS
from tests.support.builders import NOW, after, an_event

MIDNIGHT = NOW.replace(hour=0)
DAY = timedelta(days=1)
ALL = frozenset(Metric)


@pytest.fixture(autouse=True)
def nothing_kept():
    kept_columns.cache_clear()


async def gain(store, *deltas):
    await store.evaluation.flush(Checkpoint(0, NOW, {}), [], deltas)


def reading(minute, value, queue="orders", metric=Metric.BACKLOG):
    at = MIDNIGHT + timedelta(minutes=minute)
    return RollupDelta(queue, metric, at, 1, value, value, value, value, at + timedelta(seconds=30))


def counts(minute, contacts, total, queue="orders", metric=Metric.SERVICE_LEVEL_RATIO):
    return RollupDelta(queue, metric, MIDNIGHT + timedelta(minutes=minute), contacts, total, None, None, None, None)


def read(store, *, start=0, minutes=10, patterns=("*",), metrics=ALL):
    return store.minutes.read(Wanted(patterns, metrics, MIDNIGHT + timedelta(minutes=start), minutes))


async def pack(store, before=MIDNIGHT + 10 * DAY):
    days = await store.packs.unpacked(before, 1_000)
    for day in days:
        await store.packs.pack(day)
    return days


def told(history):
    """Return everything that a history says, as plain values."""
    return [
        (
            queue.name,
            queue.since,
            queue.retired_at,
            queue.heard.tolist(),
            {
                metric: (
                    found.since,
                    None if found.last is None else [None if np.isnan(value) else value for value in found.last],
                    None if found.weight is None else found.weight.tolist(),
                    None if found.total is None else found.total.tolist(),
                )
                for metric, found in sorted(queue.metrics.items())
            },
        )
        for queue in history.queues
    ]


def without_empty_columns(queues):
    """Return the same with None for a column that has nothing in any minute read: packs and buckets may say either."""
    return [
        (*others, {metric: (since, *map(_unless_empty, columns)) for metric, (since, *columns) in metrics.items()})
        for *others, metrics in queues
    ]


def _unless_empty(column):
    return column if any(value not in (None, 0) for value in column or ()) else None


async def test_each_minute_has_its_newest_reading_or_its_sums(store):
    await gain(store, reading(1, 4), reading(3, 2), counts(0, 5, 4), counts(2, 3, 2.5))
    await gain(store, reading(1, 7))
    ((name, since, retired_at, heard, metrics),) = told(read(store, minutes=5))
    assert (name, since, retired_at, heard) == ("orders", 0, None, [True, True, True, True, False])
    assert metrics == {
        Metric.BACKLOG: (1, [None, 7, None, 2, None], None, None),
        Metric.SERVICE_LEVEL_RATIO: (0, None, [5, 0, 3, 0, 0], [4_000_000, 0, 2_500_000, 0, 0]),
    }


async def test_a_ready_made_average_stands_as_it_is_and_its_minute_has_no_sums(store):
    rate = Metric.ABANDONMENT_RATIO
    await gain(store, reading(0, 0.1, metric=rate), counts(0, 50, 5, metric=rate), counts(1, 4, 1, metric=rate))
    (queue,) = read(store, minutes=2).queues
    found = queue.metrics[rate]
    assert (found.last[0], np.isnan(found.last[1])) == (0.1, True)
    assert (found.weight.tolist(), found.total.tolist()) == ([0, 4], [0, 1_000_000])


async def test_only_what_is_asked_for_is_read_and_the_backlog_tells_whether_the_queue_spoke(store):
    await gain(
        store,
        *(reading(0, 1), reading(1, 1, metric=Metric.AGENTS_BUSY), counts(2, 1, 1)),
        *(reading(3, 1, "chat", Metric.AGENTS_BUSY), counts(4, 1, 1, "chat"), reading(5, 1, "sales")),
    )
    chat, orders = read(store, minutes=5, patterns=("chat", "ord*"), metrics={Metric.SERVICE_LEVEL_RATIO}).queues
    assert (set(orders.metrics), orders.heard.tolist()) == (
        {Metric.SERVICE_LEVEL_RATIO},
        [True, False, True, False, False],
    )
    assert (set(chat.metrics), chat.heard.tolist()) == ({Metric.SERVICE_LEVEL_RATIO}, [False, False, False, True, True])


async def test_when_a_metric_was_first_reported_is_known_from_before_the_span(store):
    await gain(store, reading(-3_000, 1), reading(2, 1), reading(1, 1, metric=Metric.AGENTS_BUSY))
    (queue,) = read(store, minutes=5).queues
    assert (queue.since, queue.metrics[Metric.BACKLOG].since, queue.metrics[Metric.AGENTS_BUSY].since) == (
        -3_000,
        -3_000,
        1,
    )


async def test_a_retired_queue_says_since_when(store):
    await gain(store, reading(0, 1))
    await store.queues.save_targets("orders", QueueTargets(retired_at=NOW), an_event())
    assert [queue.retired_at for queue in read(store).queues] == [NOW]


async def test_a_store_without_history_has_no_queues(store):
    assert read(store).queues == []


async def test_packed_days_are_read_as_the_buckets_were(store):
    await gain(store, *(reading(minute, minute % 7) for minute in range(0, 4_000, 3)))
    await gain(store, *(counts(minute, 300, minute / 7) for minute in range(0, 4_000, 11)))
    await gain(
        store, reading(100, 0.1, metric=Metric.OCCUPANCY_RATIO), reading(1_500, 70_000, metric=Metric.AGENTS_BUSY)
    )
    plain = told(read(store, start=50, minutes=3_500))
    assert len(await pack(store, MIDNIGHT + 2 * DAY)) == 2 + 2 + 1 + 1
    assert told(read(store, start=50, minutes=3_500)) == plain


async def test_a_day_that_is_not_over_is_not_packed(store):
    await gain(store, reading(0, 1), reading(1_440, 1))
    assert await store.packs.unpacked(MIDNIGHT + DAY, 10) == [PackableDay("orders", "backlog", _day(0))]


async def test_days_without_a_word_between_others_are_packed_once(store):
    await gain(store, reading(0, 1), reading(3 * 1_440, 1))
    assert [day.day for day in await pack(store)] == [_day(0), _day(1), _day(2), _day(3)]
    assert await pack(store) == []


async def test_what_comes_late_is_read_at_once_and_its_day_is_packed_again(store):
    await gain(store, *(reading(minute, 1) for minute in (0, 1_440)), reading(0, 5, "chat"))
    await pack(store)
    read(store)
    await gain(store, reading(1, 9))
    assert read(store, minutes=3).queues[1].metrics[Metric.BACKLOG].last[:2].tolist() == [1, 9]
    assert await pack(store) == [PackableDay("orders", "backlog", _day(0))]
    assert read(store, minutes=3).queues[1].metrics[Metric.BACKLOG].last[:2].tolist() == [1, 9]


async def test_what_is_kept_in_memory_is_never_older_than_what_is_stored(store):
    await gain(store, reading(0, 1))
    await pack(store)
    assert read(store, minutes=1).queues[0].metrics[Metric.BACKLOG].last.tolist() == [1]
    await gain(store, reading(0, 2))
    await pack(store)
    assert read(store, minutes=1).queues[0].metrics[Metric.BACKLOG].last.tolist() == [2]


async def test_a_pack_that_cannot_be_read_gives_way_to_the_buckets(store):
    await gain(store, reading(0, 1), reading(1_440, 3))
    await pack(store)
    for body in (b"", b"\x02B--" + bytes(1_440), b"\x01B--" + bytes(9), b"\x01x--"):
        await store.database.write(lambda c, body=body: c.execute(update(MINUTE_PACKS).values(body=body)))
        kept_columns.cache_clear()
        found = read(store, minutes=1_441).queues[0].metrics[Metric.BACKLOG].last
        assert {int(minute): found[minute] for minute in np.flatnonzero(np.isfinite(found))} == {0: 1, 1_440: 3}


async def test_packs_are_deleted_with_the_minutes(store):
    await gain(store, *(reading(minute, 1) for minute in (0, 1_440, 2_880)))
    await pack(store)
    await store.history.prune_rollups(MIDNIGHT + 2 * DAY + timedelta(hours=1))
    days = await store.database.read(lambda c: c.exec_driver_sql("SELECT day FROM minute_packs").scalars().all())
    assert days == [_day(2)]


async def test_a_reader_can_be_handed_to_another_process(store):
    await gain(store, reading(0, 1))
    elsewhere = pickle.loads(pickle.dumps(store.minutes))  # noqa: S301  # our own words
    assert told(elsewhere.read(Wanted(("*",), ALL, MIDNIGHT, 3))) == told(read(store, minutes=3))


async def test_progress_is_told_queue_by_queue(store):
    await gain(store, reading(0, 1), reading(0, 1, "chat"))
    shares: list[float] = []
    store.minutes.read(Wanted(("*",), ALL, MIDNIGHT, 3), shares.append)
    assert shares == [0.5, 1.0]


async def test_what_is_forgotten_is_not_remembered_from_an_earlier_reading(store):
    await gain(store, reading(0, 1), reading(5_000, 2), counts(1, 3, 2))
    assert read(store, minutes=3).queues[0].heard.tolist() == [True, True, False]
    await store.history.prune_rollups(after(24 * 3_600))
    (queue,) = read(store, minutes=3).queues
    assert queue.heard.tolist() == [False] * 3


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deltas=st.lists(
        st.builds(reading, st.integers(0, 5_000), st.sampled_from([0, 1, 254, 255, 300, 65_535, 1e6, 0.1, 1 / 3]))
        | st.builds(counts, st.integers(0, 5_000), st.integers(0, 400), st.sampled_from([0, 0.3, 17, 5e5, 1e7])),
        min_size=1,
        max_size=40,
    ),
    late=st.lists(st.builds(reading, st.integers(0, 5_000), st.integers(0, 9)), max_size=3),
    start=st.integers(-1_500, 4_000),
    minutes=st.integers(1, 5_000),
)
async def test_any_mix_of_packs_and_buckets_reads_the_same(store, deltas, late, start, minutes):
    await store.history.prune_rollups(after(1e7))
    await gain(store, *deltas)
    await pack(store, MIDNIGHT + 2 * DAY)
    read(store, start=start, minutes=minutes)
    await gain(store, *late)
    mixed = told(read(store, start=start, minutes=minutes))
    await store.database.write(lambda c: c.exec_driver_sql("DELETE FROM minute_packs"))
    kept_columns.cache_clear()
    assert without_empty_columns(told(read(store, start=start, minutes=minutes))) == without_empty_columns(mixed)


def _day(number):
    return (MIDNIGHT.date() - NOW.replace(year=1970, month=1, day=1).date()).days + number
