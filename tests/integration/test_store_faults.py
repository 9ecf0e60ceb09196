"""What callers of the stream see when the disk, the database or a neighbour misbehaves, and that it heals."""

import asyncio
import sqlite3
import subprocess
import sys
import threading

import pytest

from app.errors import Invalid, NotDurable
from app.ports.stream import Appended
from app.store import engine
from app.stream import writer
from tests.support.builders import a_contact, after, an_event, an_observation
from tests.support.databases import a_store

FULL = ("PRAGMA max_page_count=1", "PRAGMA max_page_count=1073741823", "database or disk is full")
READ_ONLY = ("PRAGMA query_only=ON", "PRAGMA query_only=OFF", "attempt to write a readonly database")


@pytest.fixture
async def store(tmp_path):
    async with a_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def stream(store):
    return store.stream


def big_batches(number):
    """Return batches that need more than one new page of the file each."""
    return [
        [an_observation(queue=f"q{n}", source=f"s{m}", channel="x" * 500) for m in range(40)] for n in range(number)
    ]


async def execute(store, sql):
    """Execute a statement outside any transaction on the connection that writes."""

    def on_writer():
        connection = store.database.writer.engine.raw_connection()
        connection.cursor().execute(sql)
        connection.close()

    await asyncio.wrap_future(store.database.writer.submit(on_writer))


async def read_payloads(stream):
    return [record.payload for record in await stream.read(0)]


@pytest.mark.parametrize(("cause", "cure", "complaint"), [FULL, READ_ONLY], ids=["disk full", "read-only"])
async def test_a_fault_fails_every_caller_keeps_nothing_and_heals(store, stream, cause, cure, complaint):
    kept, *lost = big_batches(5)
    await stream.append(kept)
    await execute(store, cause)
    outcomes = await asyncio.gather(*map(stream.append, lost), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [NotDurable] * 4
    assert all(complaint in str(outcome) and "nothing of it was kept" in str(outcome) for outcome in outcomes)
    assert await read_payloads(stream) == kept
    await execute(store, cure)
    assert await asyncio.gather(*map(stream.append, lost)) == [Appended(40, 0)] * 4
    records = await stream.read(0)
    assert [record.position for record in records] == list(range(1, 201))


async def test_a_tail_sees_nothing_of_a_failed_group(store, stream):
    await execute(store, FULL[0])
    reading = asyncio.create_task(anext(stream.tail(0)))
    with pytest.raises(NotDurable):
        await stream.append(big_batches(1)[0])
    await execute(store, FULL[1])
    await stream.append([an_observation(source="later")])
    assert [record.payload.source for record in await reading] == ["later"]


async def test_other_writes_fail_with_the_same_sentence(store):
    await execute(store, READ_ONLY[0])
    with pytest.raises(NotDurable, match=r"attempt to write a readonly database\); nothing was changed"):
        await store.gates.create_gate("spring", after(0), an_event())


async def test_a_write_whose_turn_comes_too_late_does_not_happen_behind_its_callers_back(store, monkeypatch):
    monkeypatch.setattr(engine, "LONGEST_WAIT_SECONDS", 0.05)
    release = threading.Event()
    store.database.writer.submit(lambda: release.wait(20))
    late = asyncio.create_task(store.gates.create_gate("late", after(0), an_event()))
    await asyncio.sleep(0.1)
    release.set()
    with pytest.raises(NotDurable, match=r"within 0\.05 s.*nothing was changed"):
        await late
    await store.gates.create_gate("in-time", after(0), an_event())
    assert "late" not in await store.gates.gates()


async def test_a_neighbour_that_keeps_the_lock_fails_the_append_until_it_lets_go(store, stream, tmp_path):
    await execute(store, "PRAGMA busy_timeout=20")
    neighbour = sqlite3.connect(tmp_path / "holdfire.db", isolation_level=None)
    neighbour.execute("BEGIN IMMEDIATE")
    with pytest.raises(NotDurable, match="database is locked"):
        await stream.append([an_observation()])
    neighbour.execute("ROLLBACK")
    neighbour.close()
    assert await stream.append([an_observation()]) == Appended(1, 0)


@pytest.mark.parametrize(
    "poison",
    [
        an_observation(queue="\ud800"),
        an_observation(queue="too many", backlog=2**70),
        an_observation(queue="negative", backlog=-1),
        an_observation(queue="naive", observed_at=after(0).replace(tzinfo=None)),
        an_observation(queue="structured", channel=["voice"]),
        an_observation(queue="nowhere", source=None),  # type: ignore[arg-type]
    ],
    ids=lambda payload: ascii(payload.queue),
)
async def test_records_no_database_can_hold_fail_only_their_own_caller(stream, poison):
    good = [[an_observation(queue=f"good-{n}"), a_contact(contact_id=f"c{n}")] for n in range(3)]
    outcomes = await asyncio.gather(
        stream.append(good[0]),
        stream.append([an_observation(queue="beside"), poison]),
        *map(stream.append, good[1:]),
        return_exceptions=True,
    )
    assert [outcome for outcome in outcomes if outcome == Appended(2, 0)] == [Appended(2, 0)] * 3
    assert isinstance(outcomes[1], Invalid)
    assert "cannot be stored" in str(outcomes[1])
    assert sorted(record.position for record in await stream.read(0)) == [1, 2, 3, 4, 5, 6]
    assert "beside" not in [payload.queue for payload in await read_payloads(stream)]


async def test_when_too_much_waits_already_the_next_caller_is_told_to_come_back(stream, monkeypatch):
    monkeypatch.setattr(writer, "WAITING_RECORDS", 3)
    calls = [asyncio.create_task(stream.append([an_observation(queue=f"q{n}")] * 2)) for n in range(9)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, NotDurable)]
    assert refused
    assert "wait for the disk already" in str(refused[0])
    assert outcomes.count(Appended(1, 1)) == len(calls) - len(refused)


FILE_SIZE_LIMIT = """
import asyncio, resource, sys
from pathlib import Path
from app.errors import NotDurable
from tests.support.builders import after, an_observation
from tests.support.databases import a_store

async def main():
    async with a_store(Path(sys.argv[1])) as store:
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limit[1]))
        number = 0
        try:
            while number < 1_000:
                batch = [an_observation(observed_at=after(number), source=f"s{n}") for n in range(50)]
                await store.stream.append(batch)
                number += 1
        except NotDurable as fault:
            print(fault)
        assert len(await store.stream.read(0)) == number * 50
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        await store.stream.append([an_observation(source="after the fault")])
        print(number, len(await store.stream.read(0)) - number * 50)

asyncio.run(main())
"""


def test_a_file_that_may_not_grow_is_a_fault_like_any_other_and_heals(tmp_path):
    command = [sys.executable, "-c", FILE_SIZE_LIMIT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    complaint, counts = done.stdout.splitlines()
    batches, later = map(int, counts.split())
    assert "could not write this down" in complaint
    assert batches > 5
    assert later == 1
    assert done.stderr == ""
