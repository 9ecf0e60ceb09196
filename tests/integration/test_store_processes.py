"""The stream between processes: tails that see each other's rows, and what kill -9 leaves behind."""

import asyncio
import random
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import closing
from typing import cast

import pytest

from app.clocks import DataClock
from app.ports.stream import Appended, StreamRecord
from app.stream.sql import SqlStream
from tests.support.builders import NOW, after, an_observation
from tests.support.databases import a_store

APPENDER = """
import asyncio, sys
from itertools import count
from pathlib import Path
from tests.support.builders import after, an_observation
from tests.support.databases import a_store

async def main(folder, source, callers, limit):
    numbers = iter(range(limit)) if limit else count()
    async with a_store(Path(folder)) as store:
        async def call():
            for number in numbers:
                await store.stream.append([an_observation(observed_at=after(number), source=source)])
                print(number, flush=True)
        await asyncio.gather(*(call() for _ in range(callers)))

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""

FOLLOWER = """
import asyncio, sys
from pathlib import Path
from tests.support.databases import a_store

async def main(folder, number):
    async with a_store(Path(folder)) as store:
        print("ready", flush=True)
        async for records in store.stream.tail(0):
            for record in records:
                print(record.position)
                if record.position == number:
                    return

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def start(program, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def batches(stream, number):
    """Return the positions the tail yields until it has `number`."""
    positions = []
    async for records in stream.tail(0):
        positions += [record.position for record in records]
        if len(positions) >= number:
            return positions
    raise AssertionError(f"the tail ended after {len(positions)} records")


async def test_a_reader_process_follows_the_writer(tmp_path):
    async with a_store(tmp_path) as store:
        with start(FOLLOWER, tmp_path, 600) as follower:
            await asyncio.to_thread(follower.stdout.readline)
            for number in range(300):
                await store.stream.append([an_observation(observed_at=after(number), source=s) for s in "ab"])
            output, _ = await asyncio.to_thread(follower.communicate, timeout=90)
    assert [int(line) for line in output.splitlines()] == list(range(1, 601))


async def test_a_tail_sees_the_rows_of_two_writing_processes_in_order(tmp_path):
    async with a_store(tmp_path) as store:
        tail = asyncio.create_task(batches(store.stream, 800))
        with start(APPENDER, tmp_path, "theirs", 8, 400) as other:
            for number in range(400):
                await store.stream.append([an_observation(observed_at=after(number), source="ours")])
            output, _ = await asyncio.to_thread(other.communicate, timeout=90)
        assert await asyncio.wait_for(tail, 90) == list(range(1, 801))
    assert len(output.splitlines()) == 400


async def test_a_tail_that_lags_too_far_goes_on_from_the_database(tmp_path):
    async with a_store(tmp_path) as store:
        stream = SqlStream(store.database, DataClock(NOW), lag_records=100)
        tail = cast("AsyncGenerator[Sequence[StreamRecord], None]", stream.tail(0))
        await stream.append([an_observation(source="first")])
        positions = [record.position for record in await anext(tail)]
        for number in range(60):
            await stream.append([an_observation(observed_at=after(number), source=f"s{n}") for n in range(50)])
        (feed,) = stream._feeds
        assert feed.behind
        assert feed._held <= 100
        while len(positions) < 3001:
            positions += [record.position for record in await anext(tail)]
        assert positions == list(range(1, 3002))
        await stream.append([an_observation(source="last")])
        assert [record.payload.source for record in await anext(tail)] == ["last"]
        await tail.aclose()
        await stream.close()


@pytest.mark.slow
async def test_everything_acknowledged_before_kill_9_is_there_afterwards(tmp_path):
    moments = random.Random(1)
    acknowledged = []
    for round_number in range(2):
        source = f"round-{round_number}"
        with start(APPENDER, tmp_path, source, 16, 0) as appender:
            lines = [appender.stdout.readline() for _ in range(moments.randint(1, 600))]
            appender.kill()
            lines += appender.stdout.read().splitlines(keepends=True)
        acknowledged += [(source, int(line)) for line in lines if line.endswith("\n")]
    assert {source for source, _ in acknowledged} == {"round-0", "round-1"}
    async with a_store(tmp_path) as store:
        records = await store.stream.read(0, 100_000)
        assert [record.position for record in records] == list(range(1, len(records) + 1))
        kept = {record.payload[2:0:-1] for record in records}  # (source, observed_at)
        assert {(source, after(number)) for source, number in acknowledged} <= kept
        again = [an_observation(observed_at=after(number), source=source) for source, number in acknowledged]
        assert await store.stream.append(again) == Appended(0, len(again))
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
