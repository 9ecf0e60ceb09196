"""Real curl, with the line that the how-to gives: what it sends on, and what it never sends on."""

import re
import signal
from contextlib import ExitStack

import pytest

from tests.support.answers import FAULTS, GARBAGE, HOLD, SEND, UNKNOWN, a_scripted, nobody
from tests.support.senders import open_gate, save_policy, tell, wait_for_gate
from tests.support.server import REPOSITORY, a_server
from tests.support.shell import Shell

ANSWERS = FAULTS | GARBAGE


def line_of_the_how_to(name, retries=2):
    """Return the how-to's command for a shell of ours: it sends `name`, and is less patient."""
    page = (REPOSITORY / "docs" / "howto" / "ask-with-curl.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"```bash\n(curl .+?)```", page, re.DOTALL)
    for patient, hasty in (
        ("--max-time 10", "--max-time 1"),
        ("--retry 20", f"--retry {retries}"),
        ("time 7200", "time 3"),
    ):
        assert patient in line
        line = line.replace(patient, hasty)
    return line.replace("./send-campaign", f"send '{name}'").replace("answer.json", f"'{name}.json'").strip()


def status_alone(name):
    """Return what people write who trust the status."""
    return f'curl --fail -sS --max-time 1 "$HOLDFIRE_URL/api/v1/readiness?audience=500000" >/dev/null && send "{name}"'


def run_side_by_side(shell, lines):
    """Run lines at the same time, each with its own server: {name: (line, url)}."""
    script = [f"(export HOLDFIRE_URL={url}; {line}) &" for line, url in lines]
    shell.run("\n".join([*script, "wait"]))


@pytest.fixture
def servers():
    """A server for every answer there is, by name, and one that refuses connections."""
    with ExitStack() as stack:
        scripted = {name: stack.enter_context(a_scripted(answer)) for name, answer in ANSWERS.items()}
        yield {name: server.url for name, server in scripted.items()} | {"refused": stack.enter_context(nobody())}


def test_the_how_tos_line_sends_on_a_go_and_on_nothing_else(tmp_path, servers):
    shell = Shell(tmp_path)
    with a_scripted(SEND) as go:
        urls = servers | {"go": go.url}
        run_side_by_side(shell, [(line_of_the_how_to(name), url) for name, url in urls.items()])
    assert shell.sent == ["go"]


def test_it_waits_out_holds_and_restarts_as_long_as_they_say(tmp_path):
    shell = Shell(tmp_path)
    with a_scripted(HOLD, UNKNOWN, SEND) as server:
        run_side_by_side(shell, [(line_of_the_how_to("later"), server.url)])
    assert shell.sent == ["later"]
    assert len(server.asked) == 3


def test_who_trusts_the_status_alone_sends_on_answers_that_are_no_go(tmp_path, servers):
    """The reason why a hold is 429 or 503 unless a key asks for something else, and why the how-to reads the body."""
    shell = Shell(tmp_path)
    run_side_by_side(shell, [(status_alone(name), url) for name, url in servers.items()])
    assert sorted(shell.sent) == sorted([*GARBAGE, "redirect"])


def test_a_real_holdfire_is_obeyed_while_it_knows_holds_lets_go_hangs_and_is_gone(tmp_path):
    shell = Shell(tmp_path)

    def ask(name, url):
        run_side_by_side(shell, [(line_of_the_how_to(name, retries=1), url)])
        return shell.sent

    with a_server(tmp_path / "data") as server, server.client() as client:
        save_policy(client)
        assert ask("unknown", server.url) == []
        tell(client, backlog=500)
        wait_for_gate(client, "hold")
        assert ask("hold", server.url) == []
        open_gate(server, rules=[{"metric": "backlog", "hold_above": 1000}])
        assert ask("go", server.url) == ["go"]
        server.process.send_signal(signal.SIGSTOP)
        assert ask("hangs", server.url) == ["go"]
        server.process.send_signal(signal.SIGCONT)
    assert ask("gone", server.url) == ["go"]
