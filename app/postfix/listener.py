"""The socket that Postfix's processes ask over, each on a connection of its own that it keeps."""

import asyncio
import logging
import os
import socket
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.postfix.desk import Desk
from app.postfix.protocol import ProtocolFault, Requests
from app.postfix.table import Address

log = logging.getLogger(__name__)

CHUNK_BYTES = 65_536
BACKLOG = 512
REQUEST_SECONDS = 10.0


class Listener:
    """Serves connections, at most so many at a time; one more takes the place of the one that was silent longest.

    Postfix opens a new connection where its own was closed between two requests. request_seconds: how long a request
    may take from its first byte to its last, and a client to take its answer.
    """

    def __init__(self, desk: Desk, most_connections: int, request_seconds: float = REQUEST_SECONDS) -> None:
        self._desk, self._most, self._request_seconds = desk, most_connections, request_seconds
        self._visits: set[_Visit] = set()
        self._is_closing = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end; for asyncio's servers."""
        visit = _Visit(asyncio.current_task())
        if self._is_closing or (len(self._visits) >= self._most and not self._make_room()):
            log.warning("postfix_policy_full", extra={"connections": len(self._visits)})
            writer.close()
            return
        self._visits.add(visit)
        try:
            await self._serve(reader, writer, visit)
        except (ProtocolFault, TimeoutError, ConnectionError) as fault:
            log.warning("postfix_policy_closed", extra={"why": str(fault) or type(fault).__name__})
        finally:
            self._visits.discard(visit)
            writer.close()

    async def close(self, seconds: float) -> None:
        """End all connections: the silent ones at once, the others when they are answered, or the seconds are over."""
        self._is_closing = True
        for visit in [each for each in self._visits if each.is_silent]:
            visit.end()
        tasks = [visit.task for visit in self._visits if visit.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, visit: "_Visit") -> None:
        requests = Requests()
        whole_by: float | None = None  # until when the request that has begun must be whole
        while not self._is_closing:
            if requests.is_between:
                visit.falls_silent()
            async with asyncio.timeout_at(whole_by):
                data = await reader.read(CHUNK_BYTES)
            visit.speaks()
            questions = requests.feed(data)
            for question in questions:
                writer.write(await self._desk.answer(question))
                async with asyncio.timeout(self._request_seconds):
                    await writer.drain()
            if not data:
                return
            if requests.is_between:
                whole_by = None
            elif questions or whole_by is None:
                whole_by = asyncio.get_running_loop().time() + self._request_seconds
            await asyncio.sleep(0)  # whoever floods us lets the others in between

    def _make_room(self) -> bool:
        """End the connection that was silent longest; return whether there was one."""
        silent = min(
            (each for each in self._visits if each.is_silent), key=lambda each: each.silent_since, default=None
        )
        if silent is None:
            return False
        self._visits.discard(silent)
        silent.end()
        return True


class _Visit:
    """One connection: whether it is between two requests, and since when."""

    def __init__(self, task: "asyncio.Task[None] | None") -> None:
        self.task = task
        self.is_silent, self.silent_since = True, time.monotonic()

    def falls_silent(self) -> None:
        self.is_silent, self.silent_since = True, time.monotonic()

    def speaks(self) -> None:
        self.is_silent = False

    def end(self) -> None:
        if self.task is not None:
            self.task.cancel()


@asynccontextmanager
async def listening(address: Address, listener: Listener) -> AsyncIterator[str]:
    """Listen for as long as the context lasts, and yield where, in the words of Postfix's main.cf. Raises OSError.

    Connections that are open at the end stay so: they are the listener's to close.
    """
    bound = _bound(address)
    server = await _server(bound, listener)
    try:
        if address.path is not None:
            yield str(address)
        else:
            host, port = bound.getsockname()[:2]
            yield str(Address(None, host, port))
    finally:
        server.close()
        if address.path is not None:
            address.path.unlink(missing_ok=True)


async def _server(bound: socket.socket, listener: Listener) -> asyncio.Server:
    if bound.family == socket.AF_UNIX:
        return await asyncio.start_unix_server(listener.accept, sock=bound, backlog=BACKLOG)
    return await asyncio.start_server(listener.accept, sock=bound, backlog=BACKLOG)


def _bound(address: Address) -> socket.socket:
    if address.path is not None:
        return _bound_file(address.path, address.mode)
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address.host, address.port))
    except OSError:
        bound.close()
        raise
    return bound


def _bound_file(path: Path, mode: int) -> socket.socket:
    """Return a socket bound to a file that nobody may use before it has its mode; one left by a crash is replaced."""
    _clear(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    former = os.umask(0o177)
    try:
        bound.bind(str(path))
        path.chmod(mode)
    except OSError:
        bound.close()
        raise
    finally:
        os.umask(former)
    return bound


def _clear(path: Path) -> None:
    """Remove a socket that nobody listens on. Raises OSError where somebody does, or it is another kind of file."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise FileExistsError(f"{path} is there and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
        try:
            knocking.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise FileExistsError(f"somebody listens on {path} already")
