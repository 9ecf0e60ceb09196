"""`holdfire watch` beside a real server: what it prints, how it ends, and that it survives what the server does not."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest

from tests.support.senders import open_gate, tell, wait_for_gate
from tests.support.server import REPOSITORY, a_server, run_cli
from tests.support.shell import wait_until

# It misses a server somewhat sooner than it does elsewhere: what says something every five seconds, after eight.
IMPATIENT = """
import app.commands.watch_screen, app.commands.watch_socket
app.commands.watch_socket.SILENT_AFTER_SECONDS = app.commands.watch_screen.SILENT_AFTER_SECONDS = 8.0
from app.__main__ import main
main()
"""


class Watching:
    """A `holdfire watch` in a pipe."""

    def __init__(self, url: str, output: Path, *arguments: str) -> None:
        self.output = output
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFIRE_")}
        with output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", IMPATIENT, "watch", "--url", url, *arguments],
                cwd=REPOSITORY,
                env=inherited,
                stdout=file,
            )

    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()

    def wait_for(self, part: str) -> None:
        wait_until(lambda: any(part in each for each in self.lines()), f"{part!r} in {self.lines()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def test_once_shows_what_is_so_and_exits_as_check_does(tmp_path):
    with a_server(tmp_path / "data") as server:
        unknown = run_cli("watch", "--once", "--url", server.url)
        open_gate(server)
        clear = run_cli("watch", "--once", "--url", server.url)
        with server.client() as client:
            tell(client, backlog=50)
            wait_for_gate(client, "hold")
        held = run_cli("watch", "--once", "--json", "--url", server.url)
        nowhere = run_cli("watch", "--gate", "nowhere", "--url", server.url)
    assert (unknown.returncode, clear.returncode, held.returncode, nowhere.returncode) == (30, 0, 20, 1)
    assert "◇ UNKNOWN" in unknown.stdout
    assert "● SEND" in clear.stdout
    assert json.loads(held.stdout)["decision"]["state"] == "hold"
    assert "there is no such gate: 'nowhere'" in nowhere.stdout + nowhere.stderr


def test_nobody_there_and_a_key_that_is_none_are_said_in_a_sentence(tmp_path):
    with a_server(tmp_path / "data", auth="on") as server:
        refused = run_cli("watch", "--once", "--url", server.url, "--key", "hf_live_aaaaaaaa_b")
    gone = run_cli("watch", "--once", "--url", server.url)
    assert refused.returncode == 1
    assert "the key is not known" in refused.stdout + refused.stderr
    assert gone.returncode == 1
    assert "is holdfire running there?" in gone.stdout + gone.stderr


@pytest.mark.slow
def test_in_a_pipe_each_change_is_a_line_over_a_frozen_server_and_a_restart(tmp_path):
    with a_server(tmp_path / "data") as server, Watching(server.url, tmp_path / "lines") as watching:
        open_gate(server)
        watching.wait_for("SEND")
        with server.client() as client:
            tell(client, backlog=50)
        watching.wait_for("HOLD")
        server.process.send_signal(signal.SIGSTOP)
        try:
            watching.wait_for("UNKNOWN Not live: nothing heard for")
        finally:
            server.process.send_signal(signal.SIGCONT)
        before = len(watching.lines())
        wait_until(lambda: len(watching.lines()) > before, "a line after the thaw")
        watching.process.send_signal(signal.SIGINT)
        assert watching.process.wait(60) == -signal.SIGINT
    states = [each.split()[2] for each in watching.lines()]
    assert states.index("SEND") < states.index("HOLD") < len(states) - 1 - states[::-1].index("UNKNOWN")


def test_every_frame_is_a_line_of_json(tmp_path):
    with a_server(tmp_path / "data") as server, Watching(server.url, tmp_path / "frames", "--json") as watching:
        open_gate(server)
        watching.wait_for('"state":"send"')
        frames = [json.loads(each) for each in watching.lines() if each.endswith("}")]
    assert {frame["type"] for frame in frames} == {"snapshot"}
    assert [frame["seq"] for frame in frames] == sorted(frame["seq"] for frame in frames)
