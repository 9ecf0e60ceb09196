"""A cable between two programs, which a test can pull out: what one sends reaches the other through here."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 65_536


class Cable:
    """Listens on `port` of loopback and passes everything on to another port there."""

    def __init__(self, to: int) -> None:
        self._to, self._listener = to, socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: set[socket.socket] = set()
        self._in_place = threading.Event()
        self._in_place.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def pull(self) -> None:
        """Let nothing through any more; nobody is told that the other side is gone."""
        self._in_place.clear()

    def put_back(self) -> None:
        """Let through what was held up, and all that follows."""
        self._in_place.set()

    def close(self) -> None:
        """End every connection."""
        self.put_back()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in list(self._ends):
            _end(end)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            self._ends |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while heard := source.recv(CHUNK):
                self._in_place.wait()
                target.sendall(heard)
        _end(source)
        _end(target)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def a_cable(to: int) -> Iterator[Cable]:
    """Yield a cable to a port, pulled out for good in the end."""
    cable = Cable(to)
    try:
        yield cable
    finally:
        cable.close()
