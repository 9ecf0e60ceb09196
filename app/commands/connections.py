"""Who may stay connected: nobody is waited for without end, and who has not asked yet makes room for who asks.

uvicorn ends a connection that is idle after an answer, and nothing else: a request that never gets whole, or an answer
that nobody takes, stays for ever, and a few thousand of them leave no file descriptor for a sender that asks whether
it may go. Here everything that a peer owes us has its time, heads have their size, and of connections there are at
most so many. When there is no room for another one, the oldest that has never asked anything is ended, then the oldest
that is idle; one whose request is being answered, never.

All of it is looked at once a second, from what uvicorn knows anyway, so that a request costs next to nothing more.
"""

import asyncio
import logging
import resource
from collections.abc import Collection
from enum import Enum
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger(__name__)

MAX_HEAD_BYTES = 65_536
MAX_REQUESTS_AHEAD = 64  # that a client sends before it has its answers
MOST_FILES, RESERVED_FILES, MOST_CONNECTIONS = 20_000, 256, 16_384
FEW_CONNECTIONS = 4_000
LOOKS_FOR_ROOM = 16


class Awaited(Enum):
    """What a peer owes us, and for how many seconds we wait for it."""

    HEAD = "the head of a request", 30.0
    BODY = "the body of a request", 120.0
    NEXT = "a request, after something that was none", 30.0
    READ = "to take any of its answer", 30.0
    CLOSE = "to take the last bytes before the end", 10.0

    def __init__(self, text: str, seconds: float) -> None:
        self.text, self.seconds = text, seconds


class Wait(NamedTuple):
    """One wait: for what, of which request, with how much unsent, and since when (seconds of a monotonic clock)."""

    awaited: Awaited
    request: object
    unsent: int
    since: float


class Room:
    """The connections of one server: keeps their number at `most`, and ends those that are waited for in vain."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._strangers: dict[PatientProtocol, None] = {}  # have not asked anything yet; oldest first
        self._guests: dict[PatientProtocol, None] = {}
        self._waits: dict[Any, Wait] = {}
        self._dropped = 0

    def enter(self, newcomer: "PatientProtocol") -> None:
        """Take a connection in; where there is no room, end one of those that can be spared, at worst this one."""
        if len(newcomer.connections) > self.most:
            self._dropped += 1
            (self._spared() or newcomer).transport.abort()
        self._strangers[newcomer] = None

    def leave(self, protocol: "PatientProtocol") -> None:
        """Forget a connection; one that is not here is fine."""
        self._strangers.pop(protocol, None)
        self._guests.pop(protocol, None)

    def _spared(self) -> "PatientProtocol | None":
        """Return what can be ended with the least harm, None when nothing soon found can be."""
        for line in (self._strangers, self._guests):
            for _ in range(min(LOOKS_FOR_ROOM, len(line))):
                oldest = next(iter(line))
                del line[oldest]
                if oldest.transport.is_closing():
                    continue
                if oldest.cycle is None or (line is self._guests and oldest.cycle.response_complete):
                    return oldest
                self._guests[oldest] = None
        return None

    def sweep(self, connections: Collection[Any], now: float) -> None:
        """End the connections whose peers have let us wait too long. To be called about once a second."""
        waits: dict[Any, Wait] = {}
        ended = 0
        for each in list(connections):
            wait = _wait(each, now)
            if wait is None:
                continue
            before = self._waits.get(each)
            if before is not None and _is_same(before, wait):
                wait = before
            if now - wait.since < wait.awaited.seconds:
                waits[each] = wait
            else:
                ended += 1
                _end(each, wait)
        self._waits = waits
        if ended or self._dropped:
            log.warning("connections_ended", extra={"waited_in_vain": ended, "no_room": self._dropped})
            self._dropped = 0


def _wait(each: Any, now: float) -> Wait | None:
    """Return what is waited for from a connection's peer; None: nothing, or what others look after."""
    if each.transport.is_closing():
        return Wait(Awaited.CLOSE, None, each.transport.get_write_buffer_size(), now)
    return each.wait(now) if isinstance(each, PatientProtocol) else None


def _is_same(before: Wait, wait: Wait) -> bool:
    return before.awaited is wait.awaited and before.request is wait.request and before.unsent == wait.unsent


def _end(each: Any, wait: Wait) -> None:
    if wait.awaited is Awaited.HEAD and wait.request is not None:
        each.refuse(b"408 Request Timeout", f"the head of the request was not whole after {wait.awaited.seconds:g} s")
    else:
        each.transport.abort()


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, in a Room."""

    def __init__(self, room: Room, **how: Any) -> None:
        super().__init__(**how)
        self._room, self._head_bytes = room, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._room.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._room.leave(self)
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._room.leave(self)
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        HttpToolsProtocol.data_received(self, data)
        if not self._is_in_head():
            self._head_bytes = 0
            if len(self.pipeline) > MAX_REQUESTS_AHEAD:
                self.transport.abort()
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and self.transport.get_protocol() is self:
            self.refuse(b"431 Request Header Fields Too Large", f"the head is larger than {MAX_HEAD_BYTES:,} bytes")

    def wait(self, now: float) -> Wait | None:
        """Return what this connection's peer owes us; None: nothing, or uvicorn's own timer runs."""
        cycle = self.cycle
        if self._is_in_head():
            return Wait(Awaited.HEAD, self.scope, 0, now)
        if cycle.response_complete:
            return None if self.timeout_keep_alive_task else Wait(Awaited.NEXT, cycle, 0, now)
        if cycle.more_body:
            return Wait(Awaited.BODY, cycle, 0, now)
        unsent = self.transport.get_write_buffer_size() if self.flow.write_paused else 0
        return Wait(Awaited.READ, cycle, unsent, now) if unsent else None

    def refuse(self, status: bytes, why: str) -> None:
        """Answer a request that will never be whole, and end the connection."""
        if self.transport.is_closing():
            return
        text = why.encode()
        head = b"HTTP/1.1 %s\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (status, len(text)) + text)
        self.transport.close()

    def _is_in_head(self) -> bool:
        """Tell whether the head of the next request, the first one included, is not whole yet."""
        return self.cycle is None or self.cycle.scope is not self.scope


def raise_file_limit() -> int:
    """Let this process open as many files as it may, up to what it can use; return how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


def room_for(files: int) -> int:
    """Return how many connections a process may have that may open so many files: some are for databases and logs."""
    return min(MOST_CONNECTIONS, files - min(RESERVED_FILES, files // 4))


def shortage(files: int) -> str | None:
    """Return in a sentence that so many files make few connections, and what to do; None where they are enough."""
    most = room_for(files)
    if most >= FEW_CONNECTIONS:
        return None
    return (
        f"this process may open only {files:,} files, so it keeps at most {most:,} connections; "
        "for more raise the limit (ulimit -n, LimitNOFILE= of systemd, --ulimit nofile of Docker)"
    )
