"""A webhook receiver: a real HTTP server on loopback that remembers what it got and answers as a test says."""

import queue
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Received:
    """One request as it came in, header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass(frozen=True)
class Answer:
    """What is answered. release: wait for it first."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    release: threading.Event | None = None


class Receiver:
    """answer is asked for every request; it runs on a thread of that request's own."""

    def __init__(self, answer: Callable[[Received], Answer], port: int, scheme: str) -> None:
        self.answer, self.port, self.scheme = answer, port, scheme
        self.got: queue.Queue[Received] = queue.Queue()

    def url(self, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}/hook?key=1"

    def next(self, seconds: float = PATIENCE_SECONDS) -> Received:
        """Return the next request; fail when none comes in time. To be called on a thread."""
        return self.got.get(timeout=seconds)


@contextmanager
def a_receiver(
    answer: Callable[[Received], Answer] = lambda _: Answer(), context: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Yield a receiver that listens; context makes it speak TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.path, headers, body)
            receiver.got.put(received)
            self._answer(receiver.answer(received))

        def _answer(self, answered: Answer) -> None:
            if answered.release is not None:
                answered.release.wait(PATIENCE_SECONDS)
            try:
                self.send_response(answered.status)
                for name, value in answered.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answered.body)))
                self.end_headers()
                self.wfile.write(answered.body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # who asked has gone away, as some tests want it to

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(answer, server.server_address[1], "https" if context else "http")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
