"""A contact center's system over HTTP, as strict as the real ones: the base of each system's own fake.

It listens on loopback, on a port the system picks, and answers on threads of its own. Whatever it is asked wrongly it
refuses and remembers in `complaints`; what it is told to do wrong itself stands in `troubles`, one per request.
"""

import base64
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Asked:
    """One request as it came in, header names in lower case, of a repeated parameter the last."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What is answered: bytes as they are, anything else as JSON."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Wrong(Exception):
    """The system was asked wrongly; it answers with this status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Limited:
    """429, or 503, with Retry-After."""

    retry_after: str = "1"
    status: int = 429


@dataclass(frozen=True)
class Broken:
    """Another status, and a page for people, which quotes what it was asked."""

    status: int = 500


@dataclass(frozen=True)
class Truncated:
    """The first half of a good answer, which says that it is whole."""


@dataclass(frozen=True)
class Cut:
    """The first half of a good answer, then the line is dead."""


@dataclass(frozen=True)
class Silent:
    """No answer before `until` is set."""

    until: threading.Event


@dataclass(frozen=True)
class Lost:
    """What was asked for is done, and the line is dead before any of the answer."""


Trouble = Limited | Broken | Truncated | Cut | Silent | Lost


class Vendor:
    """A system to ask; each fake says in `answer` what it answers. Used with `serving`.

    clock_ahead: how far its clock is ahead of ours; `now` is its clock. base: what that clock is read from.
    """

    def __init__(self) -> None:
        self.troubles: deque[Trouble] = deque()
        self.asked: list[Asked] = []
        self.complaints: list[str] = []
        self.clock_ahead = timedelta()
        self.base: Any = lambda: datetime.now(UTC)
        self.port = 0

    def answer(self, asked: Asked) -> Answer:
        """Return what is answered. Raises Wrong for whatever the real system would not accept."""
        raise NotImplementedError

    def now(self) -> datetime:
        """Return what this system's clock shows."""
        shown: datetime = self.base() + self.clock_ahead
        return shown

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def handle(self, asked: Asked) -> Answer:
        """Return the answer to a request, whatever it is; what was wrong with it is remembered."""
        self.asked.append(asked)
        try:
            return self.answer(asked)
        except Wrong as wrong:
            self.complaints.append(f"{asked.method} {asked.path}: {wrong}")
            return Answer({"message": str(wrong)}, wrong.status)


Fake = TypeVar("Fake", bound=Vendor)


def must_bear(asked: Asked, token: str) -> None:
    """Refuse a request that does not carry the bearer token."""
    if asked.headers.get("authorization") != f"Bearer {token}":
        raise Wrong(401, "the bearer token is missing or wrong")


def must_sign_in(asked: Asked, user: str, password: str) -> None:
    """Refuse a request that does not sign in as this user (RFC 7617)."""
    expected = base64.b64encode(f"{user}:{password}".encode()).decode()
    if asked.headers.get("authorization") != f"Basic {expected}":
        raise Wrong(401, "user or password is missing or wrong")


def must_be(asked: Asked, method: str, path: str) -> None:
    """Refuse another path or another method."""
    if asked.path != path:
        raise Wrong(404, f"there is no {asked.path}")
    if asked.method != method:
        raise Wrong(405, f"{asked.method} is not allowed")


class _Handler(BaseHTTPRequestHandler):
    """Hands each request to the vendor, and does to the answer what the next trouble says."""

    protocol_version = "HTTP/1.1"
    vendor: Vendor

    def handle(self) -> None:
        with suppress(ConnectionResetError):  # a client may go away between two questions
            super().handle()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        asked = Asked(self.command, parts.path, params, headers, body)
        try:
            self._answer(asked, self.vendor.troubles.popleft() if self.vendor.troubles else None)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # who asked has gone away, as some tests want it to

    do_GET = do_POST = do_PUT = _serve  # noqa: N815 - http.server's names

    def _answer(self, asked: Asked, trouble: Trouble | None) -> None:
        if isinstance(trouble, Limited | Broken):
            self.vendor.asked.append(asked)
            return self._send(_refusal(asked, trouble))
        if isinstance(trouble, Lost):
            self.vendor.handle(asked)
            self.close_connection = True
            return None
        if isinstance(trouble, Silent):
            trouble.until.wait(PATIENCE_SECONDS)
        return self._send(self.vendor.handle(asked), trouble)

    def _send(self, answer: Answer, trouble: Trouble | None = None) -> None:
        content = answer.content
        half = content[: len(content) // 2]
        if isinstance(trouble, Truncated):
            content = half
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(half if isinstance(trouble, Cut) else content)
        self.close_connection = self.close_connection or isinstance(trouble, Cut)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return what the header Date says: the vendor's own time."""
        return super().date_time_string(self.vendor.now().timestamp() if timestamp is None else timestamp)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _refusal(asked: Asked, trouble: Limited | Broken) -> Answer:
    if isinstance(trouble, Limited):
        return Answer(b"slow down", trouble.status, {"retry-after": trouble.retry_after})
    return Answer(f"<h1>Oops</h1>{asked.path} {dict(asked.headers)} {asked.body!r}".encode(), trouble.status)


@contextmanager
def serving(vendor: Fake) -> Iterator[Fake]:
    """Yield a vendor that listens."""
    handler = type("Handler", (_Handler,), {"vendor": vendor})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    vendor.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield vendor
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
