"""What thousands of open pages cost: one change a second brought to all of them.

Watchers speak just enough of RFC 6455 to count frames: a real client for each would measure the clients.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx2

from bench.load import quiet_floor
from bench.measuring import data_dir, table
from bench.servers import LOAD_CORE, Holding, busy_seconds, holding, resident_bytes

WATCHERS = (10, 1_000, 3_000)
PER_KEY = 1_000
OPENED_AT_ONCE = 50
SETTLE_SECONDS = 2.0
HEAD_BYTES = 256
OPCODE, NEWS = 0x0F, (1, 2)  # text and binary; pings are not counted
SHORT, LONG = 126, 127  # a payload's length is in the two, or in the eight, bytes that follow


class Cost(NamedTuple):
    """What watchers of one view cost: share of a core, bytes each, bytes of a frame, and when the frames arrived."""

    cores: float
    bytes_each: float
    frame_bytes: int
    p50_ms: float
    p99_ms: float
    last_ms: float


class Watcher(asyncio.Protocol):
    """One open page: asks for the socket, then notes when each frame was whole, and how the last one began."""

    def __init__(self, request: bytes) -> None:
        self._request, self._begun = request, False
        self._buffer = bytearray()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.frames, self.last_at, self.frame_bytes, self.head = 0, 0.0, 0, b""
        self.transport: asyncio.Transport | None = None
        self._wanted: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._begun:
            head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.opened.set_exception(RuntimeError(f"no socket: {head[:200]!r}"))
                return
            self._buffer, self._begun = bytearray(rest), True
        while (size := _whole_frame(self._buffer)) is not None:
            is_news = self._buffer[0] & OPCODE in NEWS
            if is_news:
                self.head = bytes(self._buffer[:HEAD_BYTES])
                self._hand_over(bytes(self._buffer[:size]) if self._wanted else b"")
            del self._buffer[:size]
            if not is_news:
                continue
            self.frames, self.last_at, self.frame_bytes = self.frames + 1, time.perf_counter(), size
            if not self.opened.done():
                self.opened.set_result(None)

    async def next_text(self) -> bytes:
        """Return the JSON text of the next frame."""
        self._wanted = asyncio.get_running_loop().create_future()
        return await self._wanted

    def _hand_over(self, frame: bytes) -> None:
        if self._wanted is not None:
            self._wanted.set_result(frame[frame.index(b'{"') :])
            self._wanted = None

    def close(self) -> None:
        """Hang up."""
        if self.transport:
            self.transport.abort()

    def connection_lost(self, fault: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(fault or RuntimeError("the server hung up"))


def measure(_rounds: int, seconds: float) -> str:
    """Return the table of what watchers cost, by how many there are and what they look at."""
    rows = []
    for view in ("data", "page"):
        for watchers in WATCHERS:
            with ExitStack() as stack:
                server = stack.enter_context(holding(data_dir(stack), keys=-(-watchers // PER_KEY)))
                cost = _on_load_core(server, view, watchers, round(max(10.0, seconds * 4)))
            rows.append(_row(view, watchers, cost))
    heads = ("frames", "watchers", "frame kB", "of a core", "kB each", "p50 ms", "p99 ms", "the last ms")
    return table("Watchers, one change a second", heads, rows)


def _row(view: str, watchers: int, cost: Cost) -> Sequence[str]:
    name = {"data": "plain", "page": "the board's own"}[view]
    delays = (f"{each:.0f}" for each in (cost.p50_ms, cost.p99_ms, cost.last_ms))
    each = f"{cost.bytes_each / 1024:.0f}" if watchers >= PER_KEY else "-"
    return (name, f"{watchers:,}", f"{cost.frame_bytes / 1024:.1f}", f"{cost.cores:.2f}", each, *delays)


def _on_load_core(server: Holding, view: str, watchers: int, changes: int) -> Cost:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        return asyncio.run(_measure(server, view, watchers, changes))
    finally:
        os.sched_setaffinity(0, cores)


async def _measure(server: Holding, view: str, watchers: int, changes: int) -> Cost:
    async with httpx2.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {server.keys[0]}"}) as client:
        await change(client, 0)
        memory = resident_bytes(server.process_id)
        seats = await opened(server, view, watchers)
        try:
            await asyncio.sleep(SETTLE_SECONDS)
            memory = (resident_bytes(server.process_id) - memory) / watchers
            busy, began, delays = busy_seconds(server.process_id), time.perf_counter(), []
            for mark in range(1, changes + 1):
                pace = asyncio.create_task(asyncio.sleep(1.0))
                posted = time.perf_counter()
                await change(client, mark)
                await pace
                delays += [(seat.last_at - posted) * 1000 for seat in seats if seat.last_at > posted]
            cores = (busy_seconds(server.process_id) - busy) / (time.perf_counter() - began)
        finally:
            for seat in seats:
                seat.close()
    if len(delays) < watchers * changes * 0.9:
        raise RuntimeError(
            f"{watchers * changes - len(delays)} of {watchers * changes} frames did not come in a second"
        )
    delays.sort()
    middle, late = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    return Cost(cores, memory, seats[0].frame_bytes, middle, late, delays[-1])


async def opened(server: Holding, view: str, watchers: int) -> list[Watcher]:
    """Return so many watchers, each with its first frame."""
    keys = (server.keys[number // PER_KEY] for number in range(watchers))
    return await connected(server.url, [handshake(urlsplit(server.url).netloc, view, key) for key in keys])


async def connected(url: str, requests: Sequence[bytes]) -> list[Watcher]:
    """Return a watcher for each request, each with its first frame."""
    place = urlsplit(url)
    assert place.hostname
    assert place.port
    loop, seats = asyncio.get_running_loop(), list[Watcher]()
    for start in range(0, len(requests), OPENED_AT_ONCE):
        for request in requests[start : start + OPENED_AT_ONCE]:
            _, seat = await loop.create_connection(partial(Watcher, request), place.hostname, place.port)
            seats.append(seat)
        await asyncio.gather(*(seat.opened for seat in seats[start:]))
    return seats


def handshake(host: str, view: str, key: str) -> bytes:
    """Return the request for a socket."""
    lines = (
        f"GET /api/v1/live?view={view} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: aG9sZGZpcmUgaG9sZGZpcg==",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {key}",
    )
    return "\r\n".join([*lines, "", ""]).encode()


def _whole_frame(buffer: bytearray) -> int | None:
    """Return the length of the first frame of a buffer, None while it is not all there. Servers do not mask."""
    if len(buffer) < 2:  # noqa: PLR2004  what every frame begins with
        return None
    length, head = buffer[1] & 0x7F, 2
    if length in (SHORT, LONG):
        head = 4 if length == SHORT else 10
        length = int.from_bytes(buffer[2:head])
    return head + length if len(buffer) >= head + length else None


async def change(client: httpx2.AsyncClient, mark: int) -> None:
    """Report a quiet floor on which one number has changed."""
    floor = [each | {"backlog": 1 + mark % 2} for each in quiet_floor("feed")]
    answer = await client.post("/api/v1/observations", json=floor)
    answer.raise_for_status()
