"""A PostgreSQL of the benchmark's own, as durable as its defaults, on the load's core."""

import os
import pwd
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.servers import LOAD_CORE, started

PATIENCE_SECONDS, PAUSE_SECONDS = 60.0, 0.05
OWNER = "postgres"  # who runs it where we are root, which it refuses to be run by


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Yield the URL of an empty database on a new server with its files in an empty folder; end the server afterwards.

    Raises FileNotFoundError where Debian's package postgresql is not installed.
    """
    if os.geteuid() == 0:
        owner = pwd.getpwnam(OWNER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    made = ("-D", data, "-U", "holdfire", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    subprocess.run([*_as_owner(), _program("initdb"), *made], check=True, stdout=subprocess.DEVNULL)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}")
    command = [
        *_as_owner(),
        _program("postgres"),
        "-D",
        str(data),
        *(part for each in settings for part in ("-c", each)),
    ]
    log = folder / "log"
    with started(command, {}, LOAD_CORE, log):
        url = f"postgresql://holdfire@127.0.0.1:{port}/postgres"
        _wait_for(url, log)
        yield url


def _wait_for(url: str, log: Path) -> None:
    latest = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > latest:
                raise RuntimeError(f"PostgreSQL does not answer:\n{log.read_text()}") from None
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _program(name: str) -> str:
    """Return the path of one of the newest PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    if not found:
        raise FileNotFoundError("there is no PostgreSQL to measure; install Debian's package postgresql")
    return str(found[-1])


def _as_owner() -> tuple[str, ...]:
    return ("setpriv", "--reuid", OWNER, "--regid", OWNER, "--init-groups") if os.geteuid() == 0 else ()
