"""How readiness fares as an installation grows: queues, gates, sockets, stored observations.

One axis at a time, all else small. A process asks at a steady rate, so that a stall is seen by all who asked during it
(bench.steady); meanwhile a hundred observations a second come in, whatever the size: what differs is what is there.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from statistics import median
from typing import NamedTuple

import httpx2

from app.store.migrate import migrate
from bench import observed, sockets
from bench.measuring import data_dir, table
from bench.servers import LOAD_CORE, Holding, answering_after, baseline, busy_seconds, holding
from bench.steady import Waits, steady

QUEUES = (10, 100, 1_000, 10_000)
GATES = (1, 20, 200)
SOCKETS = (10, 1_000, 5_000)
STORED = (100_000, 1_000_000, 10_000_000)
FEW_QUEUES = 50
PER_POST, POSTS_PER_SECOND = 10, 10
PER_FIRST_POST = 1_000
WARM_UP_SECONDS = 2.0
PATIENCE_SECONDS = 30.0
QUERY = "/api/v1/readiness?gate=default"
SIZE = 600  # bytes of a usual answer
RULES = [
    {"metric": "backlog", "hold_above": 10},
    {"metric": "oldest_wait_seconds", "hold_above": 60},
    {"metric": "agents_available", "hold_below": 1},
]


class Fared(NamedTuple):
    """What readiness did at one size. cores: the server's share of one, all its work included."""

    waits: Waits
    cores: float
    more: str = ""


Sizes = Iterator[tuple[int, Fared]]


def measure(rounds: int, seconds: float) -> str:
    """Return the table of all axes, with the least a server could do in the same run as its first row."""
    floor = _floor(rounds, seconds)
    axes = {
        "queues that the gate watches": _queues(rounds, seconds),
        f"gates that watch {FEW_QUEUES} queues": _gates(rounds, seconds),
        "sockets of the board's own view": _sockets(rounds, seconds),
        "observations stored": _stored(rounds, seconds),
    }
    rows: list[Sequence[str]] = [("bare ASGI callable", "", *_figures(floor), "", "", "", "")]
    for axis, sizes in axes.items():
        smallest: Fared | None = None
        for size, found in sizes:
            smallest = smallest or found
            grown, to_bare = (f"{found.waits.p99_ms / than.p99_ms:.2f}" for than in (smallest.waits, floor))
            figures = _figures(found.waits)
            rows.append((axis, f"{size:,}", *figures, grown, to_bare, f"{found.cores:.2f}", found.more))
    heads = ("what grows", "to", "p50 ms", "p99 ms", "longest ms", "p99 to the smallest", "to bare", "of a core", "")
    return table("Readiness as it grows", heads, rows)


def _figures(waits: Waits) -> tuple[str, str, str]:
    return f"{waits.p50_ms:.1f}", f"{waits.p99_ms:.1f}", f"{waits.longest_ms:.0f}"


def _floor(rounds: int, seconds: float) -> Waits:
    with baseline("raw", SIZE) as url:
        steady(url, WARM_UP_SECONDS)
        return _middle([steady(url, seconds) for _ in range(rounds)])


def _middle(waits: Sequence[Waits]) -> Waits:
    return Waits(*map(median, zip(*waits, strict=True)))


def _asked(server: Holding, queues: int, rounds: int, seconds: float) -> Fared:
    """Return how readiness fares on a server that is as large as it is to be."""
    url, key = f"{server.url}{QUERY}", server.keys[0]
    with feeding(server, queues):
        steady(url, WARM_UP_SECONDS, key)
        busy, began = busy_seconds(server.process_id), time.perf_counter()
        waits = _middle([steady(url, seconds, key) for _ in range(rounds)])
        cores = (busy_seconds(server.process_id) - busy) / (time.perf_counter() - began)
    return Fared(waits, cores)


def _queues(rounds: int, seconds: float) -> Sizes:
    for queues in QUEUES:
        with ExitStack() as stack:
            server = stack.enter_context(holding(data_dir(stack)))
            open_gates(server, queues, ["default"])
            yield queues, _asked(server, queues, rounds, seconds)


def _gates(rounds: int, seconds: float) -> Sizes:
    for gates in GATES:
        with ExitStack() as stack:
            server = stack.enter_context(holding(data_dir(stack)))
            open_gates(server, FEW_QUEUES, ["default", *(f"gate-{number}" for number in range(1, gates))])
            yield gates, _asked(server, FEW_QUEUES, rounds, seconds)


def _sockets(rounds: int, seconds: float) -> Sizes:
    for watchers in SOCKETS:
        with ExitStack() as stack:
            server = stack.enter_context(holding(data_dir(stack), keys=-(-watchers // sockets.PER_KEY)))
            open_gates(server, FEW_QUEUES, ["default"])
            stack.enter_context(_watched(server, watchers))
            yield watchers, _asked(server, FEW_QUEUES, rounds, seconds)


def _stored(rounds: int, seconds: float) -> Sizes:
    with ExitStack() as stack:
        empty = answering_after(stack.enter_context(holding(data_dir(stack))))
    for stored in STORED:
        with ExitStack() as stack:
            folder = data_dir(stack)
            migrate(f"sqlite:///{folder}/holdfire.db")
            observed.fill(folder / "holdfire.db", stored, FEW_QUEUES)
            server = stack.enter_context(holding(folder))
            started = answering_after(server)
            open_gates(server, FEW_QUEUES, ["default"])
            found = _asked(server, FEW_QUEUES, rounds, seconds)
            more = f"answered {started:.1f} s after its start, {started / empty:.2f} of what an empty one takes"
            yield stored, found._replace(more=more)


def open_gates(server: Holding, queues: int, gates: Sequence[str]) -> None:
    """Report all queues once and save the gates' policy, then wait until the default gate decides by it."""
    with _client(server) as client:
        for first in range(0, queues, PER_FIRST_POST):
            report(client, range(first, min(queues, first + PER_FIRST_POST)))
        policy = {"queues": ["*"], "rules": RULES, "stale_after_seconds": 3_600}
        for gate in gates:
            if gate != "default":
                client.post("/api/v1/gates", json={"name": gate}).raise_for_status()
            path = f"/api/v1/gates/{gate}/policy"
            version = client.get(path).headers.get("etag")
            expected = {"If-Match": version} if version else {"If-None-Match": "*"}
            client.put(path, json=policy, headers=expected).raise_for_status()
        patience = time.monotonic() + PATIENCE_SECONDS
        while client.get(QUERY).status_code != httpx2.codes.OK:
            if time.monotonic() > patience:
                raise RuntimeError(f"{gates[0]} did not open: {client.get(QUERY).text}")
            time.sleep(0.05)


def _client(server: Holding) -> httpx2.Client:
    return httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.keys[0]}"}, timeout=30)


def report(client: httpx2.Client, numbers: Sequence[int], backlog: int | None = None) -> None:
    """Report queues that are well, but for the backlog where one is given."""
    now = datetime.now(UTC).isoformat()
    floor = {"oldest_wait_seconds": 4.0, "agents_staffed": 40, "agents_available": 3, "agents_busy": 36}
    items = [
        {
            "queue": f"queue-{number}",
            "source": "feed",
            "observed_at": now,
            "backlog": number % 3 if backlog is None else backlog,
            **floor,
        }
        for number in numbers
    ]
    client.post("/api/v1/observations", json=items).raise_for_status()


@contextmanager
def feeding(server: Holding, queues: int) -> Iterator[None]:
    """Report a few queues at a time, all of them in turn, while the body runs."""

    def feed(stop: threading.Event) -> None:
        with _client(server) as client:
            first = 0
            while not stop.wait(1 / POSTS_PER_SECOND):
                report(client, [number % queues for number in range(first, first + min(queues, PER_POST))])
                first += PER_POST

    with _beside(feed):
        yield


@contextmanager
def _watched(server: Holding, watchers: int) -> Iterator[None]:
    """Keep so many sockets open and read what they are sent while the body runs."""
    are_open = threading.Event()

    def watch(stop: threading.Event) -> None:
        asyncio.run(_watch(server, watchers, are_open, stop))

    with _beside(watch):
        if not are_open.wait(PATIENCE_SECONDS * 6):
            raise RuntimeError(f"{watchers} sockets did not open")
        yield


async def _watch(server: Holding, watchers: int, are_open: threading.Event, stop: threading.Event) -> None:
    seats = await sockets.opened(server, "page", watchers)
    are_open.set()
    try:
        await asyncio.to_thread(stop.wait)
    finally:
        for seat in seats:
            seat.close()


@contextmanager
def _beside(job: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run a job on the load's core while the body runs; what went wrong in it is raised at the end."""
    stop, faults = threading.Event(), list[Exception]()

    def run() -> None:
        os.sched_setaffinity(0, {LOAD_CORE})  # of this thread only
        try:
            job(stop)
        except Exception as fault:  # noqa: BLE001  raised below, by who waits
            faults.append(fault)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if faults:
        raise faults[0]
