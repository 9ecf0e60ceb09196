"""How soon thousands of watchers have a change, against npm's `ws`, which sends the same frame to as many.

Both say in the frame when they made it, so that what is compared is from there until each watcher has all of it; what
holdfire does before (durable, evaluated) is told by the other tables.
"""

import asyncio
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx2

from bench.measuring import data_dir, table
from bench.servers import LOAD_CORE, REPOSITORY, Holding, busy_seconds, holding, resident_bytes, running
from bench.sockets import PER_KEY, Watcher, connected, handshake

WATCHERS = 3_000
CHANGES = 12
SETTLE_SECONDS = 2.0
MODULE = REPOSITORY / ".recipes_cache" / "ws" / "node_modules" / "ws" / "wrapper.mjs"
SCRIPT = Path(__file__).with_suffix(".mjs")
MADE_AT = re.compile(rb'"at":"([^"]+)"')


class Server(NamedTuple):
    """One that brings changes to watchers: where it takes them, which process, and how its sockets are asked for."""

    url: str
    process_id: int
    requests: Sequence[bytes]
    path: str
    body: object
    key: str = ""


class Reach(NamedTuple):
    """Milliseconds from when a frame was made until watchers had it, bytes of memory for each, share of a core."""

    p50_ms: float
    p99_ms: float
    bytes_each: float
    cores: float
    frame_bytes: int


def measure(rounds: int, _seconds: float, watchers: int = WATCHERS) -> str:
    """Return the table of both, in rounds in which they take turns."""
    subprocess.run([REPOSITORY / "scripts" / "recipes.sh", "ws"], check=True)
    ours, theirs = list[Reach](), list[Reach]()
    for _ in range(rounds):
        with ExitStack() as stack:
            folder = data_dir(stack)
            frame = folder / "frame.json"
            with holding(folder, keys=-(-watchers // PER_KEY)) as server:
                reach, text = _on_load_core(_of(server, watchers))
            ours.append(reach)
            frame.write_bytes(text)
            with _npm_ws(frame, watchers) as npm_ws:
                theirs.append(_on_load_core(npm_ws)[0])
    found = {"npm `ws`, one buffer, a send for each": theirs, "**holdfire**, the plain view of one queue": ours}
    middle = {name: Reach(*map(median, zip(*reaches, strict=True))) for name, reaches in found.items()}
    base = next(iter(middle.values()))
    rows = [
        (
            name,
            f"{reach.frame_bytes / 1024:.1f}",
            f"{reach.p50_ms:.0f}",
            f"{reach.p99_ms:.0f}",
            f"{reach.p99_ms / base.p99_ms:.2f}",
            f"{reach.bytes_each / 1024:.1f}",
            f"{reach.cores:.2f}",
        )
        for name, reach in middle.items()
    ]
    heads = (f"{watchers:,} watchers, one change a second", "frame kB", "p50 ms", "p99 ms", "p99 to ws", "kB each")
    return table("From a frame made to all who watch", (*heads, "of a core"), rows)


def _of(server: Holding, watchers: int) -> Server:
    host = urlsplit(server.url).netloc
    requests = [handshake(host, "data", server.keys[number // PER_KEY]) for number in range(watchers)]
    return Server(server.url, server.process_id, requests, "/api/v1/observations", None, server.keys[0])


@contextmanager
def _npm_ws(frame: Path, watchers: int) -> Iterator[Server]:
    with running(["node", str(SCRIPT), str(MODULE), str(frame)]) as (url, process_id):
        requests = [handshake(urlsplit(url).netloc, "data", "none")] * watchers
        yield Server(url, process_id, requests, "/", {})


def _on_load_core(server: Server) -> tuple[Reach, bytes]:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        return asyncio.run(_measure(server))
    finally:
        os.sched_setaffinity(0, cores)


async def _measure(server: Server) -> tuple[Reach, bytes]:
    """Return how a server reaches its watchers, and a frame of its own."""
    headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers) as client:
        await _change(client, server, 0)
        memory = resident_bytes(server.process_id)
        seats = await connected(server.url, server.requests)
        try:
            await asyncio.sleep(SETTLE_SECONDS)
            memory = (resident_bytes(server.process_id) - memory) / len(seats)
            busy, began, delays = busy_seconds(server.process_id), time.perf_counter(), list[float]()
            for mark in range(1, CHANGES + 1):
                pace = asyncio.create_task(asyncio.sleep(1.0))
                before = [seat.frames for seat in seats]
                await _change(client, server, mark)
                await pace
                delays += _delays(seats, before)
            cores = (busy_seconds(server.process_id) - busy) / (time.perf_counter() - began)
            coming = asyncio.create_task(_frame(seats[0]))
            await asyncio.sleep(0)
            await _change(client, server, CHANGES + 1)
            frame = await coming
        finally:
            for seat in seats:
                seat.close()
    if len(delays) < len(seats) * CHANGES * 0.9:
        raise RuntimeError(f"{len(delays)} of {len(seats) * CHANGES} frames came in time")
    delays.sort()
    reach = Reach(median(delays), delays[int(len(delays) * 0.99)], memory, cores, seats[0].frame_bytes)
    return reach, frame


def _delays(seats: Sequence[Watcher], before: Sequence[int]) -> Iterator[float]:
    """Yield, for each watcher that was sent something, how long after it was made the last frame was whole."""
    to_wall = time.time() - time.perf_counter()
    made: dict[bytes, float] = {}
    for seat, frames in zip(seats, before, strict=True):
        if seat.frames > frames:
            if seat.head not in made:
                found = MADE_AT.search(seat.head)
                assert found, f"a frame that does not say when it was made: {seat.head!r}"
                made[seat.head] = datetime.fromisoformat(found[1].decode()).timestamp()
            yield max(0.0, seat.last_at + to_wall - made[seat.head]) * 1000


async def _frame(seat: Watcher) -> bytes:
    """Return the text of the next frame, with a place for the instant it was made."""
    text = await asyncio.wait_for(seat.next_text(), 10)
    return MADE_AT.sub(b'"at":"PLACE"', text, count=1)


async def _change(client: httpx2.AsyncClient, server: Server, mark: int) -> None:
    now = datetime.now(UTC).isoformat()
    floor = {"queue": "orders", "source": "feed", "observed_at": now, "backlog": 1 + mark % 2, "agents_available": 3}
    body = json.dumps([floor] if server.body is None else server.body)
    (await client.post(server.path, content=body, headers={"Content-Type": "application/json"})).raise_for_status()
