"""Postfix as a policy server sees it: connections that ask, message after message."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

PATIENCE_SECONDS = 60
PASS = "DUNNO"
DEFER = "DEFER_IF_PERMIT 4.7.1 contact center busy, retry later"

_instances = count(1)


class Asking:
    """One connection of an smtpd process. where: as main.cf has it, inet:host:port or unix:/path."""

    def __init__(self, where: str) -> None:
        kind, _, rest = where.partition(":")
        if kind == "unix":
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(PATIENCE_SECONDS)
            self.socket.connect(str(Path(rest)))
        else:
            host, _, port = rest.rpartition(":")
            self.socket = socket.create_connection((host.strip("[]"), int(port)), PATIENCE_SECONDS)

    def ask(self, sender: str = "news@shop.example", recipients: int = 1, **more: object) -> str | None:
        """Return what a message at DATA is told; None: the connection was closed without an answer."""
        self.send(request(sender, recipients, **more))
        return self.answer()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> str | None:
        """Return the next answer, None where the connection is closed."""
        came = b""
        while not came.endswith(b"\n\n"):
            try:
                byte = self.socket.recv(1)
            except ConnectionError:
                return None
            if not byte:
                assert not came, f"half an answer: {came!r}"
                return None
            came += byte
        name, _, value = came.decode("ascii").strip().partition("=")
        assert name == "action", came
        return value

    def close(self) -> None:
        self.socket.close()


@contextmanager
def asking(where: str) -> Iterator[Asking]:
    """Yield a connection to a policy server."""
    connection = Asking(where)
    try:
        yield connection
    finally:
        connection.close()


def request(sender: str = "news@shop.example", recipients: int = 1, **more: object) -> bytes:
    """Return the request about a new message to so many at DATA, as Postfix writes it."""
    values = {
        "request": "smtpd_access_policy",
        "protocol_state": "DATA",
        "protocol_name": "ESMTP",
        "client_address": "192.0.2.7",
        "client_name": "app-1.shop.example",
        "sender": sender,
        "recipient": "",
        "recipient_count": recipients,
        "instance": f"7b.5f0.1a2b.{next(_instances)}",
    }
    return "".join(f"{name}={value}\n" for name, value in (values | more).items()).encode() + b"\n"
