"""Real Postfix instances, each with a configuration and a queue of its own, on loopback; the machine's is left alone.

Needs root: Postfix's master runs as root and its parts as the user that Debian's package made.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

START_SECONDS = 90
STOP_SECONDS = 60

MASTER = """\
127.0.0.1:{port} inet n - n - 50 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - 20 smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
SETTINGS = {
    "compatibility_level": "3.6",
    "myhostname": "mail.test",
    "mydestination": "",
    "mynetworks": "127.0.0.0/8",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "alias_maps": "",
    "local_recipient_maps": "",
    "smtp_tls_security_level": "none",
    "smtp_dns_support_level": "disabled",
    "disable_dns_lookups": "yes",
    "smtp_host_lookup": "native",
    "in_flow_delay": "0",
    "smtpd_client_connection_count_limit": "0",
    # Times that a test can wait for.
    "queue_run_delay": "1s",
    "minimal_backoff_time": "1s",
    "maximal_backoff_time": "2s",
}


class Postfix:
    """A running instance: it takes mail at `port`."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder, self.port = folder, free_port()
        self._config, self.queue = folder / "config", folder / "queue"
        for each in (self._config, self.queue):
            each.mkdir(parents=True)
        (folder / "data").mkdir()
        shutil.chown(folder / "data", "postfix")
        self._write(settings)
        self._run("postfix", "check")
        self._process = subprocess.Popen(
            [self._run("postconf", "-h", "daemon_directory") + "/master", "-c", str(self._config), "-s"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # ending it, master ends all of its session
        )
        self._wait_until_it_greets()

    def _write(self, settings: Mapping[str, str]) -> None:
        places = {
            "queue_directory": str(self.queue),
            "data_directory": str(self.folder / "data"),
            "maillog_file": str(self.folder / "log"),
            "maillog_file_prefixes": str(self.folder),
        }
        lines = [f"{name} = {value}\n" for name, value in (SETTINGS | places | dict(settings)).items()]
        (self._config / "main.cf").write_text("".join(lines))
        (self._config / "master.cf").write_text(MASTER.format(port=self.port))

    def _wait_until_it_greets(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None and "fatal:" not in self.log:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as knocking:
                if knocking.recv(4) == b"220 ":
                    return
            time.sleep(0.05)
        self.stop()
        raise AssertionError(f"Postfix did not start; it said:\n{self.log}")

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def waiting(self) -> int:
        """How many messages are in its queue."""
        return self.busy + self._files("deferred")

    @property
    def busy(self) -> int:
        """How many messages it is working on, or about to."""
        return self._files("maildrop", "incoming", "active")

    def _files(self, *queues: str) -> int:
        return sum(len(files) for name in queues for _, _, files in os.walk(self.queue / name))

    def flush(self) -> None:
        """Have it try everything that waits, now."""
        self._run("postqueue", "-f")

    def _run(self, program: str, *arguments: str) -> str:
        call = [program, "-c", str(self._config), *arguments]
        done = subprocess.run(call, check=True, timeout=STOP_SECONDS, capture_output=True, text=True)
        return done.stdout.strip()

    def stop(self) -> None:
        """End it and all its parts."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_SECONDS)


@contextmanager
def a_postfix(folder: Path, **settings: str) -> Iterator[Postfix]:
    """Yield an instance below a folder, with these settings of main.cf; it is ended at the end."""
    postfix = Postfix(folder, settings)
    try:
        yield postfix
    finally:
        postfix.stop()


@contextmanager
def a_mail_folder() -> Iterator[Path]:
    """Yield a folder that Postfix's own user may enter; in memory, where that is, since queues are synced often."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder below it has a name of its own
    base = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="holdfire-mail-", dir=base) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def need_postfix() -> None:
    """Skip a test where Postfix cannot run; under CI=true it fails then."""
    lacking = "Debian's postfix" if shutil.which("postfix") is None else "root" if os.geteuid() else None
    if lacking is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"this test needs {lacking}")
    pytest.skip(f"this test needs {lacking}")


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port
