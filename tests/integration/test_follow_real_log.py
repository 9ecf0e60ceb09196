"""A real contact center's queue_log, followed while it grows and rotates, decides as the same file replayed."""

import os
import shutil
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby

import pytest

from app.core.floor.contact import ContactEvent
from app.core.gate.default import default_policy_document
from app.services.evaluator import Evaluator
from app.services.replay import Replay
from tests.support.builders import NOW, an_event
from tests.support.following import Followed, following, seen
from tests.support.memory import (
    MemoryEvaluationStore,
    MemoryGateStore,
    MemoryHistory,
    MemoryQueueStore,
    MemoryStream,
    SteppedClock,
)
from tests.support.shared import QUEUE_LOG, shared
from workers.sources import registry
from workers.sources.recordings import Format, Reading, Recording

START = datetime(1999, 2, 1, 7, 30, tzinfo=UTC)
END = datetime(1999, 2, 1, 9, 30, tzinfo=UTC)
BEAT_SECONDS = 15  # of the log's time: without lines, so often the queues are observed all the same
LINES_BETWEEN_ROTATIONS = 70
SOURCE = "pbx"


class Log:
    """A queue_log as Asterisk and logrotate leave it: one file that is renamed, or copied and cut, now and then."""

    def __init__(self, path):
        self._path, self._file = path, path.open("a", buffering=1)
        self.lines = self.rotations = 0

    def write(self, lines):
        """Write lines, the first in two halves; rotate before them when it is time, in turn in each of the ways."""
        if self.lines // LINES_BETWEEN_ROTATIONS > self.rotations:
            self._rotate()
        head, rest = lines[0][:7], lines[0][7:] + "".join(lines[1:])
        for part in (head, rest):
            self._file.write(part)
            self._file.flush()
        self.lines += len(lines)

    def _rotate(self):
        self.rotations += 1
        aside = self._path.with_name(f"queue_log.{self.rotations}")
        if self.rotations % 2:
            self._file.close()
            self._path.rename(aside)
            self._file = self._path.open("a", buffering=1)
        else:
            shutil.copy2(self._path, aside)
            os.truncate(self._path, 0)

    def close(self):
        self._file.close()


class Clock(SteppedClock):
    def move_to(self, at):
        self._now = max(self._now, at)


@pytest.fixture(scope="module")
def rush(tmp_path_factory):
    """The lines of the first rush of Monday 1 February 1999, in a file."""
    with shared(QUEUE_LOG).open() as file:
        lines = [line for line in file if START.timestamp() <= int(line.split("|", 1)[0]) < END.timestamp()]
    path = tmp_path_factory.mktemp("rush") / "queue_log"
    path.write_text("".join(lines))
    return path


class House:
    """As much of a holdfire, with its default gate, as deciding needs; its clock stands where the rush begins."""

    def __init__(self):
        self.clock = Clock(START)
        self.stream = MemoryStream(self.clock)
        self._gates, self._store = MemoryGateStore(), MemoryEvaluationStore(None, MemoryHistory())
        self._evaluator = Evaluator(
            stream=self.stream, gates=self._gates, queues=MemoryQueueStore(), store=self._store, clock=self.clock
        )

    async def start(self):
        await self._gates.create_gate("default", NOW, an_event())
        await self._gates.save_policy(
            "default", default_policy_document(), author="test", reason="test", at=NOW, expected=0, event=an_event()
        )
        await self._evaluator.start()

    async def decided(self, payloads=()):
        """Return how the gate changed, over what is in the stream and over payloads replayed into it."""
        await Replay(self.stream, self._evaluator, self.clock, None).run(payloads)
        return [(one.at, one.before, one.after, one.summary) for one in self._store.transitions]


@pytest.fixture
async def house():
    started = House()
    await started.start()
    return started


another_house = house


def events_of(stream):
    return [record.payload for record in stream.records if isinstance(record.payload, ContactEvent)]


async def grow(log, lines, followed):
    """Write lines as they were written, second by second of the clock; wait until each was followed."""
    clock = followed.clock
    for second, group in groupby(lines, key=lambda line: int(line.split("|", 1)[0])):
        at = datetime.fromtimestamp(second, UTC)
        while log.lines and (at - clock.now()).total_seconds() > BEAT_SECONDS:
            clock.move(BEAT_SECONDS)
            await seen(lambda: followed.stream.records[-1].received_at == clock.now())
        clock.move_to(at)
        log.write(list(group))
        await seen(lambda: (health := followed.sources.find(SOURCE)) and health.details.get("lines") == log.lines)


async def test_a_real_log_followed_while_it_grows_and_rotates_decides_as_the_file_replayed(
    rush, house, another_house, tmp_path, monkeypatch
):
    monkeypatch.setattr("workers.sources.queue_log.worker.POLL_SECONDS", 0.001)
    monkeypatch.setattr("workers.sources.queue_log.worker.RETRY_SECONDS", 0.001)
    monkeypatch.setattr("workers.sources.queue_log.worker.HEARTBEAT_SECONDS", 0.0)
    lines = rush.read_text().splitlines(keepends=True)
    path = tmp_path / "queue_log"
    source = registry.configured([{"type": "queue-log", "name": SOURCE, "path": str(path)}])[SOURCE]
    with closing(Log(path)) as log:
        async with following(Followed(source, house.clock, house.stream)) as followed:
            await grow(log, lines, followed)
    with Recording(rush, Reading(Format.QUEUE_LOG, source=SOURCE)) as recording:
        replayed = await another_house.decided(recording.payloads)
    assert log.rotations >= 5
    assert set(events_of(house.stream)) == set(events_of(another_house.stream))
    assert followed.health.rejected == 0
    assert len(replayed) > 5
    assert await house.decided() == replayed
