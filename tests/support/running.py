"""A program that serves, in a folder of its own, ended by its id with all that it started."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.shell import wait_until

START_SECONDS = 240
STOP_SECONDS = 20


@contextmanager
def a_running(
    command: Sequence[str | Path],
    folder: Path,
    is_ready: Callable[[str], bool],
    environment: Mapping[str, str] | None = None,
) -> Iterator[Path]:
    """Yield its log, once is_ready says of the log that it serves. environment: what else it is told."""
    log = folder / "log"
    with log.open("w") as out:
        told = {**os.environ, **(environment or {})}
        process = subprocess.Popen(command, cwd=folder, env=told, stdout=out, stderr=out, start_new_session=True)
    try:
        wait_until(lambda: is_ready(log.read_text()) or process.poll() is not None, str(command[0]), START_SECONDS)
        assert process.poll() is None, log.read_text()
        yield log
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def a_free_port() -> str:
    """Return a port that is free now."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return str(unused.getsockname()[1])
