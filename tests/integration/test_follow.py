"""A live queue_log, written by another thread as Asterisk and logrotate would, followed by the real worker."""

import asyncio
import math
import os
import shutil
import threading
import time
from datetime import UTC, datetime

import pytest

from app.clocks import SystemClock
from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.services.ingest import Ingest
from app.services.sources import Sources
from tests.support.memory import MemoryStream, SteppedClock
from workers.sources.queue_log.worker import QueueLogWorker
from workers.sources.worker import Surroundings

CALLS = 60
LOOKED_AT_SECONDS = 0.3  # no log is rotated twice between two looks of its follower, however busy the machine is


class Surrounded:
    """A worker on a file, and what it sent."""

    def __init__(self, path, **values):
        clock = SystemClock()
        self.stream, self.sources = MemoryStream(SteppedClock(clock.now())), Sources()
        around = Surroundings(Ingest(self.stream, clock, self.sources), self.sources, clock)
        self.worker = QueueLogWorker(around, name="pbx", path=path, queues=["*"], channel="voice", **values)
        self.stop = asyncio.Event()

    def events(self):
        return [record.payload for record in self.stream.records if isinstance(record.payload, ContactEvent)]

    def observations(self):
        return [record.payload for record in self.stream.records if isinstance(record.payload, Observation)]

    async def until(self, done):
        async for _ in self.stream.tail(0):
            if done():
                return

    def is_following(self):
        return self.health is not None and self.health.status == "following"

    @property
    def health(self):
        return next((health for health in self.sources.all() if health.name == "pbx"), None)


async def seen(condition):
    """Return once a condition of the sources' health holds, which nothing signals."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@pytest.fixture
async def follow(tmp_path, monkeypatch):
    monkeypatch.setattr("workers.sources.queue_log.worker.POLL_SECONDS", 0.005)
    monkeypatch.setattr("workers.sources.queue_log.worker.RETRY_SECONDS", 0.005)
    surrounded = Surrounded(tmp_path / "queue_log")
    running = asyncio.create_task(surrounded.worker.run(surrounded.stop))
    yield surrounded
    surrounded.stop.set()
    await asyncio.wait_for(running, 60)


class Asterisk(threading.Thread):
    """Writes whole calls, one line at a time, and rotates between some of them."""

    def __init__(self, path, rotate):
        super().__init__(daemon=True)
        self._path, self._rotate = path, rotate
        self._file = path.open("a", buffering=1)
        self.lines = []

    def run(self):
        base = int(time.time()) - 600
        for number in range(CALLS):
            call = f"{base + number}.{number}"
            self._write(f"{base + number}|{call}|sales|NONE|ENTERQUEUE||anon|1")
            if number % 7 == 3:
                time.sleep(LOOKED_AT_SECONDS)
                self._file = self._rotate(self._path, self._file, number)
            if number % 3:
                self._write(f"{base + number + 2}|{call}|sales|SIP/{number % 5}|CONNECT|2|x|1")
                time.sleep(0.002)
                self._write(f"{base + number + 9}|{call}|sales|SIP/{number % 5}|COMPLETEAGENT|2|7|1")
            else:
                self._write(f"{base + number + 4}|{call}|sales|NONE|ABANDON|1|1|4")
        self._file.close()

    def _write(self, line):
        half = len(line) // 2
        self._file.write(line[:half])
        self._file.flush()
        self._file.write(line[half:] + "\n")
        self._file.flush()


def renamed_and_created(path, file, number):
    """logrotate's `create`, then the reload: the old file is written to once more in between."""
    path.rename(path.with_name(f"queue_log.{number}"))
    path.touch()
    file.write(f"{int(time.time())}|NONE|NONE|NONE|CONFIGRELOAD|\n")
    file.close()
    return path.open("a", buffering=1)


def renamed_only(path, file, number):
    """Asterisk's own `logger rotate`: rename, then a new file."""
    file.close()
    path.rename(path.with_name(f"queue_log.{number}"))
    return path.open("a", buffering=1)


def copied_and_truncated(path, file, number):
    """logrotate's `copytruncate`."""
    shutil.copy2(path, path.with_name(f"queue_log.{number}"))
    os.truncate(path, 0)
    return file


@pytest.mark.parametrize("rotate", [renamed_and_created, renamed_only, copied_and_truncated])
async def test_nothing_is_lost_and_nothing_doubled_through_rotation(follow, tmp_path, rotate):
    asterisk = Asterisk(tmp_path / "queue_log", rotate)
    asterisk.start()
    expected = 3 * (CALLS - CALLS // 3) + 2 * (CALLS // 3)
    await asyncio.wait_for(follow.until(lambda: len(follow.events()) >= expected), 30)
    asterisk.join()
    events = follow.events()
    assert len(events) == expected
    assert len({(event.contact_id, event.event) for event in events}) == expected
    assert [str(event.event) for event in events].count("queued") == CALLS
    assert follow.health.duplicates == 0
    assert follow.health.rejected == 0


async def test_a_file_that_is_not_there_is_said_so_and_read_once_it_is(follow, tmp_path):
    await seen(lambda: follow.health is not None)
    assert follow.health.status == "failing"
    assert "No such file" in follow.health.last_error
    now = int(time.time())
    (tmp_path / "queue_log").write_text(f"{now}|7.1|sales|NONE|ENTERQUEUE||anon|1\n")
    await asyncio.wait_for(follow.until(follow.observations), 60)
    assert [event.contact_id for event in follow.events()] == [f"7.1/sales/{now}"]
    assert follow.health.status == "following"
    assert follow.health.kind == "queue-log"


async def test_while_the_file_can_be_read_its_queues_are_observed_as_of_now(follow, tmp_path):
    before = datetime.now(UTC)
    (tmp_path / "queue_log").write_text(f"{int(time.time()) - 90}|CLI|sales|SIP/1|ADDMEMBER|\n")
    await asyncio.wait_for(follow.until(follow.observations), 60)
    (observation, *_) = follow.observations()
    assert observation.observed_at >= before
    assert (observation.queue, observation.source, observation.agents_available) == ("sales", "pbx", 1)


@pytest.mark.parametrize("quiet_seconds", [60, math.inf])
async def test_a_log_that_nobody_writes_to_is_no_quiet_floor_where_that_is_said(tmp_path, monkeypatch, quiet_seconds):
    monkeypatch.setattr("workers.sources.queue_log.worker.POLL_SECONDS", 0.005)
    monkeypatch.setattr("workers.sources.queue_log.worker.HEARTBEAT_SECONDS", 0.005)
    path, now = tmp_path / "queue_log", int(time.time())
    path.write_text(f"{now - 900}|CLI|sales|SIP/1|ADDMEMBER|\n")
    old = Surrounded(path, quiet_seconds=quiet_seconds)
    running = asyncio.create_task(old.worker.run(old.stop))
    await seen(lambda: old.health is not None and old.health.status != "never heard")
    if quiet_seconds == 60:
        assert old.health.status.startswith("quiet: nothing was written for ")
        assert old.observations() == []
    with path.open("a") as file:
        file.write(f"{now}|7.1|sales|NONE|ENTERQUEUE||anon|1\n")
    await asyncio.wait_for(old.until(old.observations), 60)
    await seen(old.is_following)
    old.stop.set()
    await running


async def test_a_start_sends_a_day_again_and_knows_the_agents_of_before(tmp_path):
    path, now = tmp_path / "queue_log", int(time.time())
    (tmp_path / "queue_log.1").write_text(
        f"{now - 90_000}|CLI|sales|SIP/1|ADDMEMBER|\n{now - 100}|7.0|sales|NONE|ENTERQUEUE||anon|1\n"
    )
    path.write_text(f"{now - 90}|7.0|sales|SIP/1|CONNECT|10|7.9|2\n")
    first, second = Surrounded(path), Surrounded(path)
    second.stream = first.stream
    second.worker = QueueLogWorker(
        Surroundings(Ingest(first.stream, SystemClock(), second.sources), second.sources, SystemClock()),
        name="pbx", path=path, queues=["*"], channel="voice",
    )  # fmt: skip
    for one in (first, second):
        running = asyncio.create_task(one.worker.run(one.stop))
        await seen(one.is_following)
        one.stop.set()
        await running
    assert [str(event.event) for event in first.events()] == ["queued", "answered"]
    assert first.observations()[0].agents_busy == 1
    assert second.health.duplicates == 2


async def test_what_cannot_be_made_durable_is_sent_again_until_it_is(follow, tmp_path):
    follow.stream.broken = True
    (tmp_path / "queue_log").write_text(f"{int(time.time())}|7.1|sales|NONE|ENTERQUEUE||anon|1\n")
    await seen(lambda: follow.health is not None and "cannot be written" in (follow.health.last_error or ""))
    follow.stream.broken = False
    await asyncio.wait_for(follow.until(follow.events), 60)
    assert len(follow.events()) == 1
