"""A real Mailman 3 of its own, in a folder of its own, that delivers into a folder."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

BIN = Path(__file__).resolve().parents[2] / ".venv-mailman" / "bin"
USER, PASSWORD = "restadmin", "canary-of-mailman"
START_SECONDS, STOP_SECONDS = 120, 60
IDLE = ("archive", "bounces", "command", "digest", "lmtp", "nntp", "retry", "shunt", "task", "virgin")
CONFIGURATION = """\
[mailman]
site_owner: owner@example.com
layout: here
[paths.here]
var_dir: {folder}/var
[mta]
incoming: mailman.mta.null.NullMTA
smtp_host: 127.0.0.1
smtp_port: {smtp}
max_recipients: 10
[webservice]
hostname: 127.0.0.1
port: {rest}
admin_user: {user}
admin_pass: {password}
workers: 1
"""
MESSAGE = "From: news@example.org\nTo: {to}\nSubject: Spring\nMessage-ID: <{number}@example.org>\n\nHello\n"


class Mailman:
    """Speaks to it as its administrator. sink: where delivered messages lie."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url, self.sink = f"http://127.0.0.1:{port}", folder / "sink"
        self._client = httpx2.Client(base_url=f"{self.url}/3.1", auth=(USER, PASSWORD), timeout=20)

    def call(self, method: str, path: str, form: Mapping[str, object] | None = None) -> Any:
        reply = self._client.request(method, path, data=form)
        assert reply.is_success, reply.text
        return reply.json() if reply.content else None

    def make_list(self, name: str, members: int) -> None:
        """Make a list with members that holds whatever is posted to it."""
        self.call("POST", "/lists", {"fqdn_listname": f"{name}@example.com"})
        self.call("PATCH", f"/lists/{name}@example.com/config", {"emergency": "True"})
        confirmed = {
            "pre_verified": "True",
            "pre_confirmed": "True",
            "pre_approved": "True",
            "send_welcome_message": "False",
        }
        for number in range(members):
            member = {"list_id": f"{name}.example.com", "subscriber": f"{name}-{number}@example.org"}
            self.call("POST", "/members", member | confirmed)

    def post(self, name: str) -> str:
        """Post a message to a list; return the held message as a campaign is named, once it is held."""
        text = MESSAGE.format(to=f"{name}@example.com", number=name)
        self.call("POST", "/queues/in", {"list_id": f"{name}.example.com", "text": text})
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.call("GET", f"/lists/{name}.example.com/held/count")["count"]:
                (held,) = self.call("GET", f"/lists/{name}.example.com/held")["entries"]
                return f"{name}.example.com/{held['request_id']}"
            time.sleep(0.1)
        raise AssertionError("the message was never held")

    def delivered(self) -> list[str]:
        """Return whom a message was delivered to, each as often as it was."""
        found = []
        for path in self.sink.glob("new/*"):
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("X-RcptTo: "):
                    found += line.removeprefix("X-RcptTo: ").split(", ")
        return found

    def wait(self) -> None:
        """Return once it answers."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(httpx2.TransportError):
                if self._client.get("/system/versions").is_success:
                    return
            assert time.monotonic() < deadline, "Mailman does not answer"
            time.sleep(0.1)

    def close(self) -> None:
        self._client.close()


@contextmanager
def a_mailman(folder: Path) -> Iterator[Mailman]:
    """Yield a Mailman that runs; skip where it is not installed, but not in CI."""
    if not (BIN / "master").exists():
        if os.environ.get("CI") == "true":
            pytest.fail("scripts/mailman.sh did not install Mailman")
        pytest.skip("Mailman is not installed; run scripts/mailman.sh")
    smtp, rest = _free_port(), _free_port()
    text = CONFIGURATION.format(folder=folder, smtp=smtp, rest=rest, user=USER, password=PASSWORD)
    idle = "".join(f"[runner.{name}]\nstart: no\n" for name in IDLE)
    (folder / "mailman.cfg").write_text(text + idle, encoding="utf-8")
    handler = ["-c", "aiosmtpd.handlers.Mailbox", str(folder / "sink")]
    sink = [str(BIN / "python"), "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{smtp}", *handler]
    master = [str(BIN / "master"), "-C", str(folder / "mailman.cfg")]
    mailman = Mailman(folder, rest)
    with _running(sink, folder), _running(master, folder):
        try:
            mailman.wait()
            mailman.call("POST", "/domains", {"mail_host": "example.com"})
            yield mailman
        finally:
            mailman.close()


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[None]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
