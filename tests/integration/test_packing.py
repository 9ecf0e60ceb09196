"""Days that are over are packed in the background, hour by hour."""

import asyncio
from datetime import timedelta

import pytest

from app.clocks import DataClock
from app.core.floor.metric import Metric
from app.core.floor.rollup import RollupDelta
from app.ports.evaluation import Checkpoint
from app.services.packing import Packing
from tests.support.builders import NOW
from tests.support.databases import a_store
from workers.packing import PackingWorker

MIDNIGHT = NOW.replace(hour=0)


@pytest.fixture
async def store(tmp_path):
    async with a_store(tmp_path) as opened:
        for days in (0, 1, 2):
            at = MIDNIGHT - timedelta(days=days)
            gain = RollupDelta("orders", Metric.BACKLOG, at, 1, 1, 1, 1, 1, at)
            await opened.evaluation.flush(Checkpoint(0, NOW, {}), [], [gain])
        yield opened


async def days_packed(store):
    return await store.database.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM minute_packs").scalar())


async def test_a_day_is_packed_an_hour_after_its_end(store):
    early, later = (Packing(store.packs, DataClock(MIDNIGHT + timedelta(minutes=minutes))) for minutes in (59, 60))
    assert (await early.pack_some(), await early.pack_some()) == (1, 0)
    assert (await later.pack_some(), await later.pack_some()) == (1, 0)


async def test_the_worker_packs_all_there_is_and_ends_when_told(store):
    stop = asyncio.Event()

    class Stopping(Packing):
        """Says stop when nothing is left."""

        async def pack_some(self) -> int:
            some = await super().pack_some()
            if not some:
                stop.set()
            return some

    await asyncio.wait_for(PackingWorker(Stopping(store.packs, DataClock(NOW))).run(stop), 20)
    assert await days_packed(store) == 2
