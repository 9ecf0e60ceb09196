"""Hundreds who watch a gate for days: they read, some of them slowly for a while, and come back when they were cut."""

import asyncio
import random
from contextlib import suppress

HANDSHAKE = (
    b"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
AT_ONCE = 100


class Watcher(asyncio.Protocol):
    """One socket. heard: how often anything came. is_lost: the other side ended it, or went away."""

    def __init__(self) -> None:
        self.heard, self.is_lost = 0, False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(HANDSHAKE)

    def data_received(self, _: bytes) -> None:
        self.heard += 1

    def connection_lost(self, _: Exception | None) -> None:
        self.is_lost = True

    def read(self, *, on: bool) -> None:
        """Read on, or leave unread what comes."""
        if self._transport is not None and not self.is_lost:
            if on:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Watchers:
    """As many sockets as are wanted, opened anew where they were lost. opened: how many that were."""

    def __init__(self, port: int, wanted: int, chance: random.Random) -> None:
        self._port, self._wanted, self._chance = port, wanted, chance
        self._open: list[Watcher] = []
        self._slow: list[Watcher] = []
        self.opened = 0

    async def tend(self, slow: float = 0.05) -> None:
        """Let those go on who were slow, let this share of all be slow, and open what is missing."""
        for each in self._slow:
            each.read(on=True)
        self._open = [each for each in self._open if not each.is_lost]
        self._slow = self._chance.sample(self._open, int(slow * len(self._open)))
        for each in self._slow:
            each.read(on=False)
        while len(self._open) < self._wanted:
            with suppress(OSError):
                await asyncio.gather(*(self._one() for _ in range(min(AT_ONCE, self._wanted - len(self._open)))))
                continue
            return  # nobody listens now; the next time will do

    async def _one(self) -> None:
        _, watcher = await asyncio.get_running_loop().create_connection(Watcher, "127.0.0.1", self._port)
        self._open.append(watcher)
        self.opened += 1

    def heard(self) -> list[int]:
        """Return how often each that is open has heard something."""
        return [each.heard for each in self._open if not each.is_lost]

    def close(self) -> None:
        for each in self._open:
            each.close()
