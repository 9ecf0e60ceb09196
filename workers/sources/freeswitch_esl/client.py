"""One session with FreeSWITCH's event socket: log in, ask, and hear whatever comes, in the order it comes."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self, TypeAlias

from pydantic import SecretStr

from workers.sources.freeswitch_esl.frames import Frame, Framer, event_of
from workers.sources.line import CONNECT_SECONDS, Line
from workers.systems.faults import Refused, SourceFault


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

    def __init__(self, account: Account, line: Line) -> None:
        self._account, self._line = account, line
        self._framer = Framer()
        self._asked: deque[tuple[str, float]] = deque()

    @classmethod
    async def open(cls, account: Account) -> Self:
        """Return a session. Raises Refused when the password is not accepted, SourceFault for everything else."""
        line = await Line.open(account.host, account.port, silence_seconds=account.silence_seconds)
        session = cls(account, line)
        await line.log_in(session._log_in())
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
        heard = [each for frame in await self._frames(seconds) if (each := self._sort(frame)) is not None]
        self._line.judge(self._asked[0][1] if self._asked else None)
        return heard

    def close(self) -> None:
        """Let go of the connection at once; closing twice is fine."""
        self._line.close()

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
        self._line.say(f"{line}\n\n".encode())

    async def _frames(self, seconds: float) -> list[Frame]:
        address = self._account.address
        frames = self._framer.feed(await self._line.hear(seconds))
        if self._framer.broken:
            raise SourceFault(f"{address} announces a body without a sensible length")
        if any(frame.kind == "text/rude-rejection" for frame in frames):
            raise Refused(f"{address} refuses this machine's address; see apply-inbound-acl in event_socket.conf.xml")
        if frames:
            self._line.sounded()
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
