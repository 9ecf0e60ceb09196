"""A real NATS server with JetStream, Debian's, on loopback: one per test process, and others that a test may break."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

START_SECONDS = 60
FOLDER = "holdfire-nats-"


class Nats:
    """A server with a store of its own, on a port that the system picked; its files are gone when it is removed."""

    def __init__(self, *arguments: str, user: str = "") -> None:
        self._program = _program()
        self._arguments, self._user = arguments, user
        memory = Path("/dev/shm")  # noqa: S108  # a disk in memory; without one the usual temporary folder does
        place = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
        _sweep(place)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-", dir=place))
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def url(self, name: str = "holdfire") -> str:
        """Return the URL of a stream of that name."""
        return f"nats://{f'{self._user}@' if self._user else ''}127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        own = ("-js", "-sd", str(self._folder / "store"), "-a", "127.0.0.1", "-p", str(self.port))
        with (self._folder / "log").open("ab") as log:
            command = ["setpriv", "--pdeathsig", "KILL", self._program, *own, *self._arguments]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, self.log
            assert self._process.poll() is None, self.log
            time.sleep(0.02)

    @property
    def log(self) -> str:
        """Return what the server said."""
        return (self._folder / "log").read_text()

    def stop(self) -> None:
        """Stop it in order."""
        self._end(signal.SIGTERM)

    def crash(self) -> None:
        """Kill it."""
        self._end(signal.SIGKILL)

    def stand_still(self) -> None:
        """Stop it where it is; connections stay open, and nothing answers once this returns."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        tasks = Path("/proc", str(self._process.pid), "task")
        while not all(map(_is_stopped, tasks.iterdir())):
            time.sleep(0.005)

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """Kill it and delete its files."""
        self.crash()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_SECONDS)
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as tried:
                return tried.recv(4) == b"INFO"
        except OSError:
            return False


@cache
def server() -> Nats:
    """Return this process's server, started when first asked for and removed when the process ends."""
    made = Nats()
    atexit.register(made.remove)
    made.start()
    return made


def stream_of(folder: Path) -> str:
    """Return the URL of a folder's stream; the same folder gives the same one."""
    return server().url(f"t{sha256(str(folder).encode()).hexdigest()[:20]}")


def _sweep(place: Path) -> None:
    """Delete the files of servers whose test process was killed: they would fill the disk in memory."""
    for left in place.glob(f"{FOLDER}*"):
        if not Path("/proc", left.name.removeprefix(FOLDER).split("-")[0]).exists():
            shutil.rmtree(left, ignore_errors=True)


def _is_stopped(task: Path) -> bool:
    """Return whether a thread is stopped, or gone."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0] in "Tt"
    except OSError:
        return True


def _program() -> str:
    """Return the server's program; skip the test where Debian's package is not installed."""
    found = shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip("needs Debian's package nats-server")
    return found
