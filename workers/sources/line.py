"""A connection over which a system speaks whenever it likes: opened, heard and given up in bounded time."""

import asyncio
import ssl
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Self

from workers.systems.faults import SourceFault

CONNECT_SECONDS = 10.0
CHUNK_BYTES = 65_536


class Line:
    """One TCP connection. Not for use by two tasks at a time.

    address: what errors call it. silence_seconds: when nothing whole came for so long, or a question has been open for
    so long, the line is taken for dead.
    """

    def __init__(
        self, address: str, silence_seconds: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._address, self._silence = address, silence_seconds
        self._reader, self._writer = reader, writer
        self._sounded_at = time.monotonic()
        self._late = False

    @classmethod
    async def open(cls, host: str, port: int, *, silence_seconds: float, tls: ssl.SSLContext | None = None) -> Self:
        """Return a line; tls: how to check the other side, None: without TLS. Raises SourceFault."""
        address = f"{host}:{port}"
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(host, port, ssl=tls)
        except TimeoutError:
            raise SourceFault(f"{address} did not answer within {CONNECT_SECONDS:g} s") from None
        except ssl.SSLError as fault:
            reason = getattr(fault, "verify_message", "") or fault.reason or "no TLS"
            raise SourceFault(f"no TLS connection to {address}: {reason}") from None
        except OSError as fault:
            raise SourceFault(f"{address} cannot be reached: {fault.strerror or fault}") from None
        return cls(address, silence_seconds, reader, writer)

    async def log_in(self, talk: Awaitable[None]) -> None:
        """Let the talk that logs in take as long as silence may, at most ten seconds; closed when it fails."""
        try:
            async with asyncio.timeout(min(CONNECT_SECONDS, self._silence)):
                await talk
        except TimeoutError:
            self.close()
            raise SourceFault(f"{self._address} did not let us log in in time") from None
        except BaseException:
            self.close()
            raise

    def say(self, words: bytes) -> None:
        """Send, without waiting for it to be sent."""
        self._writer.write(words)

    async def hear(self, seconds: float) -> bytes:
        """Return what comes within so many seconds, as soon as anything does; b"" for nothing.

        Raises SourceFault when the line is broken, closed, or was found late by `judge`.
        """
        if self._late:
            raise SourceFault(f"{self._address} has left a question open for more than {self._silence:g} s")
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                chunk = await self._reader.read(CHUNK_BYTES)
        except TimeoutError:
            return b""
        except OSError as fault:
            raise SourceFault(f"{self._address} broke the connection: {fault.strerror or fault}") from None
        if not chunk:
            raise SourceFault(f"{self._address} closed the connection")
        return chunk

    def sounded(self) -> None:
        """Note that something whole has come."""
        self._sounded_at = time.monotonic()

    def judge(self, asked_at: float | None) -> None:
        """Raise SourceFault when nothing whole has come for too long.

        asked_at: when the oldest question was asked that is still open. What came beside it is to be taken in first: a
        question that has been open for too long ends the next hearing.
        """
        now = time.monotonic()
        self._late = asked_at is not None and now - asked_at > self._silence
        if now - self._sounded_at > self._silence:
            raise SourceFault(f"{self._address} has been silent for {now - self._sounded_at:.0f} s; the link is dead")

    def close(self) -> None:
        """Let go of the connection at once; closing twice is fine."""
        with suppress(OSError, RuntimeError):
            self._writer.transport.abort()
