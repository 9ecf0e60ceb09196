"""One session with Asterisk's manager interface: log in, ask, and hear whatever comes, in the order it comes."""

import hashlib
import itertools
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self, TypeAlias

from pydantic import SecretStr

from workers.sources.asterisk_ami.frames import Framer, Message, action
from workers.sources.line import Line
from workers.systems.faults import Refused, SourceFault

MOST_ROWS = 200_000  # of one list

_LISTS = {"QueueStatus": "QueueStatusComplete", "QueueSummary": "QueueSummaryComplete"}


@dataclass(frozen=True, slots=True)
class Account:
    """Where and as whom to log in. plain: send the secret itself, not its digest with a challenge.

    silence_seconds: when nothing came for so long, the connection is taken for dead.
    """

    host: str
    port: int
    username: str
    secret: SecretStr = field(repr=False)
    plain: bool = False
    tls: ssl.SSLContext | None = None
    silence_seconds: float = 30.0

    @property
    def address(self) -> str:
        """What errors and health call it."""
        return f"{self.host}:{self.port}"


class Answer(NamedTuple):
    """What came back for one question: its response first, then the rows of a list."""

    question: str
    rows: Sequence[Message]

    @property
    def first(self) -> Message:
        """The response itself."""
        return self.rows[0]

    def listed(self) -> Sequence[Message]:
        """Return the rows of a list. Raises SourceFault where Asterisk gave none, or fewer than it says."""
        if self.first.get("response", "").casefold() != "success":
            raise SourceFault(f"Asterisk gives no {self.question}; is app_queue loaded?")
        *rows, end = self.rows[1:]
        said = end.get("listitems", "")  # since Asterisk 12
        if said.isdecimal() and said != str(len(rows)):
            raise SourceFault(f"a {self.question} came with other than the {said[:9]} rows that it says it has")
        return rows


Heard: TypeAlias = Answer | Message


@dataclass(slots=True)
class _Question:
    name: str
    rows: list[Message]
    asked_at: float


class Session:
    """A session that is logged in. Not for use by two tasks at a time."""

    def __init__(self, account: Account, line: Line) -> None:
        self._account, self._line = account, line
        self._framer = Framer()
        self._questions: dict[str, _Question] = {}
        self._numbers = itertools.count(1)

    @classmethod
    async def open(cls, account: Account) -> Self:
        """Return a session. Raises Refused when the account is not accepted, SourceFault for everything else."""
        line = await Line.open(account.host, account.port, silence_seconds=account.silence_seconds, tls=account.tls)
        session = cls(account, line)
        await line.log_in(session._log_in())
        return session

    @property
    def banner(self) -> str | None:
        """What the other side calls itself."""
        return self._framer.banner

    def awaits(self, name: str) -> bool:
        """Return whether the answer to such a question is still due."""
        return any(question.name == name for question in self._questions.values())

    def ask(self, name: str, **headers: str) -> None:
        """Send an action; its answer comes out of `hear`, in the order of the questions."""
        number = f"hf-{next(self._numbers)}"
        self._questions[number] = _Question(name, [], time.monotonic())
        self._line.say(action(name, ActionID=number, **headers))

    async def hear(self, seconds: float) -> list[Heard]:
        """Return the events and whole answers that come within so many seconds, as soon as any does; [] for none.

        Raises SourceFault when the connection ended, nothing came for silence_seconds, or an answer is due for as long.
        """
        heard = [each for message in await self._messages(seconds) if (each := self._sort(message)) is not None]
        self._line.judge(min((question.asked_at for question in self._questions.values()), default=None))
        return heard

    def close(self) -> None:
        """Let go of the connection at once; closing twice is fine."""
        self._line.close()

    async def _log_in(self) -> None:
        account = self._account
        proof = {"Secret": account.secret.get_secret_value()}
        if not account.plain:
            answer = await self._answer_to("Challenge", AuthType="MD5")
            challenge = answer.get("challenge", "")
            if not challenge:
                raise SourceFault(f'{account.address} gives no challenge; set auth = "plain" if it is so old')
            proof = {"AuthType": "MD5", "Key": _digest(challenge, account.secret)}
        answer = await self._answer_to("Login", Username=account.username, **proof, Events="on")
        if answer.get("response", "").casefold() != "success":
            raise Refused(f"{account.address} refuses the user {account.username!r} or the secret")

    async def _answer_to(self, name: str, **headers: str) -> Message:
        """Return the response to one question; events that come before it are let go, for a list follows."""
        self.ask(name, **headers)
        while True:
            for heard in await self.hear(self._account.silence_seconds):
                if isinstance(heard, Answer) and heard.question == name:
                    return heard.first

    async def _messages(self, seconds: float) -> list[Message]:
        messages = self._framer.feed(await self._line.hear(seconds))
        if messages:
            self._line.sounded()
        return messages

    def _sort(self, message: Message) -> Heard | None:
        """Return an event at once, a list when it is complete, None while rows are missing."""
        number = message.get("actionid", "")
        question = self._questions.get(number)
        if question is None:
            return message if "event" in message else None
        question.rows.append(message)
        if len(question.rows) > MOST_ROWS:
            raise SourceFault(f"{self._account.address} lists more than {MOST_ROWS:,} rows")
        if _goes_on(question.name, message):
            return None
        del self._questions[number]
        return Answer(question.name, question.rows)


def _goes_on(question: str, message: Message) -> bool:
    """Return whether more rows follow: in a list that was granted, until its end is told."""
    ends = _LISTS.get(question)
    if ends is None or message.get("event") == ends:
        return False
    return "event" in message or message.get("response", "").casefold() == "success"


def _digest(challenge: str, secret: SecretStr) -> str:
    """Return what AMI's challenge wants: MD5 over challenge and secret, in hexadecimal digits."""
    text = challenge + secret.get_secret_value()
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
