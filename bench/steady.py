"""Asks at a steady rate, whatever comes back, and counts each answer's time from the instant its ask was due.

A load that waits for answers asks less while a server stalls, and so hides the stall from its percentiles.
`python -m bench.steady URL SECONDS [KEY]` prints what `steady` returns, as JSON: in a process of its own it waits
for nobody's work but the server's.
"""

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections import deque
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.servers import LOAD_CORE, REPOSITORY

PER_SECOND = 500
CONNECTIONS = 16
PATIENCE_SECONDS = 20.0
OK = frozenset({b"200", b"429"})  # go and hold are both answers


class Waits(NamedTuple):
    """Milliseconds from when an ask was due to its answer: the middle, the 99th percentile and the longest."""

    p50_ms: float
    p99_ms: float
    longest_ms: float


def steady(url: str, seconds: float, key: str | None = None) -> Waits:
    """Return how long answers took, asked from a process of its own on the load's core. Raises RuntimeError."""
    command = [sys.executable, "-m", "bench.steady", url, f"{seconds:g}", *([key] if key else [])]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        os.sched_setaffinity(process.pid, {LOAD_CORE})
        report, _ = process.communicate(timeout=seconds + 2 * PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise RuntimeError(f"asking {url} ended with {process.returncode}")
    return Waits(*json.loads(report))


class Asker(asyncio.Protocol):
    """One connection: asks, one at a time, and notes how long each answer took since it was due."""

    def __init__(self, request: bytes, waiting: deque[float], free: set["Asker"], took: list[float]) -> None:
        self._request, self._waiting, self._free, self._took = request, waiting, free, took
        self._buffer = b""
        self._due = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._free.add(self)

    def ask(self, due: float) -> None:
        """Ask now what was due then."""
        assert self.transport
        self._due = due
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not is_whole(self._buffer):
            return
        self._took.append(time.perf_counter() - self._due)
        if self._buffer[9:12] not in OK:
            raise RuntimeError(f"answered {self._buffer[:200]!r}")
        self._buffer = b""
        if self._waiting:
            self.ask(self._waiting.popleft())
        else:
            self._free.add(self)


def is_whole(answer: bytes) -> bool:
    """Return whether an answer is all there; every answer asked for here tells its length."""
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
    return len(body) >= int(length)


async def _measure(url: str, seconds: float, key: str | None) -> Waits:
    place = urlsplit(url)
    assert place.hostname
    assert place.port
    lines = [f"GET {place.path}?{place.query} HTTP/1.1", f"Host: {place.netloc}"]
    lines += [f"Authorization: Bearer {key}"] if key else []
    request = "\r\n".join([*lines, "", ""]).encode()
    waiting, free, took = deque[float](), set[Asker](), list[float]()
    loop = asyncio.get_running_loop()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Asker(request, waiting, free, took), place.hostname, place.port)
    gc.disable()
    begun, asks = time.perf_counter(), round(seconds * PER_SECOND)
    for number in range(asks):
        due = begun + number / PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if free:
            free.pop().ask(due)
        else:
            waiting.append(due)
    patience = time.perf_counter() + PATIENCE_SECONDS
    while len(took) < asks:
        if time.perf_counter() > patience:
            raise RuntimeError(f"{asks - len(took)} of {asks} asks were not answered")
        await asyncio.sleep(0.01)
    return summed_up(took)


def summed_up(took: list[float]) -> Waits:
    """Return the middle, the 99th percentile and the longest of so many seconds, in milliseconds."""
    ranked = sorted(each * 1000 for each in took)
    return Waits(ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.99)], ranked[-1])


if __name__ == "__main__":
    url, seconds, *rest = sys.argv[1:]
    print(json.dumps(asyncio.run(_measure(url, float(seconds), next(iter(rest), None)))))
