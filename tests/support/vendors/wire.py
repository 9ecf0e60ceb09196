"""A TCP server of a telephone system, as tests need it: it can be cut, go silent, and send in packets of any size."""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple, Self

Talk = Callable[["Line"], Awaitable[None]]


class Truth(NamedTuple):
    """What a queue really is. oldest_joined: by the script's clock, None when nobody waits."""

    backlog: int
    oldest_joined: float | None
    in_progress: int
    staffed: int
    available: int
    busy: int


class Line:
    """One connection. What is sent while the wire is silent is lost, as on a link that died."""

    def __init__(self, wire: "Wire", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._wire, self._reader, self._writer = wire, reader, writer
        self.facts: dict[str, str] = {}
        self.subscribed = False

    def send(self, data: bytes) -> None:
        """Send bytes, in the pieces that the wire is set to."""
        if self._wire.silent or self._writer.is_closing():
            return
        for piece in self._wire.pieces(data):
            self._writer.write(piece)

    async def paragraph(self) -> dict[str, str] | str:
        """Return what the other side sends up to a blank line: its headers by lower-case name, or its one line.

        Raises IncompleteReadError when it is gone.
        """
        lines: list[str] = []
        while line := (await self._reader.readuntil(b"\n")).strip().decode():
            lines.append(line)
        if len(lines) == 1 and not lines[0].startswith("Action:"):
            return lines[0]
        return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def cut(self) -> None:
        self._writer.transport.abort()

    def close(self) -> None:
        self._writer.close()


class Wire:
    """Listens on a port the system picks; `talk` speaks with whoever calls.

    largest_piece: 0 sends whole messages; n sends pieces of 1 to n bytes, cut anywhere, also within a character.
    """

    def __init__(self, talk: Talk, *, largest_piece: int = 0, seed: int = 7) -> None:
        self._talk, self._largest, self._random = talk, largest_piece, random.Random(seed)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.lines: set[Line] = set()
        self.port = 0
        self.calls = 0
        self.silent = False
        self.tls: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hang_up()

    async def listen(self) -> None:
        """Begin to take calls, after hanging up on the same port as before."""
        self._server = await asyncio.start_server(self._called, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def hang_up(self) -> None:
        """Cut every connection and take no more."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Cut every connection there is, as a firewall does."""
        for line in list(self.lines):
            line.cut()

    def tell(self, data: bytes) -> None:
        """Send to all who subscribed."""
        for line in list(self.lines):
            if line.subscribed:
                line.send(data)

    def pieces(self, data: bytes) -> list[bytes]:
        if not self._largest:
            return [data]
        pieces = []
        while data:
            length = self._random.randint(1, self._largest)
            pieces.append(data[:length])
            data = data[length:]
        return pieces

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        line = Line(self, reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.lines.add(line)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                await self._talk(line)
        finally:
            self._tasks.discard(task)
            self.lines.discard(line)
            writer.close()
