"""Running the program without paying for its imports each time: children forked from a process that has them already.

What such a child does is what `holdfire` does; only the first seconds of its life are not its own, and what it spends
on hashing a password. Tests of those seconds run `python -m app`.
"""

import atexit
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TextIO

_running: set["WarmProcess"] = set()


class WarmProcess:
    """A `holdfire` with these arguments and exactly this environment. Its members mean what Popen's mean.

    stderr is stdout unless apart is True; its standard input is empty unless typed is given.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        apart: bool = False,
        typed: str = "",
    ) -> None:
        reading, writing = multiprocessing.Pipe(duplex=False)
        reading_errors, writing_errors = multiprocessing.Pipe(duplex=False) if apart else (reading, writing)
        call = list(arguments), dict(environment), folder, typed, (writing, writing_errors)
        self._process = _context().Process(target=_holdfire, args=call)
        self._process.start()
        _running.add(self)
        self._code: int | None = None
        self.pid: int = self._process.pid or 0
        self.stdout, self.stderr = _text(reading), _text(reading_errors)
        for end in {reading, writing, reading_errors, writing_errors}:
            end.close()

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        if self._code is None and (code := self._process.exitcode) is not None:
            self._code = code
            self._process.close()
            _running.discard(self)
        return self._code

    def wait(self, timeout: float) -> int:
        """Return the exit code. Raises TimeoutError when it has not ended after so many seconds."""
        if self.poll() is None:
            self._process.join(timeout)
        if (code := self.poll()) is None:
            raise TimeoutError(f"holdfire {self.pid} did not end within {timeout} seconds")
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Close what it was heard through."""
        self.stdout.close()
        self.stderr.close()


def _text(end: Connection) -> TextIO:
    return os.fdopen(os.dup(end.fileno()), encoding="utf-8")


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.warm", "tests.support.warmed"])
    atexit.register(_end_all)
    return context


def _end_all() -> None:
    """Leave nothing running whatever became of a test; multiprocessing itself would wait for it."""
    for process in list(_running):
        process.kill()


def _holdfire(
    arguments: list[str],
    environment: Mapping[str, str],
    folder: Path,
    typed: str,
    outputs: tuple[Connection, Connection],
) -> None:
    """Be the program, in a child."""
    for number, output in enumerate(outputs, 1):
        os.dup2(output.fileno(), number)
    reading, writing = os.pipe()
    os.write(writing, typed.encode())
    os.close(writing)
    os.dup2(reading, 0)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8")
    sys.argv = ["holdfire", *arguments]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    from app.cli import main  # noqa: PLC0415 - the test process has no use for it

    main()
