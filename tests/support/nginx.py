"""A real nginx with the configuration that the cluster's has; only its addresses and folders are others."""

import os
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import httpx2
import pytest

from tests.support.running import a_free_port, a_running
from tests.support.server import REPOSITORY

CONFIGURATION = REPOSITORY / "docker" / "nginx" / "nginx.conf"
RESOLVER = "resolver 127.0.0.11 valid=5s ipv6=off;"
REPLICA = "server holdfire:8000 resolve"
NOTHING: Mapping[str, str] = MappingProxyType({})


def example(name: str) -> str:
    """Return an example of what an installation adds in server.d."""
    return (CONFIGURATION.parent / "server.d" / f"{name}.example").read_text(encoding="utf-8")


def nginx_program() -> str:
    """Return the path of nginx; where it is not installed, the test is skipped."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None:
        pytest.skip("nginx is not installed (Debian: apt-get install nginx)")
    return found


def configuration(folder: Path, port: str, alive_port: str, replicas: Sequence[str], passes_over_after: str) -> str:
    """Return the configuration with these ports, this folder for what nginx writes, and replicas as host:port.

    passes_over_after: how long an ask waits for a replica before it goes on to the next.
    """
    text = CONFIGURATION.read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if REPLICA in line)
    for old, new in (
        (line, "\n".join(line.replace(REPLICA, f"server {replica}") for replica in replicas)),
        (RESOLVER, ""),
        ("listen 8080 default_server;", f"listen 127.0.0.1:{port} default_server;"),
        ("listen 127.0.0.1:8081;", f"listen 127.0.0.1:{alive_port};"),
        ("worker_processes auto;", "worker_processes 1;"),
        ("proxy_read_timeout 2s;", f"proxy_read_timeout {passes_over_after};"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text.replace(" /tmp/", f" {folder}/").replace(" /dev/stdout", f" {folder}/access.log")


class Nginx:
    """An nginx that runs. `url` is where it answers, `log` what it complained about."""

    def __init__(self, port: str, alive_port: str, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.alive_url = f"http://127.0.0.1:{alive_port}/alive"
        self.log = log

    def client(self, key: str | None = None) -> httpx2.Client:
        """Return an HTTP client that asks through it; close it after use."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60)


@contextmanager
def a_nginx(
    folder: Path, replicas: Sequence[str], additions: Mapping[str, str] = NOTHING, *, passes_over_after: str = "30s"
) -> Iterator[Nginx]:
    """Yield an nginx in front of replicas, each host:port. additions: the files of server.d, by name.

    passes_over_after: how long an ask waits for a replica; "2s" is what users have, more bears with a slow machine.
    """
    port, alive_port = a_free_port(), a_free_port()
    (folder / "server.d").mkdir(parents=True)
    for name, text in additions.items():
        (folder / "server.d" / name).write_text(text, encoding="utf-8")
    file = folder / "nginx.conf"
    file.write_text(configuration(folder, port, alive_port, replicas, passes_over_after), encoding="utf-8")
    command: list[str | Path] = [nginx_program(), "-e", "stderr", "-c", file]
    if os.geteuid() == 0:  # as in its container all of it is one user, who may enter the folder
        command += ["-g", "user root root;"]
    with a_running(command, folder, lambda _: _takes_connections(port)) as log:
        yield Nginx(port, alive_port, log)


def _takes_connections(port: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(port)), 1).close()
    except OSError:
        return False
    return True
