"""`holdfire check` and `wait` against servers that answer well, badly, late or not at all: exit 0 means go, only."""

import json
import os
import pty
import signal
import time
from contextlib import ExitStack

import pytest
from typer.testing import CliRunner

from app.cli import cli
from tests.support.answers import FAULTS, GARBAGE, HOLD, SEND, Reaction, a_scripted, nobody, said
from tests.support.senders import save_policy, tell, wait_for_gate
from tests.support.server import a_server
from tests.support.shell import Shell, wait_until

QUICK = [{"metric": "backlog", "hold_above": 10, "resume_below": 5, "hold_for_seconds": 0, "resume_for_seconds": 4}]
NO_ANSWER = {
    "accepted": said(202, "send"),
    "no content": Reaction(204),
    "moved": Reaction(301, b"", {"Location": "/elsewhere"}),
    "status and body differ": said(429, "send"),
    "another gate": said(200, "send", gate="other"),
    "nothing": Reaction(200, b""),
    "a list": Reaction(200, []),
    "half of it": Reaction(200, {"decision": "send"}),
}
EXIT_CODES = {"hold": 20, "unknown": 30, "throttle": 10, "hold in the body": 20}


def run(*arguments: str):
    return CliRunner().invoke(cli, list(arguments))


def was_told_to_wait(client):
    """Tell whether the server has logged the script's question, the only one about 500,000."""
    asked = client.get("/api/v1/decisions", params={"kind": "asked"}).json()["items"]
    return any(item["requested"] == 500_000 for item in asked)


def slam_and_clear(client):
    """Have the hold end a few seconds from now: one that nobody can see the end of is asked about 15 seconds later."""
    tell(client, backlog=500)
    wait_until(lambda: "500 waiting" in client.get("/api/v1/readiness").json()["summary"], "the slam to be seen")
    tell(client, backlog=0)


@pytest.mark.parametrize(
    ("reaction", "code"),
    [
        (SEND, 0),
        (said(200, "throttle", allow=25_000), 10),
        *((reaction, EXIT_CODES.get(name, 1)) for name, reaction in (FAULTS | GARBAGE).items() if name != "slow"),
        *((reaction, 1) for reaction in NO_ANSWER.values()),
    ],
)
def test_only_a_200_whose_body_agrees_exits_0(reaction, code):
    with a_scripted(reaction) as server:
        assert run("check", "--url", server.url, "--audience", "500000", "--accept-partial").exit_code == code


def test_the_whole_question_is_asked():
    with a_scripted(SEND) as server:
        options = ("--gate", "orders", "--audience", "500000", "--campaign", "spring", "--accept-partial")
        run("check", "--url", server.url, "--key", "hf_live_a_b", *options)
    (asked,) = server.asked
    assert asked.path == "/api/v1/readiness"
    assert asked.given == {"gate": "orders", "audience": "500000", "campaign": "spring", "accept_partial": "true"}
    assert asked.headers["authorization"] == "Bearer hf_live_a_b"


def test_a_server_that_is_not_there_is_no_go():
    with nobody() as url:
        result = run("check", "--url", url)
    assert result.exit_code == 1
    assert "cannot be asked" in result.output


def test_wait_asks_again_until_the_send_may_go():
    away = Reaction(502, b"<html>", {"Retry-After": "0"})
    hold, unknown = (said(status, "hold", retry_after_seconds=0.05) for status in (429, 503))
    with a_scripted(hold, unknown, away, SEND) as server:
        result = run("wait", "--url", server.url, "--timeout", "30s")
    assert (result.exit_code, len(server.asked)) == (0, 4)
    assert result.output == "SEND  it is send\n"


def test_wait_gives_up_at_the_timeout_with_the_last_answer():
    with a_scripted(said(429, "hold", retry_after_seconds=0.05)) as server:
        assert run("wait", "--url", server.url, "--timeout", "0.3s").exit_code == 20
    assert len(server.asked) >= 2


def test_wait_stops_at_once_where_waiting_cannot_help():
    with a_scripted(Reaction(403, {"detail": "scope readiness is missing"})) as server:
        result = run("wait", "--url", server.url)
    assert (result.exit_code, len(server.asked)) == (1, 1)
    assert "scope readiness is missing" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--audience", "0"),
        ("wait", "--timeout", "soon"),
        ("wait", "--timeout", "1e9"),
        ("check", "--url", "holdfire.example"),
        ("check", "--key", "two words"),
    ],
)
def test_bad_usage_exits_2(arguments):
    assert run(*arguments).exit_code == 2


def test_json_prints_the_answer_as_received():
    with a_scripted(HOLD) as server:
        told = json.loads(run("check", "--url", server.url, "--json").stdout)
    assert (told["decision"], told["proceed"], told["decision_id"]) == ("hold", False, "dec_1")


# --- as people use it, in a shell -------------------------------------------------------------------------------------

WAIT_AND_SEND = "holdfire wait --gate default --audience 500000 --timeout 1s && send"


def test_nothing_is_sent_on_hold_unknown_timeout_refusal_and_garbage(tmp_path):
    shell, script = Shell(tmp_path), []
    with ExitStack() as stack:
        urls = {"refused": stack.enter_context(nobody())}
        for name in ("hold", "unknown", "slow", "garbage", "closed"):
            urls[name] = stack.enter_context(a_scripted((FAULTS | GARBAGE)[name])).url
        script = [f"HOLDFIRE_URL={url} {WAIT_AND_SEND} {name} &" for name, url in urls.items()]
        go = stack.enter_context(a_scripted(SEND)).url
        shell.run("\n".join([*script, "wait", f"HOLDFIRE_URL={go} {WAIT_AND_SEND} go"]))
    assert shell.sent == ["go"]


def test_a_script_of_wait_and_send_holds_while_the_floor_is_slammed_and_sends_when_it_clears(tmp_path):
    with a_server(tmp_path / "data") as server, server.client() as client:
        save_policy(client, rules=QUICK)
        tell(client, backlog=500)
        wait_for_gate(client, "hold")
        shell = Shell(tmp_path, server.url)
        assert shell.run("holdfire check && send slammed").returncode == 20
        with shell.started("holdfire wait --audience 500000 --timeout 90s && send 500000") as process:
            while not was_told_to_wait(client):
                slam_and_clear(client)
                time.sleep(0.5)
            assert (process.poll(), shell.sent) == (None, [])
            assert process.wait(90) == 0
    assert shell.sent == ["500000"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_wait_by_that_signal_and_sends_nothing(tmp_path, number):
    with a_scripted(HOLD) as server:
        shell = Shell(tmp_path, server.url)
        with shell.started("exec holdfire wait") as process:
            wait_until(lambda: server.asked, "the first ask")
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (-number, "", "")


def test_on_a_terminal_wait_shows_what_it_waits_for_and_is_quiet_elsewhere(tmp_path):
    terminal, inside = pty.openpty()
    with a_scripted(HOLD, SEND) as server:
        shell = Shell(tmp_path, server.url)
        with shell.started(f"exec holdfire wait 2>{os.ttyname(inside)}") as process:
            out, _ = process.communicate(timeout=60)
    shown = os.read(terminal, 65_536).decode()
    os.close(terminal)
    os.close(inside)
    assert "default: hold: it is hold; asking again in 1 s" in " ".join(shown.split())
    assert out == "SEND  it is send\n"
