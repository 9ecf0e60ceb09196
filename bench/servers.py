"""Starts the programs under test as processes of their own, on one core, and ends them by their id."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[1]
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
SCOPES = ("ingest", "readiness", "read", "permits", "policies", "admin")


class Holding(NamedTuple):
    """A whole holdfire that runs: where, which process, and keys that may do everything."""

    url: str
    process_id: int
    keys: Sequence[str]


@contextmanager
def serving(command: Sequence[str], environment: Mapping[str, str], core: int = SERVER_CORE) -> Iterator[str]:
    """Yield the URL that a server prints once it listens; end the server afterwards."""
    with _started(command, environment, core) as (url, _):
        yield url


@contextmanager
def _started(command: Sequence[str], environment: Mapping[str, str], core: int) -> Iterator[tuple[str, int]]:
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=REPOSITORY,
        env={**_clean(), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    os.sched_setaffinity(process.pid, {core})
    try:
        yield _url_of(process, command), process.pid
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
    with _started(["app.cli", "serve", "--port", "0"], environment, SERVER_CORE) as (url, process_id):
        yield Holding(url, process_id, made)


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
