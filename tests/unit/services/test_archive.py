"""Writing the stream down: whose turn it is, what happens to faults, and that nothing is left out."""

import asyncio
from collections.abc import Sequence

import pytest

from app.clocks import DataClock
from app.errors import Invalid, NotDurable
from app.ports.stream import StreamRecord
from app.services import archive
from app.services.archive import Archive
from tests.support.builders import NOW, after, an_observation
from tests.support.memory import MemoryStream


class Written:
    """The RecordArchive port in a list. `broken` makes it refuse everything, `poison` one source's records."""

    def __init__(self) -> None:
        self.records: list[StreamRecord] = []
        self.broken, self.poison = False, ""
        self.grown = asyncio.Event()

    async def position(self) -> int:
        return self.records[-1].position if self.records else 0

    async def write(self, records: Sequence[StreamRecord]) -> None:
        if self.broken:
            raise NotDurable("away")
        if any(record.payload.source == self.poison for record in records):
            raise Invalid("refused")
        self.records += records
        self.grown.set()

    async def until(self, number: int) -> None:
        """Return once so many are written."""
        while len(self.records) < number:
            self.grown.clear()
            await self.grown.wait()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(archive, "WRITE_SECONDS", 0.01)
    monkeypatch.setattr(archive, "RESTART_SECONDS", 0.01)


@pytest.fixture
def stream():
    return MemoryStream(DataClock(NOW))


def observations(number, source="acd-1"):
    return [an_observation(observed_at=after(n), source=source) for n in range(number)]


async def test_everything_is_written_in_order_also_what_comes_meanwhile(stream):
    written, stop = Written(), asyncio.Event()
    await stream.append(observations(3))
    running = asyncio.create_task(Archive(stream, written).run(stop))
    await written.until(3)
    await stream.append(observations(3, "later"))
    await written.until(6)
    stop.set()
    await running
    assert written.records == stream.records


async def test_nothing_is_written_while_it_is_not_this_process_s_turn(stream):
    written, stop = Written(), asyncio.Event()
    turn: list[str] = []
    await stream.append(observations(3))
    asked = asyncio.Event()

    def may_write() -> bool:
        asked.set()
        return bool(turn)

    running = asyncio.create_task(Archive(stream, written, may_write).run(stop))
    await asked.wait()
    assert written.records == []
    turn.append("mine")
    await written.until(3)
    stop.set()
    await running
    assert written.records == stream.records


async def test_what_could_not_be_written_is_written_when_the_database_is_back(stream, caplog):
    written, stop = Written(), asyncio.Event()
    written.broken = True
    await stream.append(observations(3))
    running = asyncio.create_task(Archive(stream, written).run(stop))
    while "history_not_written" not in caplog.text:  # noqa: ASYNC110  # a log tells nobody
        await asyncio.sleep(0.01)
    written.broken = False
    await written.until(3)
    stop.set()
    await running
    assert written.records == stream.records
    assert caplog.text.count("history_not_written") == 1


async def test_a_record_that_is_refused_holds_up_no_other_and_is_said(stream, caplog):
    written, stop = Written(), asyncio.Event()
    written.poison = "bad"
    await stream.append([*observations(3), an_observation(source="bad"), *observations(3, "later")])
    running = asyncio.create_task(Archive(stream, written).run(stop))
    await written.until(6)
    stop.set()
    await running
    assert [record.position for record in written.records] == [1, 2, 3, 5, 6, 7]
    assert caplog.text.count("history_refused") == 1


async def test_records_that_are_missing_in_the_stream_are_said(stream, caplog):
    written, stop = Written(), asyncio.Event()
    await stream.append(observations(5))
    del stream.records[:3]
    running = asyncio.create_task(Archive(stream, written).run(stop))
    await written.until(2)
    stop.set()
    await running
    assert "history_has_a_gap" in caplog.text
