"""Replicas that misbehave: each keeps what it is sent, then answers, hangs up without an answer, or says nothing."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Manner = Literal["answers", "hangs up", "says nothing"]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class StandIn:
    """Takes one request per connection. `address` is host:port, `requests` holds their heads as they came."""

    def __init__(self, manner: Manner) -> None:
        self.requests: list[str] = []
        self._manner = manner
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        self._open.append(connection)
        came = b""
        while b"\r\n\r\n" not in came and (more := connection.recv(65536)):
            came += more
        self.requests.append(came.decode("latin-1"))
        if self._manner == "answers":
            connection.sendall(ANSWER)
        if self._manner != "says nothing":
            connection.close()

    def close(self) -> None:
        """End it, with all its connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()
        self._thread.join(10)


@contextmanager
def a_stand_in(manner: Manner) -> Iterator[StandIn]:
    """Yield a replica that takes requests in this manner."""
    made = StandIn(manner)
    try:
        yield made
    finally:
        made.close()
