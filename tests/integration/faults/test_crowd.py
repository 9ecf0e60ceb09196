"""Thousands who are connected and do nothing, or next to nothing: who asks whether to send is answered all the same."""

import asyncio
import os
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.integration.faults.load import note
from tests.support.senders import open_gate
from tests.support.server import Server, a_server

SOCKETS, SLOW = 5_000, 500
OWN_FILES, ENOUGH_FILES = 500, 20_000
OPENED_AT_ONCE = 100
ASKED = 50
MOST_BYTES_EACH = 100_000  # a quarter of it where it is looked at; the rest is room for another allocator
HANDSHAKE = (
    b"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
READINESS = b"GET /api/v1/readiness HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


@pytest.fixture
def files() -> Iterator[int]:
    """Let this process open as many files as it needs and may; return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = max(soft, min(hard, ENOUGH_FILES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    yield files
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Silent(asyncio.Protocol):
    """A peer that says one thing and reads nothing more than the first bytes of the answer."""

    def __init__(self, says: bytes) -> None:
        self._says = says
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._says)

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.pause_reading()
        self.answered.set_result(data)

    def connection_lost(self, fault: Exception | None) -> None:
        if not self.answered.done():
            self.answered.set_exception(fault or ConnectionError("hung up"))


async def open_many(address: tuple[str, int], says: bytes, count: int, *, answered: bool) -> list[Silent]:
    """Return so many peers; answered: each after its first answer, which says that it is a live socket now."""
    loop, peers = asyncio.get_running_loop(), []
    for _ in range(0, count, OPENED_AT_ONCE):
        opened = await asyncio.gather(
            *(loop.create_connection(lambda: Silent(says), *address) for _ in range(OPENED_AT_ONCE))
        )
        peers += [peer for _, peer in opened]
        if answered:
            heads = await asyncio.gather(*(peer.answered for _, peer in opened))
            assert all(head.startswith(b"HTTP/1.1 101 ") for head in heads)
    return peers


async def ask(address: tuple[str, int]) -> tuple[bytes, float]:
    """Return the first line of the answer to a question on a connection of its own, and how long that took."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(*address)
    writer.write(READINESS)
    status = await reader.readline()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return status, time.monotonic() - began


def memory(server: Server) -> int:
    """Return how many bytes a server holds."""
    pages = Path(f"/proc/{server.process.pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_thousands_of_idle_sockets_and_hundreds_that_trickle_keep_nobody_from_an_answer(tmp_path, files):
    with a_server(tmp_path) as server:
        open_gate(server, stale_after_seconds=600)
        parts = urlsplit(server.url)
        address = (str(parts.hostname), int(parts.port or 0))
        sockets = min(SOCKETS, (files - OWN_FILES - SLOW) * 3 // 5)
        before = memory(server)
        took = asyncio.run(crowd(address, sockets))
        each = (memory(server) - before) / (sockets + SLOW)
        note(f"{sockets} sockets, {SLOW} slow heads: {each / 1000:.1f} kB each, answers in {max(took):.3f} s at most")
        assert each < MOST_BYTES_EACH


async def crowd(address: tuple[str, int], sockets: int) -> list[float]:
    """Return how long each question took while all are connected and some say a byte now and then."""
    idle = await open_many(address, HANDSHAKE, sockets, answered=True)
    slow = await open_many(address, READINESS[:30], SLOW, answered=False)
    took = []
    for number in range(ASKED):
        for peer in slow[number::ASKED]:
            assert peer.transport is not None
            peer.transport.write(b"x")
        status, seconds = await ask(address)
        assert status == b"HTTP/1.1 200 OK\r\n"
        took.append(seconds)
    for peer in [*idle, *slow]:
        if peer.transport is not None:
            peer.transport.abort()
        if not peer.answered.done():
            peer.answered.cancel()
    return took
