"""A real holdfire in a process of its own, on a port the system picks, ended by its id."""

import itertools
import os
import queue
import re
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.support.databases import prepare
from tests.support.warm import WarmProcess

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 90
STOP_SECONDS = 60
RUN_SECONDS = 200
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # or each client would read the machine's certificates, unused
# Ports that the system hands to nobody by itself, a part of them for each test process.
PORTS = itertools.count(20_000 + 1_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))


class Server:
    """A started holdfire. `lines` holds what it printed so far, `url` where it answers, `environment` its settings."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str]) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFIRE_")}
        self.environment = environment
        self.process = WarmProcess(arguments, inherited | environment, REPOSITORY)
        self.lines: list[str] = []
        self._fresh: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self.wait_for(r"(http://[\w.\[\]:]+)")[1].rstrip("/")

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)
            self._fresh.put(line)
        self._fresh.put(None)

    def wait_for(self, pattern: str, seconds: float = START_SECONDS) -> re.Match[str]:
        """Return the match in the first new line that has one; fail with all output when none comes in time."""
        while True:
            try:
                line = self._fresh.get(timeout=seconds)
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no line matched {pattern!r}; holdfire printed:\n{''.join(self.lines)}")
            if match := re.search(pattern, line):
                return match

    def client(self, key: str | None = None) -> httpx2.Client:
        """Return an HTTP client for this server; close it after use."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60, verify=NO_TLS)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal, wait for the end, return the exit code."""
        self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        except TimeoutError:
            self.process.kill()
            raise AssertionError(f"holdfire did not end; it printed:\n{''.join(self.lines)}") from None
        finally:
            self._reader.join(5)
            self.process.close()


def a_port() -> str:
    """Return a free port that stays free for who ends there and comes back: nobody is given it by chance meanwhile."""
    for port in PORTS:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        return str(port)
    raise AssertionError("no port is free")


@contextmanager
def a_server(data_dir: Path, *arguments: str, auth: str = "off", **environment: str) -> Iterator[Server]:
    """Yield `holdfire serve` over a data folder; it is ended at the end however the body leaves it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    prepare("sqlite", data_dir)
    server = Server(
        ["serve", "--port", "0", *arguments],
        {"HOLDFIRE_DATA_DIR": str(data_dir), "HOLDFIRE_AUTH": auth} | environment,
    )
    try:
        yield server
    finally:
        server.stop()


def run_cli(*arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one `holdfire` command to its end and return what it printed and its exit code. typed: its standard input."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFIRE_")}
    process = WarmProcess(arguments, inherited | environment, REPOSITORY, apart=True, typed=typed)
    try:
        with ThreadPoolExecutor(1) as beside:
            errors = beside.submit(process.stderr.read)
            printed = process.stdout.read()
        return subprocess.CompletedProcess(arguments, process.wait(RUN_SECONDS), printed, errors.result())
    finally:
        process.kill()
        process.close()
