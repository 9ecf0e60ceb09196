"""Files dropped in a folder: each read once, never half, however it comes; what came of it is shown."""

import asyncio
import errno
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.floor.observation import Observation
from app.errors import Invalid
from app.services.ingest import Ingest
from app.services.sources import Sources
from tests.support.a_day import QUEUE, live_through
from tests.support.builders import NOW
from tests.support.memory import MemoryStream, SteppedClock
from tests.support.whole import a_whole
from workers.sources.csv_drop.client import Folder
from workers.sources.csv_drop.worker import CsvDrop
from workers.sources.polling import Poller
from workers.sources.registry import TRIALS, configured, one
from workers.sources.worker import Surroundings
from workers.systems.faults import SourceFault, TranslateError
from workers.systems.table import Table

HEADER = "Queue Name;Calls Waiting;Longest;As Of"
MAPPING = {
    "queue_from": "Queue Name",
    "channel": "voice",
    "observed_at_from": "As Of",
    "time_zone": "America/Chicago",
    "metrics": {"backlog": "Calls Waiting", "oldest_wait_seconds": {"from": "Longest", "unit": "hh:mm:ss"}},
}
NOON = NOW.replace(hour=18, minute=0, second=0, microsecond=0)  # in Chicago
A_FILE = f"a whole file, written {NOON:%Y-%m-%d} 18:00:00 UTC"


def a_table(folder, **values):
    return {
        "type": "csv-drop", "name": "export", "folder": str(folder), "delimiter": ";", "settle_seconds": 0.01,
        "mapping": MAPPING,
    } | values  # fmt: skip


def at(minute):
    return f"{NOON:%Y-%m-%d} 12:{minute:02}:00"


class Export:
    """A worker on a folder, with clocks that a test moves."""

    def __init__(self, folder: Path, **values):
        self.clock, self.sources, self.stop = SteppedClock(NOON + timedelta(hours=1)), Sources(), asyncio.Event()
        self.stream, self.folder = MemoryStream(self.clock), folder
        around = Surroundings(Ingest(self.stream, self.clock, self.sources), self.sources, self.clock)
        worker = one("sources[0]", a_table(folder, **values))[1](around)
        assert isinstance(worker, Poller)
        self.worker = worker

    def drop(self, name, *lines, end="\n", written_at=NOON):
        path = self.folder / name
        path.write_text("\n".join([HEADER, *lines]) + end)
        os.utime(path, (written_at.timestamp(), written_at.timestamp()))
        return path

    async def poll(self, times=2):
        """Look so many times, long enough apart for a file to have settled."""
        for _ in range(times):
            await self.worker.poll(self.stop)
            await asyncio.sleep(0.012)

    @property
    def backlogs(self):
        payloads = [record.payload for record in self.stream.records]
        return [(each.queue, each.backlog) for each in payloads if isinstance(each, Observation)]

    @property
    def health(self):
        health = self.sources.find("export")
        assert health is not None
        return health


@pytest.fixture
def export(tmp_path):
    return Export(tmp_path)


async def test_a_file_is_read_once_by_its_header(export):
    export.drop("1.csv", f"orders;12;00:01:34;{at(0)}", f"billing;0;;{at(0)}")
    export.drop("ignored.txt", f"orders;99;;{at(1)}")
    await export.poll(4)
    assert [record.payload for record in export.stream.records] == [
        Observation("orders", NOON, "export", "voice", backlog=12, oldest_wait_seconds=94.0),
        Observation("billing", NOON, "export", "voice", backlog=0, oldest_wait_seconds=0.0),
    ]
    assert (export.health.duplicates, export.health.status) == (0, "waits for a file")


async def test_a_growing_file_is_read_again_and_only_what_is_new_counts(export):
    export.drop("1.csv", f"orders;1;;{at(0)}")
    await export.poll()
    export.drop("1.csv", f"orders;1;;{at(0)}", f"orders;2;;{at(1)}")
    await export.poll()
    assert export.backlogs == [("orders", 1), ("orders", 2)]
    assert export.health.duplicates == 1


async def test_a_folder_that_hangs_holds_one_thread_however_often_it_is_asked():
    held, let_go = [], threading.Event()

    class Hanging(Folder):
        def whole(self, now):
            held.append(now)
            let_go.wait(20)
            return []

    folder = Hanging(Path(), "*", settle_seconds=0, newest_seconds=1, moves=False)
    _, factory = one("sources[0]", a_table("."))
    clock, sources = SteppedClock(NOW), Sources()
    worker = factory(Surroundings(Ingest(MemoryStream(clock), clock, sources), sources, clock))
    assert isinstance(worker, Poller)
    assert isinstance(worker._asking, CsvDrop)
    worker._deadline, worker._asking._folder = 0.02, folder
    for _ in range(4):
        await worker.poll(asyncio.Event())
    let_go.set()
    assert len(held) == 1
    health = sources.find("export")
    assert health is not None
    assert health.consecutive_failures == 4


def test_a_column_that_is_there_twice_is_not_guessed():
    read = TRIALS["csv-drop"](Table("sources", {"delimiter": ";", "mapping": MAPPING}, {}), "export")
    body = f"{HEADER};Calls Waiting\norders;50;;{at(0)};0\n"
    with pytest.raises(TranslateError, match="has column 'Calls Waiting' more than once"):
        read(body.encode(), NOON)


@pytest.mark.parametrize("encoding", ["hex", "rot13", "zip"])
def test_an_encoding_that_gives_no_text_is_refused(encoding):
    with pytest.raises(Invalid, match=f"encoding: '{encoding}' is not known"):
        TRIALS["csv-drop"](Table("sources", {"encoding": encoding, "mapping": MAPPING}, {}), "export")


def test_an_encoding_that_fails_in_its_own_way_is_a_fault_of_the_file():
    read = TRIALS["csv-drop"](Table("sources", {"encoding": "idna", "mapping": MAPPING}, {}), "export")
    with pytest.raises(TranslateError, match="the file is not idna from"):
        read(b"xn--\xff.", NOON)


async def test_a_file_that_is_being_written_is_not_read(tmp_path):
    now = [0.0]
    folder = Folder(tmp_path, "*", settle_seconds=2, newest_seconds=1e9, moves=False, monotonic=lambda: now[0])
    path = tmp_path / "1.csv"

    def looked(seconds, content=None):
        now[0] += seconds
        if content is not None:
            path.write_text(content)
        return [each.content for each in folder.whole(NOW)]

    assert looked(0, "a;b\n") == []
    assert looked(1.9) == []
    assert looked(0.2, "a;b\n1;2") == []  # it has grown: the wait begins again
    assert looked(2.1) == []  # its last line has no end yet
    assert looked(8) == [b"a;b\n1;2"]  # and never will
    assert folder.done(folder.whole(NOW)[0], "done") is None
    assert looked(60) == []
    path.unlink()
    assert looked(1) == []
    assert looked(1, "a;b\n") == []
    assert looked(3) == [b"a;b\n"]


async def test_files_are_moved_away_once_what_they_say_is_durable(tmp_path):
    export = Export(tmp_path, after="move")
    export.drop("1.csv", f"orders;1;;{at(0)}")
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "1.csv").write_text("of yesterday")
    await export.poll(1)
    assert (tmp_path / "1.csv").exists()
    await export.poll(1)
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == ["1.csv", "1.csv.1"]
    assert not (tmp_path / "1.csv").exists()


async def test_a_start_reads_again_what_is_left_and_it_counts_once(tmp_path):
    first = Export(tmp_path)
    first.drop("1.csv", f"orders;1;;{at(0)}")
    first.drop("old.csv", f"orders;7;;{at(0)}", written_at=NOON - timedelta(days=2))
    await first.poll()
    second = Export(tmp_path)
    second.stream.records = first.stream.records
    second.stream._seen = first.stream._seen
    await second.poll()
    assert second.backlogs == [("orders", 1)]
    assert (second.health.accepted, second.health.duplicates) == (0, 1)


async def test_bad_rows_and_bad_files_are_counted_and_shown(export):
    rows = [f"orders;many;;{at(0)}", f"billing;3;;{at(0)}", "cut;3", f"+1 555 0100 100;3;;{at(0)}"]
    export.drop("1.csv", *rows)
    (export.folder / "2.csv").write_text("Queue;Waiting\norders;3\n")
    (export.folder / "3.csv").write_bytes(f"{HEADER}\nBüro;1;;{at(0)}\n".encode("cp1252"))
    for name in ("2.csv", "3.csv"):
        os.utime(export.folder / name, (NOON.timestamp(), NOON.timestamp()))
    await export.poll()
    assert export.backlogs == [("billing", 3)]
    assert export.health.rejected == 5
    assert [each.detail for each in export.health.refusals] == [
        "the line has fewer or more cells than the header",
        'backlog: what "Calls Waiting" gives is a text, not a number',
        "the queue's name is too long, cannot be printed, or looks like a number or an address",
        f"{A_FILE}: the file has no column 'Queue Name', 'As Of', 'Calls Waiting', 'Longest'; the mapping names it",
        f"{A_FILE}: the file is not utf-8-sig from byte 41 on; encoding says which it is",
    ]


@pytest.mark.parametrize("after", ["leave", "move"])
async def test_no_file_stops_another(tmp_path, after):
    export = Export(tmp_path, after=after)
    (tmp_path / "0.csv").write_bytes(b"\x00\xff" * 40)
    os.utime(tmp_path / "0.csv", (NOON.timestamp(), NOON.timestamp()))
    (tmp_path / "1.csv").symlink_to(tmp_path / "1.csv")  # round and round
    export.drop("2.csv", f"orders;2;;{at(0)}")
    await export.poll(4)
    export.drop("3.csv", f"orders;3;;{at(1)}")
    await export.poll()
    assert export.backlogs == [("orders", 2), ("orders", 3)]
    assert (export.health.rejected, export.health.consecutive_failures) == (1, 0)
    assert "the file is not utf-8-sig from byte 2 on" in export.health.refusals[0].detail
    aside = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*/*.csv"))
    assert aside == ([] if after == "leave" else ["done/2.csv", "rejected/0.csv"])


async def test_a_file_that_may_not_be_read_is_said_once_and_read_once_it_may(export, monkeypatch):
    shut, opened = {"1.csv"}, Path.open

    def open_as_the_system_lets(path, *given):  # root may read everything, so its rights do not do
        if path.name in shut:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *given)

    export.drop("1.csv", f"orders;1;;{at(0)}")
    export.drop("2.csv", f"orders;2;;{at(1)}")
    monkeypatch.setattr(Path, "open", open_as_the_system_lets)
    await export.poll(4)
    assert export.backlogs == [("orders", 2)]
    assert [each.detail for each in export.health.refusals] == [f"{A_FILE}: it cannot be read (Permission denied)"]
    shut.clear()
    await export.poll()
    assert export.backlogs == [("orders", 2), ("orders", 1)]


async def test_a_file_that_cannot_be_moved_is_said_and_the_next_one_read(tmp_path):
    export = Export(tmp_path, after="move")
    (tmp_path / "done").write_text("no folder")
    for minute in range(3):
        export.drop(f"{minute}.csv", f"orders;{minute};;{at(minute)}")
        await export.poll()
    assert export.backlogs == [("orders", 0), ("orders", 1), ("orders", 2)]
    assert export.health.refusals[0].detail == f"{A_FILE}: it cannot be moved to the folder done (File exists)"


async def test_of_two_kinds_of_files_that_take_turns_neither_counts(export):
    for minute in range(0, 8, 2):
        export.drop(f"voice-120{minute}.csv", f"orders;50;;{at(minute)}", f"sales;1;;{at(minute)}")
        later = NOON + timedelta(minutes=1)
        export.drop(f"chat-120{minute + 1}.csv", f"orders;0;;{at(minute + 1)}", written_at=later)
        await export.poll()
    assert [backlog for queue, backlog in export.backlogs if queue == "orders"] == [50, 0]  # then it is seen
    assert [backlog for queue, backlog in export.backlogs if queue == "sales"] == [1, 1, 1, 1]
    assert export.health.refusals[-1].detail.startswith("two kinds of files say the same of one queue in turns")


async def test_files_of_one_export_may_be_named_as_they_like(export):
    names = ["a1f.csv", "b2e.csv", "c.csv", "mon.csv", "mon.csv", "tue.csv"]
    for minute, name in enumerate(names):
        export.drop(name, f"orders;{minute};;{at(minute)}", written_at=NOON + timedelta(minutes=minute))
        await export.poll()
    later = NOON + timedelta(minutes=61)  # when the first name comes again
    export.drop("a1f.csv", f"orders;9;;{NOON:%Y-%m-%d} 13:01:00", written_at=later)
    export.clock.move(3600)
    await export.poll()
    assert [backlog for _, backlog in export.backlogs] == [0, 1, 2, 3, 4, 5, 9]
    assert export.health.rejected == 0


async def test_a_folder_full_of_files_is_read_bit_by_bit(export, monkeypatch):
    monkeypatch.setattr("workers.sources.csv_drop.client.MOST_AT_ONCE", 2)
    for minute in range(5):
        export.drop(f"{minute}.csv", f"orders;{minute};;{at(minute)}")
    await export.poll(2)
    assert len(export.backlogs) < 5
    await export.poll(3)
    assert export.backlogs == [("orders", minute) for minute in range(5)]


async def test_the_time_of_the_file_stands_for_rows_that_name_none(tmp_path):
    mapping = {key: value for key, value in MAPPING.items() if key != "observed_at_from"}
    export = Export(tmp_path, mapping=mapping)
    export.drop("1.csv", f"orders;1;;{at(0)}", written_at=NOON + timedelta(minutes=5))
    await export.poll()
    assert [record.payload.observed_at for record in export.stream.records] == [NOON + timedelta(minutes=5)]  # type: ignore[union-attr]


async def test_a_folder_that_is_not_there_is_said_and_read_once_it_is(tmp_path):
    export = Export(tmp_path / "later")
    await export.poll(1)
    assert export.health.last_error == f"{tmp_path / 'later'} cannot be used (No such file or directory)"
    (tmp_path / "later").mkdir()
    export.drop("1.csv", f"orders;1;;{at(0)}")
    await export.poll()
    assert (export.backlogs, export.health.consecutive_failures) == ([("orders", 1)], 0)


async def test_a_sample_moves_nothing(tmp_path):
    export = Export(tmp_path, after="move")
    export.drop("1.csv", f"orders;1;;{at(0)}")
    for _ in range(2):
        assert len((await export.worker.sample()).payloads) == 1
    assert (tmp_path / "1.csv").exists()
    with pytest.raises(SourceFault):
        await Export(tmp_path / "nowhere").worker.sample()


async def test_a_day_is_lived_without_a_wrong_go(tmp_path):
    folder, doing = tmp_path / "export", {"half": False}
    folder.mkdir()

    def tell(backlog):
        if not folder.exists():
            return
        text = f"{HEADER}\n{QUEUE};{backlog};;{whole.clock.now():%Y-%m-%dT%H:%M:%SZ}\n"
        (folder / "new.tmp").write_text(text[: len(text) // 2] if doing["half"] else text)
        (folder / "new.tmp").rename(folder / f"{whole.clock.now():%H%M%S}.csv")

    happenings = {
        20: lambda: folder.rename(tmp_path / "away"),
        27: lambda: (tmp_path / "away").rename(folder),
        34: lambda: doing.update(half=True),
        40: lambda: doing.update(half=False),
    }
    async with a_whole(tmp_path) as whole:
        table = a_table(folder, after="move", interval_seconds=20, settle_seconds=0, newest_hours=8760)
        _, factory = one("sources[0]", table)
        day = await live_through(whole, factory, tell, happenings, 72)
    assert {12, 15, 58, 67} <= set(day.held)
    assert {25, 26, 38, 39} <= set(day.in_the_dark)
    assert {9, 31, 45, 54, 71} <= set(day.went)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"delimiter": "||"}, "delimiter: '||' is not one character"),
        ({"encoding": "utf-9"}, "encoding: 'utf-9' is not known"),
        ({"after": "burn"}, "after: 'burn' is not known; known are leave, move"),
        ({"mapping": {"rows": "x", **MAPPING}}, "mapping.rows: is not known"),
        ({"folder": 7}, "folder: 7 is not text"),
    ],
)
def test_a_bad_table_is_refused_naming_the_key(values, sentence):
    with pytest.raises(Invalid) as raised:
        configured([a_table("/srv/export") | values])
    assert sentence in str(raised.value)


READ = TRIALS["csv-drop"](Table("sources", a_table("/x")), "export")
CELLS = st.text(st.sampled_from("a1;\"'\n\r:- \x00é"), max_size=12)


@given(st.binary(max_size=80) | CELLS.map(lambda text: f"{HEADER}\n{text}".encode()))
def test_any_bytes_are_read_or_refused(content):
    try:
        lot = READ(content, NOW)
    except TranslateError:
        return
    assert all(isinstance(each, Observation) for each in lot.payloads)
