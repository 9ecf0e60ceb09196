"""Loads: wrk for requests per second, and a steady feed of observations beside it."""

import os
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx2

from bench.servers import LOAD_CORE

CONNECTIONS = 16
FEED_QUEUES = 10
FEED_PAUSE_SECONDS = 0.1
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
INGEST_SCRIPT = Path(__file__).with_name("ingest.lua")


class Rate(NamedTuple):
    """What one round of load achieved: requests a second, and the 99th percentile of their latency."""

    per_second: float
    p99_ms: float


def wrk(
    url: str,
    seconds: float,
    key: str | None = None,
    script: Path | None = None,
    environment: Mapping[str, str] = {},
    *,
    connections: int = CONNECTIONS,
) -> Rate:
    """Load a URL for some seconds. Raises RuntimeError when an answer is not 2xx or a connection fails."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "--latency"]
    if key:
        command += ["-H", f"Authorization: Bearer {key}"]
    if script:
        command += ["-s", str(script)]
    process = subprocess.Popen(
        [*command, url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment}
    )
    os.sched_setaffinity(process.pid, {LOAD_CORE})
    report, _ = process.communicate()
    if process.returncode or "Non-2xx" in report or "Socket errors" in report:
        raise RuntimeError(f"the load on {url} went wrong:\n{report}")
    return _read(report)


def _read(report: str) -> Rate:
    rate = re.search(r"Requests/sec:\s+([\d.]+)", report)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", report)
    if not rate or not slow:
        raise RuntimeError(f"wrk printed no result:\n{report}")
    return Rate(float(rate[1]), float(slow[1]) * MILLISECONDS[slow[2]])


def ingest(url: str, seconds: float, batch: int, key: str | None = None, connections: int = CONNECTIONS) -> Rate:
    """Load an ingest endpoint with fresh observations, none of which was sent before. The rate is of observations."""
    begin = datetime.now(UTC).timestamp() - 120
    environment = {"BATCH": str(batch), "BEGIN": f"{begin:.0f}", "SOURCE": f"load-{os.urandom(3).hex()}"}
    done = wrk(url, seconds, key, INGEST_SCRIPT, environment, connections=connections)
    return Rate(done.per_second * batch, done.p99_ms)


def quiet_floor(source: str) -> list[dict[str, object]]:
    """Return one observation per queue of a floor on which all is well, observed now."""
    now = datetime.now(UTC).isoformat()
    return [
        {
            "queue": f"queue-{number}",
            "source": source,
            "observed_at": now,
            "backlog": 1,
            "oldest_wait_seconds": 4.0,
            "agents_staffed": 40,
            "agents_available": 3,
            "agents_busy": 36,
        }
        for number in range(FEED_QUEUES)
    ]


@contextmanager
def feeding(url: str, key: str) -> Iterator[None]:
    """Report a quiet floor ten times a second while the body runs."""
    stop = threading.Event()
    faults: list[Exception] = []
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
        report(client)

        def keep_reporting() -> None:
            try:
                while not stop.wait(FEED_PAUSE_SECONDS):
                    report(client)
            except (httpx2.HTTPError, RuntimeError) as fault:
                faults.append(fault)

        feeder = threading.Thread(target=keep_reporting)
        feeder.start()
        try:
            yield
        finally:
            stop.set()
            feeder.join()
    if faults:
        raise faults[0]


def report(client: httpx2.Client) -> None:
    """Send one observation per queue of the quiet floor."""
    answer = client.post("/api/v1/observations", json=quiet_floor("feed"))
    if answer.status_code != httpx2.codes.OK:
        raise RuntimeError(f"the feed was answered {answer.status_code}: {answer.text}")
