"""The event socket's frames: bytes in, frames out. Pure.

A frame is lines of `Name: value`, a blank line and, where Content-Length says so, that many bytes of body. The body of
an event is again such lines, percent-encoded. Bytes are cut first and decoded afterwards; of an event only the headers
that are of use are kept, so that callers' numbers and names (Caller-..., CC-Member-CID-...) go no further.
"""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

LONGEST_LINE_BYTES = 8_192  # a longer one is cut there
LARGEST_BODY_BYTES = 32 << 20  # a list of 100,000 waiting callers has half of that

KEPT = frozenset(
    {
        "event-name", "event-subclass", "event-date-timestamp", "cc-action", "cc-queue", "cc-member-uuid",
        "cc-member-joined-time", "cc-member-leaving-time", "cc-cause", "cc-cancel-reason", "cc-agent",
        "cc-agent-answered-time", "cc-agent-bridged", "cc-agent-status", "cc-agent-state",
    }
)  # fmt: skip


class Frame(NamedTuple):
    """One frame: what it is ("text/event-plain", "api/response", ...), the text of a reply, and the body."""

    kind: str
    reply: str
    body: bytes


class Framer:
    """Cuts a stream of bytes into frames, however it is chunked. Never raises.

    broken: a body was announced that is too long, or of no length; nothing after it can be understood.
    """

    def __init__(self) -> None:
        self.broken = False
        self._line = bytearray()
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._missing: int | None = None  # of the body; None while headers are read

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the frames that these bytes complete."""
        frames: list[Frame] = []
        place = 0
        while not self.broken and place < len(chunk):
            if self._missing is None:
                place = self._take_line(chunk, place)
            else:
                piece = chunk[place : place + self._missing]
                self._body += piece
                place, self._missing = place + len(piece), self._missing - len(piece)
            if self._missing == 0:
                frames.append(Frame(self._header("content-type"), self._header("reply-text"), bytes(self._body)))
                self._headers, self._body, self._missing = {}, bytearray(), None
        return frames

    def _take_line(self, chunk: bytes, place: int) -> int:
        end = chunk.find(b"\n", place)
        piece = chunk[place : end if end >= 0 else len(chunk)]
        self._line += piece[: max(0, LONGEST_LINE_BYTES - len(self._line))]
        if end < 0:
            return len(chunk)
        line = bytes(self._line).rstrip(b"\r")
        self._line.clear()
        if line:
            name, _, value = line.partition(b":")
            header = name.strip().lower().decode(errors="replace")
            if header in {"content-type", "content-length", "reply-text"}:
                self._headers.setdefault(header, value.strip().decode(errors="replace"))
        elif self._headers:
            length = self._header("content-length") or "0"
            self.broken = not (length.isascii() and length.isdecimal()) or len(length) > len(str(LARGEST_BODY_BYTES))
            self._missing = None if self.broken else int(length)
            self.broken = self.broken or int(length) > LARGEST_BODY_BYTES
        return end + 1

    def _header(self, name: str) -> str:
        return self._headers.get(name, "")


def event_of(body: bytes) -> Mapping[str, str]:
    """Return the kept headers of an event's body, by lower-case name; {} when it has none of them."""
    event: dict[str, str] = {}
    for line in body.split(b"\n"):
        if not line.strip():
            break  # a body of the event's own follows, which may hold anything
        name, _, value = line.partition(b":")
        header = name.strip().lower().decode(errors="replace")
        if header in KEPT:
            event.setdefault(header, unquote_to_bytes(value.strip()).decode(errors="replace"))
    return event
