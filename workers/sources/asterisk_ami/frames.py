"""AMI's frames: bytes in, messages out. Pure.

A message is lines of `Name: value` and a blank line; lines end in CRLF, in some proxies in LF. Bytes are cut into lines
before anything is decoded, so a character or a line end split over two packets comes out whole. Only the headers that
are of use are kept, and the others never decoded: callers' numbers and names (CallerIDNum, ConnectedLineName, ...) go
no further than this module.
"""

from collections.abc import Mapping
from typing import TypeAlias

Message: TypeAlias = Mapping[str, str]  # by the header's name in lower case; never empty values of unknown headers

LONGEST_LINE_BYTES = 8_192  # a longer one is cut there; no header that is kept comes near

KEPT = frozenset(
    {
        # of every message
        "response", "event", "actionid", "listitems", "message", "challenge", "timestamp",
        # of callers
        "queue", "uniqueid", "wait", "holdtime", "talktime", "reason",
        # of members: the second name of each pair is the one in lists and before Asterisk 12
        "interface", "location", "membername", "name", "status", "paused", "incall", "lastcall", "wrapuptime",
        # of queues
        "calls", "callers", "loggedin", "available",
    }
)  # fmt: skip


class Framer:
    """Cuts a stream of bytes into messages, however it is chunked. Never raises, and holds a line at most.

    banner: the first line, which says what answers ("Asterisk Call Manager/13.0.0"); None before it came, or without.
    """

    def __init__(self) -> None:
        self.banner: str | None = None
        self._line = bytearray()
        self._message: dict[str, str] = {}
        self._begun = self._first_line_seen = False

    def feed(self, chunk: bytes) -> list[Message]:
        """Return the messages that these bytes complete, a message without any kept header being {}."""
        messages: list[Message] = []
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            self._extend(piece)
            line = bytes(self._line).rstrip(b"\r")
            self._line.clear()
            if line:
                self._read(line)
            elif self._begun:
                messages.append(self._message)
                self._message, self._begun = {}, False
        self._extend(rest)
        return messages

    def _extend(self, piece: bytes) -> None:
        self._line += piece[: max(0, LONGEST_LINE_BYTES - len(self._line))]

    def _read(self, line: bytes) -> None:
        name, colon, value = line.partition(b":")
        if not self._first_line_seen:
            self._first_line_seen = True
            if not colon:
                self.banner = line.decode(errors="replace")[:80]
                return
        self._begun = True
        header = name.strip().lower().decode(errors="replace")
        if colon and header in KEPT:
            self._message.setdefault(header, value.strip().decode(errors="replace"))


def action(name: str, **headers: str) -> bytes:
    """Return an action as it is sent. A line end inside a value would begin another header: it is left out."""
    lines = {"Action": name, **headers}
    return "".join(f"{key}: {_one_line(value)}\r\n" for key, value in lines.items()).encode() + b"\r\n"


def _one_line(value: str) -> str:
    return value.replace("\r", "").replace("\n", "")
