"""Shell scripts as people write them, run for real: `holdfire` is on their PATH, and a `send` that keeps count."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.server import REPOSITORY

PATIENCE_SECONDS = 60


def wait_until(look: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return once look() is true; what another process does is signalled to nobody."""
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.02)


class Shell:
    """A folder to run scripts in. `sent` has a line for each time that `send` was run, with its arguments."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder, self.url = folder, url
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        self.program("holdfire", f'#!/bin/sh\nexec "{sys.executable}" -m app "$@"\n')
        self.program("send", f'#!/bin/sh\nprintf "%s\\n" "$*" >>"{folder / "sent"}"\n')

    @property
    def sent(self) -> list[str]:
        path = self.folder / "sent"
        return path.read_text().splitlines() if path.exists() else []

    def run(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a script to its end."""
        with self.started(script, **environment) as process:
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
        return subprocess.CompletedProcess(script, process.returncode, out, err)

    @contextmanager
    def started(self, script: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """Yield a script that runs; what is left of it at the end is killed."""
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment() | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFIRE_")}
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return inherited | {"PATH": path, "PYTHONPATH": str(REPOSITORY), "HOLDFIRE_URL": self.url}

    def program(self, name: str, text: str) -> None:
        """Put a program into the folder, where scripts find it with or without ./ before its name."""
        for path in (self.folder / name, self.folder / "bin" / name):
            path.write_text(text)
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
