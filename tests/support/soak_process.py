"""The process under a soak: started, killed, looked at from outside, and kept from its disk."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.support.server import REPOSITORY

TABLES = ("observations", "rollup_minutes", "rollup_hours", "decisions", "events", "permits", "outlooks")


class Sample(NamedTuple):
    """How it stood at a step. life: how often it had been started. rows: of some tables."""

    step: int
    life: int
    memory_bytes: int
    files: int
    database_bytes: int
    log_bytes: int
    rows: dict[str, int]


class Process:
    """One holdfire over a folder, again and again."""

    def __init__(self, folder: Path, port: int, raw_days: float) -> None:
        self.folder, self.port, self.life = folder, port, 0
        self.lines: list[str] = []  # what it printed
        self._raw_days = raw_days
        self._reader: threading.Thread
        self._popen: subprocess.Popen[str] | None = None

    @property
    def database(self) -> Path:
        return self.folder / "holdfire.db"

    @property
    def pid(self) -> int:
        assert self._popen is not None
        return self._popen.pid

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.support.soak_server", self.folder, self.port, self._raw_days]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFIRE_")}
        self._popen = subprocess.Popen(
            [str(each) for each in command],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=[self._popen.stdout], daemon=True)
        self._reader.start()
        self.life += 1

    def _read(self, printed: Iterable[str]) -> None:
        self.lines.extend(printed)

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal and wait for the end; what has ended stays ended."""
        if self._popen is None:
            return
        self._popen.send_signal(number)
        try:
            self._popen.wait(60)
        finally:
            self._popen.kill()
            self._reader.join(10)
            if self._popen.stdout is not None:
                self._popen.stdout.close()
            self._popen = None

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Let none of its files be written."""
        before = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (1, before[1]))
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                resource.prlimit(self.pid, resource.RLIMIT_FSIZE, before)

    def lock(self, seconds: float) -> None:
        """Keep everybody else from writing to the database for so long."""
        with closing(sqlite3.connect(self.database, timeout=60, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            database.execute("ROLLBACK")

    def sample(self, step: int) -> Sample:
        process = Path(f"/proc/{self.pid}")
        pages = int((process / "statm").read_text(encoding="ascii").split()[1])
        with closing(sqlite3.connect(self.database, timeout=60)) as database:
            rows = {name: _count(database, name) for name in TABLES}
        return Sample(
            step=step,
            life=self.life,
            memory_bytes=pages * os.sysconf("SC_PAGE_SIZE"),
            files=len(list((process / "fd").iterdir())),
            database_bytes=self.database.stat().st_size,
            log_bytes=sum(path.stat().st_size for path in self.folder.glob("holdfire.db-*")),
            rows=rows,
        )


def _count(database: sqlite3.Connection, table: str) -> int:
    return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own names
