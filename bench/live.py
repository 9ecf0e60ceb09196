"""The time from a POST to the WebSocket frame that shows it, while a thousand observations a second come in."""

import asyncio
import json
import os
import time
from datetime import UTC, datetime
from typing import NamedTuple

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from bench.load import quiet_floor
from bench.servers import LOAD_CORE

MARKED_QUEUE = "marked"
POSTS_PER_SECOND = 10
OBSERVATIONS_PER_SECOND = 1_000
SETTLE_SECONDS = 10
WARM_UP_POSTS = 20


class Latency(NamedTuple):
    """Milliseconds from the start of a POST to its frame, and how many POSTs were measured."""

    p50_ms: float
    p99_ms: float
    samples: int


def measure(url: str, key: str, seconds: float) -> Latency:
    """Return the latencies over some seconds. Raises RuntimeError when a POST never showed."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        posts = WARM_UP_POSTS + round(seconds * POSTS_PER_SECOND)
        taken = sorted(asyncio.run(_measure(url, key, posts))[WARM_UP_POSTS:])
    finally:
        os.sched_setaffinity(0, cores)
    return Latency(taken[len(taken) // 2], taken[int(len(taken) * 0.99)], len(taken))


async def _measure(url: str, key: str, posts: int) -> list[float]:
    headers = {"Authorization": f"Bearer {key}"}
    sent: dict[int, float] = {}
    address = f"{url.replace('http', 'ws', 1)}/api/v1/live"
    async with (
        httpx2.AsyncClient(base_url=url, headers=headers) as client,
        connect(address, additional_headers=headers) as socket,
    ):
        watching = asyncio.create_task(_watch(socket, sent, posts))
        for mark in range(1, posts + 1):
            pace = asyncio.create_task(asyncio.sleep(1 / POSTS_PER_SECOND))
            sent[mark] = time.perf_counter()
            answer = await client.post("/api/v1/observations", json=_batch(mark))
            answer.raise_for_status()
            await pace
        return await asyncio.wait_for(watching, SETTLE_SECONDS)


async def _watch(socket: ClientConnection, sent: dict[int, float], posts: int) -> list[float]:
    """Return, for each mark, how long it took until a frame showed it or a later one, in milliseconds."""
    taken: list[float] = []
    async for frame in socket:
        arrived = time.perf_counter()
        shown = _shown(json.loads(frame))
        while len(taken) < shown:
            taken.append((arrived - sent[len(taken) + 1]) * 1000)
        if len(taken) >= posts:
            return taken
    raise RuntimeError(f"the socket closed after {len(taken)} of {posts} marks")


def _shown(frame: dict[str, object]) -> int:
    """Return the mark a frame shows: the backlog of the marked queue; 0 before the first."""
    queues = frame.get("queues")
    assert isinstance(queues, list), f"a frame without queues: {sorted(frame)}"
    for queue in queues:
        if queue["queue"] == MARKED_QUEUE:
            return int(queue["metrics"]["backlog"]["value"])
    return 0


def _batch(mark: int) -> list[dict[str, object]]:
    """Return a tenth of a second's observations, the marked one last."""
    items: list[dict[str, object]] = []
    number = 0
    while len(items) < OBSERVATIONS_PER_SECOND // POSTS_PER_SECOND - 1:
        items += quiet_floor(f"feed-{number}")
        number += 1
    del items[OBSERVATIONS_PER_SECOND // POSTS_PER_SECOND - 1 :]
    marked = {"queue": MARKED_QUEUE, "source": "mark", "observed_at": datetime.now(UTC).isoformat(), "backlog": mark}
    return [*items, marked]
