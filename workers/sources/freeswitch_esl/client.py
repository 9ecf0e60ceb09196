"""One session with FreeSWITCH's event socket: log in, ask, and hear whatever comes, in the order it comes."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, Self, TypeAlias

from pydantic import SecretStr

from workers.sources.freeswitch_esl.frames import Frame, Framer, event_of
from workers.systems.faults import Refused, SourceFault

CONNECT_SECONDS = 10.0
CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Account:
    """Where and as whom to log in. user: `name@domain` of the directory; None: with the socket's own password.

    silence_seconds: when nothing came for so long, the connection is taken for dead.
    """

    host: str
    port: int
    user: str | None
    password: SecretStr = field(repr=False)
    silence_seconds: float = 30.0

    @property
    def address(self) -> str:
        """What errors and health call it."""
        return f"{self.host}:{self.port}"


class Answer(NamedTuple):
    """What came back for one command: the text of a reply, or the body of an answer."""

    command: str
    reply: str
    body: bytes

    @property
    def granted(self) -> bool:
        """Whether the command was carried out."""
        return not self.reply.startswith("-ERR")


Event: TypeAlias = Mapping[str, str]
Heard: TypeAlias = Answer | Event


class Session:
    """A session that is logged in. Not for use by two tasks at a time. Answers come in the order of the commands."""

    def __init__(self, account: Account, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._account, self._reader, self._writer = account, reader, writer
        self._framer = Framer()
        self._asked: deque[tuple[str, float]] = deque()
        self._heard_at = time.monotonic()
        self._late = False

    @classmethod
    async def open(cls, account: Account) -> Self:
        """Return a session. Raises Refused when the password is not accepted, SourceFault for everything else."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(account.host, account.port)
        except TimeoutError:
            raise SourceFault(f"{account.address} did not answer within {CONNECT_SECONDS:g} s") from None
        except OSError as fault:
            raise SourceFault(f"{account.address} cannot be reached: {fault.strerror or fault}") from None
        session = cls(account, reader, writer)
        try:
            async with asyncio.timeout(min(CONNECT_SECONDS, account.silence_seconds)):
                await session._log_in()
        except TimeoutError:
            session.close()
            raise SourceFault(f"{account.address} did not let us log in in time") from None
        except BaseException:
            session.close()
            raise
        return session

    @property
    def asking(self) -> bool:
        """Whether an answer is still due."""
        return bool(self._asked)

    def ask(self, command: str) -> None:
        """Send a command; its answer comes out of `hear`."""
        self._send(command, command)

    async def hear(self, seconds: float) -> list[Heard]:
        """Return the events and answers that come within so many seconds, as soon as any does; [] for none.

        Raises SourceFault when the connection ended, nothing came for silence_seconds, or an answer is due for as long.
        """
        account = self._account
        if self._late:
            raise SourceFault(f"{account.address} has left a question open for more than {account.silence_seconds:g} s")
        heard = [each for frame in await self._frames(seconds) if (each := self._sort(frame)) is not None]
        now = time.monotonic()
        self._late = bool(self._asked) and now - self._asked[0][1] > account.silence_seconds
        if now - self._heard_at > account.silence_seconds:
            raise SourceFault(f"{account.address} has been silent for {now - self._heard_at:.0f} s; the link is dead")
        return heard

    def close(self) -> None:
        """Let go of the connection at once; closing twice is fine."""
        with suppress(OSError, RuntimeError):
            self._writer.transport.abort()

    async def _log_in(self) -> None:
        account = self._account
        while not any(frame.kind == "auth/request" for frame in await self._frames(CONNECT_SECONDS)):
            continue
        password = account.password.get_secret_value()
        login = f"auth {password}" if account.user is None else f"userauth {account.user}:{password}"
        self._send(login, "login")
        while True:
            for heard in await self.hear(CONNECT_SECONDS):
                if isinstance(heard, Answer):
                    if not heard.reply.startswith("+OK"):
                        raise Refused(f"{account.address} refuses the password{_of(account.user)}")
                    return

    def _send(self, line: str, name: str) -> None:
        self._asked.append((name, time.monotonic()))
        self._writer.write(f"{line}\n\n".encode())

    async def _frames(self, seconds: float) -> list[Frame]:
        address = self._account.address
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                chunk = await self._reader.read(CHUNK_BYTES)
        except TimeoutError:
            return []
        except OSError as fault:
            raise SourceFault(f"{address} broke the connection: {fault.strerror or fault}") from None
        if not chunk:
            raise SourceFault(f"{address} closed the connection")
        frames = self._framer.feed(chunk)
        if self._framer.broken:
            raise SourceFault(f"{address} announces a body without a sensible length")
        if any(frame.kind == "text/rude-rejection" for frame in frames):
            raise Refused(f"{address} refuses this machine's address; see apply-inbound-acl in event_socket.conf.xml")
        if frames:
            self._heard_at = time.monotonic()
        return frames

    def _sort(self, frame: Frame) -> Heard | None:
        match frame.kind:
            case "text/event-plain":
                return event_of(frame.body)
            case "command/reply" | "api/response" if self._asked:
                return Answer(self._asked.popleft()[0], frame.reply, frame.body)
            case _:  # text/disconnect-notice among them: the end of the connection says the same
                return None


def _of(user: str | None) -> str:
    return "" if user is None else f" of the user {user!r}"
