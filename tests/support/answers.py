"""A small HTTP server that answers as it is told to: well, badly, late, or not at all. It knows nothing of holdfire."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Asked(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    given: Mapping[str, Any]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reaction:
    """What a request brings. body: JSON, or bytes as they are; a callable makes it from the request.

    length: what Content-Length claims, None: the truth. after_seconds: how long it takes. silent: no answer at all.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    after_seconds: float = 0.0
    silent: bool = False

    def content(self, asked: Asked) -> bytes:
        body = self.body(asked) if callable(self.body) else self.body
        return body if isinstance(body, bytes) else json.dumps(body).encode()


def said(status: int, decision: str, *, headers: Mapping[str, str] | None = None, **members: object) -> Reaction:
    """Return holdfire's answer with this status and decision; it repeats the question. A retry is due in a second."""

    def body(asked: Asked) -> dict[str, Any]:
        audience = asked.given.get("audience")
        whole = {
            "decision": decision,
            "proceed": status == 200 and decision != "hold",
            "allow": 0 if decision == "hold" else audience and int(audience),
            "requested": audience and int(audience),
            "retry_after_seconds": None if status == 200 and decision != "hold" else 1,
            "gate": asked.given.get("gate", "default"),
            "campaign": asked.given.get("campaign"),
            "decision_id": "dec_1",
            "mode": "enforce",
            "summary": f"it is {decision}",
            "reasons": [],
        }
        return whole | members

    return Reaction(status, body, {"Holdfire-Decision": decision} | dict(headers or {}))


SEND = said(200, "send")
RETRY = {"Retry-After": "1"}
HOLD = said(429, "hold", headers=RETRY)
UNKNOWN = said(503, "hold", headers=RETRY, state="unknown")
THROTTLE = said(429, "throttle", headers=RETRY, allow=25_000)
# What comes instead of an answer when something is wrong: nothing may be sent on any of it.
FAULTS = {
    "hold": HOLD,
    "unknown": UNKNOWN,
    "throttle": THROTTLE,
    "unauthorized": Reaction(401, {"detail": "no key was sent"}),
    "not found": Reaction(404, {"detail": "there is no gate 'x'"}),
    "invalid": Reaction(422, {"detail": "the question cannot be understood"}),
    "error": Reaction(500, b"Internal Server Error"),
    "bad gateway": Reaction(502, b"<html>bad gateway</html>"),
    "truncated": Reaction(200, b'{"decision":"send","proceed":tr', length=500),
    "redirect": Reaction(302, b"", {"Location": "/login"}),
    "slow": Reaction(200, SEND.body, after_seconds=20),
    "closed": Reaction(silent=True),
}
# The same for who reads nothing but the status: curl and urllib3 take these for a go, so they have to read the body.
GARBAGE = {
    "accepted": said(202, "send"),
    "hold in the body": said(200, "hold"),
    "garbage": Reaction(200, b"<html>proxy login</html>"),
    "cut JSON": Reaction(200, b'{"decision":"send","proceed":tr'),
}


class Scripted:
    """A server that gives these reactions in turn, the last for ever. `asked` has what came."""

    def __init__(self, *reactions: Reaction) -> None:
        self.asked: list[Asked] = []
        self.stopping = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._react(self, reactions)

            do_POST = do_GET  # noqa: N815 - the name that the base class looks for

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _react(self, handler: BaseHTTPRequestHandler, reactions: tuple[Reaction, ...]) -> None:
        asked = _asked(handler)
        with self._lock:
            reaction = reactions[min(len(self.asked), len(reactions) - 1)]
            self.asked.append(asked)
        handler.close_connection = True
        if reaction.silent or (reaction.after_seconds and self.stopping.wait(reaction.after_seconds)):
            return
        content = reaction.content(asked)
        handler.send_response(reaction.status)
        headers = {"Content-Length": str(len(content) if reaction.length is None else reaction.length)}
        for name, value in (headers | dict(reaction.headers)).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    def close(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _asked(handler: BaseHTTPRequestHandler) -> Asked:
    target = urlsplit(handler.path)
    body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    given = dict(parse_qsl(target.query)) | (json.loads(body) if body else {})
    headers = {name.lower(): value for name, value in handler.headers.items()}
    return Asked(handler.command, target.path, given, headers)


@contextmanager
def a_scripted(*reactions: Reaction) -> Iterator[Scripted]:
    """Yield a server that reacts like this."""
    server = Scripted(*reactions)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def nobody() -> Iterator[str]:
    """Yield the URL of a port that refuses connections."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}"
