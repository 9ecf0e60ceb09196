"""A mail server that keeps what it is given and delivers nothing: who got what, and how often.

It speaks as much SMTP as mail programs need, on a loopback port that the system picks, in a thread of its own.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

PATIENCE_SECONDS = 60
LINE_LIMIT = 1 << 20


@dataclass(frozen=True)
class Received:
    """One message as it was taken: from whom, for whom, and all of it."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> Message:
        return message_from_bytes(self.content)

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"] or "")


class SmtpSink:
    """A running sink. `received` has every message in the order it was taken; `port` is where it listens."""

    def __init__(self) -> None:
        self._received: list[Received] = []
        self._changed = threading.Condition()
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.host, self.port = "127.0.0.1", 0
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        assert self._started.wait(PATIENCE_SECONDS), "the SMTP sink did not start"

    @property
    def received(self) -> list[Received]:
        with self._changed:
            return list(self._received)

    @property
    def copies(self) -> Counter[tuple[str, str]]:
        """How many copies each recipient got of each message, by (Message-ID, recipient)."""
        return Counter((each.message_id, to) for each in self.received for to in each.recipients)

    @property
    def deliveries(self) -> int:
        """How many recipients were delivered to, over all messages, repeats included."""
        with self._changed:
            return sum(len(each.recipients) for each in self._received)

    def wait_for(self, number: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Return once that many recipients were delivered to; fail when they are not in time."""
        self.wait_until(lambda: self.deliveries >= number, f"{number} deliveries", seconds)

    def wait_until(self, look: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Return once look() is true, looking after each message; fail when it is not in time."""
        with self._changed:
            came = self._changed.wait_for(look, seconds)
        assert came, f"waited {seconds:g} s for {what}; the sink has {self.deliveries} deliveries"

    def clear(self) -> None:
        """Forget what was received."""
        with self._changed:
            self._received.clear()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    async def _serve(self) -> None:
        talks: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            talks.add(task)
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._talk(reader, writer)
            talks.discard(task)
            writer.close()

        server = await asyncio.start_server(accept, self.host, 0, limit=LINE_LIMIT)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink.test ESMTP\r\n")
        sender, recipients = "", list[str]()
        while line := await reader.readline():
            verb, argument = line[:4].upper().strip(), line[4:].decode("utf-8", "replace").strip()
            reply = b"250 ok\r\n"
            if verb == b"EHLO":
                sender, recipients, reply = (
                    "",
                    [],
                    b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
                )
            elif verb == b"MAIL":
                sender, recipients = _address(argument), []
            elif verb == b"RCPT":
                recipients.append(_address(argument))
            elif verb in (b"RSET", b"HELO"):
                sender, recipients = "", []
            elif verb == b"DATA" and recipients:
                writer.write(b"354 go on\r\n")
                await writer.drain()
                self._keep(Received(sender, tuple(recipients), await _content(reader)))
                sender, recipients = "", []
            elif verb == b"QUIT":
                reply = b"221 bye\r\n"
            elif verb != b"NOOP":
                reply = b"503 not now\r\n" if verb == b"DATA" else b"502 not known\r\n"
            writer.write(reply)
            await writer.drain()
            if verb == b"QUIT":
                return

    def _keep(self, received: Received) -> None:
        with self._changed:
            self._received.append(received)
            self._changed.notify_all()


@contextmanager
def an_smtp_sink() -> Iterator[SmtpSink]:
    """Yield a sink; it is closed at the end."""
    sink = SmtpSink()
    try:
        yield sink
    finally:
        sink.close()


def _address(argument: str) -> str:
    """Return what stands between < and > behind FROM: or TO:."""
    return argument.partition("<")[2].partition(">")[0]


async def _content(reader: asyncio.StreamReader) -> bytes:
    lines = []
    while (line := await reader.readline()) != b".\r\n":
        if not line.endswith(b"\n"):
            raise ConnectionError("the message was cut off")
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)
