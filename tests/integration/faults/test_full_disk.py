"""A disk that is full under load: nothing is acknowledged that is not kept, all is well again once there is room.

Two ways to be full: files that may not grow (an error of its own, and part of a write may be there), and a small file
system that has no block left, where this process may mount one; elsewhere the first way stands for both.
"""

import random
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.faults.load import UNAVAILABLE, Load, a_load, note
from tests.support.found import find, url_of
from tests.support.reference import faults
from tests.support.server import Server, a_server
from tests.support.shell import wait_until
from tests.support.told import OK, Client, now_us

SEED = 11
ROOM_BYTES = 16 * 1024 * 1024
Full = Callable[[Server, int], AbstractContextManager[None]]


@contextmanager
def no_growth(server: Server, left: int) -> Iterator[None]:
    """Let no file of the server's be written beyond so many bytes."""
    before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1 + left, before[1]))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def no_block(server: Server, left: int) -> Iterator[None]:
    """Fill the file system that the server writes to, all but `left` bytes."""
    filler = Path(server.environment["HOLDFIRE_DATA_DIR"]) / "filler"
    with filler.open("wb", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(bytes(4_096))
        file.truncate(file.tell() - left)
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture(params=["no-growth", "no-block"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Full]]:
    """Yield a folder to serve from, and what fills it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM_BYTES}", "tmpfs", str(folder)]
    if request.param == "no-growth" or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        yield folder, no_growth
        return
    yield folder, no_block
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_under_load_loses_nothing_answers_503_and_heals(disk):
    note(f"seed {SEED}")
    (folder, full), chance = disk, random.Random(SEED)
    with a_server(folder) as server, a_load(server.url, SEED) as load:
        load.wait_for(chance.randint(5, 30))
        with full(server, chance.randint(0, 20_000)):
            see_it_refuse(server, load)
            ended = now_us()
        load.recovered("a full disk", ended)
        load.end()
        assert faults(find(url_of(folder)), load.told) == []
        with full(server, 0):
            server.stop()
    with a_server(folder) as server, Client(server.url, load.told) as client:
        told = {"queue": "queue-0", "source": "acd", "observed_at": datetime.now(UTC).isoformat(), "backlog": 0}
        answer = client.report(told)
        assert answer is not None
        assert answer.json()["accepted"] == 1
    assert faults(find(url_of(folder)), load.told) == []


def see_it_refuse(server: Server, load: Load) -> None:
    """Return once each source was refused, the gate says that it cannot know, and that could not be written down."""
    full_us, said = now_us(), len(server.lines)
    wait_until(lambda: all(writer.refused_us > full_us for writer in load.writers), "each report to be refused")
    with server.client() as client:
        wait_until(lambda: client.get("/api/v1/readiness").status_code == UNAVAILABLE, "the gate to be unknown")
        wait_until(lambda: "checkpoint_failed" in "".join(server.lines[said:]), "the checkpoint to fail")
        assert client.get("/livez").status_code == OK
        assert client.post("/api/v1/permits", json={"gate": "default", "audience": 1}).status_code == UNAVAILABLE
