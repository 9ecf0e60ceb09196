"""Starts the programs under test as processes of their own, on one core, and ends them by their id."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2

REPOSITORY = Path(__file__).resolve().parents[1]
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PATIENCE_SECONDS = 600.0
SCOPES = ("ingest", "readiness", "read", "permits", "policies", "admin")


class Holding(NamedTuple):
    """A whole holdfire that runs: where, which process, keys that may do everything, and when it was started."""

    url: str
    process_id: int
    keys: Sequence[str]
    started: float = 0.0


@contextmanager
def serving(command: Sequence[str], environment: Mapping[str, str], core: int = SERVER_CORE) -> Iterator[str]:
    """Yield the URL that a server prints once it listens; end the server afterwards."""
    with running([sys.executable, "-m", *command], environment, core) as (url, _):
        yield url


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str] = {}, core: int = SERVER_CORE
) -> Iterator[tuple[str, int]]:
    """Yield the URL that any program prints once it listens, and its process; end it afterwards."""
    with started(command, environment, core) as process:
        yield _url_of(process, command), process.pid


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str], core: int, log: Path | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Yield a program that was started on a core; end it afterwards. log: where it writes to, None: to us."""
    with ExitStack() as stack:
        out = subprocess.PIPE if log is None else stack.enter_context(log.open("w"))
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**_clean(), **environment},
            stdout=out,
            stderr=None if log is None else subprocess.STDOUT,
            text=True,
        )
        os.sched_setaffinity(process.pid, {core})
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()


@contextmanager
def baseline(kind: str, size: int) -> Iterator[str]:
    """Yield the URL of one of bench.baselines, whose answer has that many bytes."""
    with serving(["bench.baselines", kind, str(size)], {}) as url:
        yield f"{url}/answer"


@contextmanager
def holdfire(data_dir: Path, environment: Mapping[str, str] = {}) -> Iterator[tuple[str, str]]:
    """Yield the URL of a whole holdfire over a data folder, and a key for it."""
    with holding(data_dir, environment) as found:
        yield found.url, found.keys[0]


@contextmanager
def holding(data_dir: Path, environment: Mapping[str, str] = {}, keys: int = 1) -> Iterator[Holding]:
    """Yield a whole holdfire over a data folder, with so many keys."""
    environment = {"HOLDFIRE_DATA_DIR": str(data_dir), "HOLDFIRE_LOG_LEVEL": "warning", **environment}
    made = [_make_key(environment) for _ in range(keys)]
    started = time.perf_counter()
    command = [sys.executable, "-m", "app", "serve", "--port", "0"]
    with running(command, environment) as (url, process_id):
        yield Holding(url, process_id, made, started)


def answering_after(server: Holding) -> float:
    """Return after how many seconds from its start a server gave its first answer that stands on an evaluation."""
    patience = server.started + PATIENCE_SECONDS
    with httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.keys[0]}"}) as client:
        while time.perf_counter() < patience:
            try:
                answer = client.get("/api/v1/readiness")
            except httpx2.TransportError:
                time.sleep(0.005)
                continue
            if b"data_starting" not in answer.content:
                return time.perf_counter() - server.started
    raise RuntimeError(f"no answer within {PATIENCE_SECONDS:g} s")


def busy_seconds(process_id: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def resident_bytes(process_id: int) -> float:
    """Return the bytes of memory that a process holds."""
    return int(Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES


def _make_key(environment: Mapping[str, str]) -> str:
    scopes = [argument for scope in SCOPES for argument in ("--scope", scope)]
    made = subprocess.run(
        [sys.executable, "-m", "app.cli", "keys", "create", "bench", *scopes, "--json"],
        cwd=REPOSITORY,
        env={**_clean(), **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return str(json.loads(made.stdout)["key"])


def _clean() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFIRE_")}
    return kept | {"PYTHONUNBUFFERED": "1"}


def _url_of(process: "subprocess.Popen[str]", command: Sequence[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if match := re.search(r"http://[\w.\[\]:]+", line):
            return match[0].rstrip("/")
    raise RuntimeError(f"{' '.join(command)} ended with {process.wait()} before it listened")
