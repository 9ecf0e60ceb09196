"""`holdfire postfix-policy` as a process of its own, in front of a holdfire that runs elsewhere."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.server import REPOSITORY

STOP_SECONDS = 60

RULES = """\
[[postfix_policy.rules]]
name = "receipts"
kind = "transactional"
sender = ["receipts@*"]

[[postfix_policy.rules]]
name = "newsletter"
kind = "bulk"
sender = ["news@*"]
wave = {wave}
wave_gap_seconds = {gap}
"""


class PolicyServer:
    """A started policy server. where: as Postfix's main.cf has it. printed: what it said so far."""

    def __init__(self, folder: Path, url: str, table: str) -> None:
        path = folder / "holdfire.toml"
        path.write_text(table, encoding="utf-8")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFIRE_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", "postfix-policy"],
            cwd=REPOSITORY,
            env=inherited | {"HOLDFIRE_CONFIG": str(path), "HOLDFIRE_URL": url, "HOLDFIRE_LOG_LEVEL": "debug"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.printed: list[str] = []
        self.where = self._until(r"answering Postfix on (\S+)")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _until(self, pattern: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line)
            if match := re.search(pattern, line):
                return match[1]
        raise AssertionError(f"no line matched {pattern!r}; it printed:\n{''.join(self.printed)}")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal, wait for the end, return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"it did not end; it printed:\n{''.join(self.printed)}") from None
        finally:
            self._reader.join(5)
            if self.process.stdout is not None:
                self.process.stdout.close()


@contextmanager
def a_policy_server(
    folder: Path, url: str, *, wave: int = 50, gap: float = 0, listen: str = "127.0.0.1:0", **more: str | int
) -> Iterator[PolicyServer]:
    """Yield a policy server with a rule for news@ and one for receipts@; more: further keys of its table."""
    keys = {"listen": listen, "ask_seconds": 1} | more
    lines = [f"{key} = {value}" if isinstance(value, int) else f'{key} = "{value}"' for key, value in keys.items()]
    table = "[postfix_policy]\n" + "\n".join(lines) + "\n\n" + RULES.format(wave=wave, gap=gap)
    server = PolicyServer(folder, url, table)
    try:
        yield server
    finally:
        server.stop()
