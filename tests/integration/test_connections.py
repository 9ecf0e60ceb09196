"""A server that nobody can keep waiting: what comes too slowly or too long ends, and who asks always finds room."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import NamedTuple

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send
from uvicorn.server import ServerState

from app.commands.connections import (
    MAX_HEAD_BYTES,
    MAX_REQUESTS_AHEAD,
    MOST_FILES,
    Awaited,
    PatientProtocol,
    Room,
    raise_file_limit,
    room_for,
    shortage,
)

WHOLE = b"GET /plain HTTP/1.1\r\nHost: holdfire\r\n\r\n"
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: holdfire\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
HALF = b"GET /plain HTTP/1.1\r\nHost: hold"
PATIENCE_SECONDS = 30
PARTS = {"/large": (1_000_000, 50), "/whole": (50_000_000, 1)}  # bytes of a part of an answer, and how many parts


class Peer(NamedTuple):
    """The other end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def says(self, data: bytes) -> bytes:
        """Send something and return what begins the answer."""
        self.writer.write(data)
        await self.writer.drain()
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.read(65_536)

    async def has_ended(self) -> bool:
        """Read to the end, which has to come."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.reader.read()
        except ConnectionResetError:
            pass
        return True


class Served:
    """A server whose room and connections a test can see; its application answers what the path says."""

    def __init__(self, most: int) -> None:
        self.room, self.state = Room(most), ServerState()
        self.config = uvicorn.Config(self.answer, log_config=None, interface="asgi3", timeout_keep_alive=60)
        self.go_on = asyncio.Event()
        self.disconnected = asyncio.Event()
        self.port = 0
        self.peers: list[Peer] = []

    @property
    def connections(self) -> list[PatientProtocol]:
        return [each for each in self.state.connections if isinstance(each, PatientProtocol)]

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    while True:
                        await send({"type": "websocket.send", "bytes": b"x" * 1_000_000})
            return
        message: Message = {"more_body": scope["method"] == "POST"}
        while message.get("more_body"):
            message = await receive()
        if message.get("type") == "http.disconnect":
            self.disconnected.set()
            return
        if scope["path"] == "/slow":
            await self.go_on.wait()
        part, parts = PARTS.get(scope["path"], (5, 1))
        headers = [(b"content-length", b"%d" % (part * parts))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number in range(parts):
            await send({"type": "http.response.body", "body": b"x" * part, "more_body": number < parts - 1})

    async def peer(self) -> Peer:
        """Return a new connection, once the server has it."""
        before = self.connections
        peer = await self.stranger()
        await self.until(lambda: any(each not in before for each in self.connections))
        return peer

    async def stranger(self) -> Peer:
        """Return a new connection, whatever the server makes of it."""
        self.peers.append(Peer(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.peers[-1]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once it is so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_so():  # noqa: ASYNC110  # there is nothing to wait for
                await asyncio.sleep(0.005)

    async def until_nothing_moves(self, connection: PatientProtocol) -> None:
        """Return once the peer of a connection takes no more of its answer."""
        unsent = -1
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not connection.flow.write_paused or unsent != connection.transport.get_write_buffer_size():
                unsent = connection.transport.get_write_buffer_size()
                await asyncio.sleep(0.1)

    def after(self, seconds: float) -> None:
        """Look at the connections as they are, and again as if so many seconds had passed."""
        now = time.monotonic()
        self.room.sweep(self.state.connections, now)
        self.room.sweep(self.state.connections, now + seconds)


@asynccontextmanager
async def serving(most: int = 100) -> AsyncIterator[Served]:
    served = Served(most)
    make = partial(PatientProtocol, served.room, config=served.config, server_state=served.state, app_state={})
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        served.go_on.set()
        server.close()
        for peer in served.peers:
            peer.writer.transport.abort()
        await served.until(lambda: not served.connections)


def is_in_head(served: Served) -> bool:
    (connection,) = served.connections
    wait = connection.wait(0)
    return wait is not None and wait.awaited is Awaited.HEAD


async def test_a_request_whose_head_never_gets_whole_is_refused_when_its_time_is_over():
    async with serving() as served:
        slow, silent = await served.peer(), await served.peer()
        slow.writer.write(HALF)
        await served.until(lambda: sum(each.scope is not None for each in served.connections) == 1)
        served.after(Awaited.HEAD.seconds - 1)
        assert len(served.connections) == 2
        served.after(Awaited.HEAD.seconds)
        assert (await slow.says(b"f")).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert await slow.has_ended()
        assert await silent.has_ended()


async def test_a_byte_now_and_then_gains_no_time_and_a_new_request_does():
    async with serving() as served:
        peer = await served.peer()
        now = time.monotonic()
        for number in range(3):
            assert (await peer.says(WHOLE)).startswith(b"HTTP/1.1 200")
            peer.writer.write(HALF)
            await served.until(lambda: is_in_head(served))
            served.room.sweep(served.connections, now + number * 20)
            assert (await peer.says(WHOLE[len(HALF) :])).startswith(b"HTTP/1.1 200")
        peer.writer.write(HALF)
        await served.until(lambda: is_in_head(served))
        served.room.sweep(served.connections, now + 70)
        peer.writer.write(b"f")
        served.room.sweep(served.connections, now + 70 + Awaited.HEAD.seconds)
        assert await peer.has_ended()


async def test_a_body_that_never_gets_whole_ends_and_its_request_hears_of_that():
    async with serving() as served:
        peer = await served.peer()
        peer.writer.write(b"POST /plain HTTP/1.1\r\nHost: holdfire\r\nContent-Length: 10\r\n\r\nfive!")
        await served.until(lambda: bool(served.state.tasks))
        served.after(Awaited.BODY.seconds - 1)
        assert not served.disconnected.is_set()
        served.after(Awaited.BODY.seconds)
        assert await peer.has_ended()
        await asyncio.wait_for(served.disconnected.wait(), PATIENCE_SECONDS)


async def test_line_ends_after_an_answer_keep_nothing_open():
    async with serving() as served:
        peer = await served.peer()
        assert (await peer.says(WHOLE)).startswith(b"HTTP/1.1 200")
        peer.writer.write(b"\r\n")
        (connection,) = served.connections
        await served.until(lambda: connection.timeout_keep_alive_task is None)
        served.after(Awaited.NEXT.seconds)
        assert await peer.has_ended()


@pytest.mark.parametrize(
    ("request_", "awaited"),
    [
        (WHOLE.replace(b"/plain", b"/large"), Awaited.READ),
        (WHOLE.replace(b"/plain", b"/whole").replace(b"Host", b"Connection: close\r\nHost"), Awaited.CLOSE),
    ],
    ids=["in parts", "before the end"],
)
async def test_an_answer_that_nobody_takes_ends_and_one_that_is_taken_slowly_does_not(request_, awaited):
    async with serving() as served:
        peer = await served.peer()
        peer.writer.write(request_)
        (connection,) = served.connections
        await served.until(lambda: connection.flow.write_paused)
        now, size = time.monotonic(), connection.transport.get_write_buffer_size
        for number in range(3):
            unsent = size()
            served.room.sweep(served.connections, now + number * (awaited.seconds - 1))
            while size() == unsent:
                await peer.reader.read(65_536)
        assert served.connections == [connection]
        await served.until_nothing_moves(connection)
        served.after(10 * awaited.seconds)
        assert await peer.has_ended()


async def test_a_socket_that_takes_no_frame_ends_though_its_last_bytes_are_never_taken():
    async with serving() as served:
        peer = await served.peer()
        peer.writer.write(HANDSHAKE)
        assert (await peer.reader.readline()).startswith(b"HTTP/1.1 101 ")
        await served.until(lambda: any(each.transport.is_closing() for each in served.state.connections))
        served.after(Awaited.CLOSE.seconds)
        await served.until(lambda: not served.state.connections)


async def test_a_head_without_end_is_refused_before_it_fills_the_memory():
    async with serving() as served:
        peer = await served.peer()
        head = WHOLE[:-2] + b"X-Long: " + b"x" * MAX_HEAD_BYTES
        assert (await peer.says(head)).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
        assert await peer.has_ended()


async def test_requests_sent_far_ahead_of_their_answers_end_the_connection():
    async with serving() as served:
        peer = await served.peer()
        peer.writer.write(WHOLE.replace(b"/plain", b"/slow") + WHOLE * (MAX_REQUESTS_AHEAD + 1))
        assert await peer.has_ended()


async def test_who_is_being_answered_or_idle_between_requests_is_left_alone():
    async with serving() as served:
        answered, idle = await served.peer(), await served.peer()
        answered.writer.write(WHOLE.replace(b"/plain", b"/slow"))
        await served.until(lambda: bool(served.state.tasks))
        await idle.says(WHOLE)
        served.after(1_000)
        assert (await idle.says(WHOLE)).startswith(b"HTTP/1.1 200")
        served.go_on.set()
        assert (await answered.says(b"")).startswith(b"HTTP/1.1 200")


async def test_when_there_is_no_room_the_oldest_that_asked_nothing_goes_then_the_oldest_that_is_idle():
    async with serving(most=4) as served:
        idle, busy, first, second = [await served.peer() for _ in range(4)]
        await idle.says(WHOLE)
        busy.writer.write(WHOLE.replace(b"/plain", b"/slow"))
        await served.until(lambda: bool(served.state.tasks))
        for gone in (first, second):
            newcomer = await served.peer()
            assert await gone.has_ended()
            assert (await newcomer.says(WHOLE)).startswith(b"HTTP/1.1 200")
        assert (await (await served.peer()).says(WHOLE)).startswith(b"HTTP/1.1 200")
        assert await idle.has_ended()
        served.go_on.set()
        assert (await busy.says(b"")).startswith(b"HTTP/1.1 200")


async def test_when_all_are_busy_the_newcomer_goes():
    async with serving(most=1) as served:
        busy = await served.peer()
        busy.writer.write(WHOLE.replace(b"/plain", b"/slow"))
        await served.until(lambda: bool(served.state.tasks))
        assert await (await served.stranger()).has_ended()
        served.go_on.set()
        assert (await busy.says(b"")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(("files", "most"), [(256, 192), (1_024, 768), (4_096, 3_840), (1_000_000, 16_384)])
def test_some_of_the_files_a_process_may_open_are_left_for_what_is_no_connection(files, most):
    assert room_for(files) == most


def test_a_process_that_may_open_few_files_says_what_that_means_and_what_to_do():
    sentence = shortage(1_024)
    assert sentence is not None
    assert "only 1,024 files, so it keeps at most 768 connections" in sentence
    assert "ulimit -n" in sentence
    assert shortage(20_000) is None


def test_as_many_files_as_this_process_may_open_are_asked_for_up_to_what_is_of_use():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1_024), hard))
    try:
        assert raise_file_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(hard, MOST_FILES)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
