"""`holdfire release` in a shell against a real holdfire: who is mailed, when it stops, and what is booked."""

import asyncio
import io
import json
import re
import signal
from contextlib import ExitStack

import pytest

from app.client import AsyncHoldfire, NotCleared, Unanswered
from app.commands.release_plan import Listener, Plan
from app.commands.releasing import Release, ReleaseFailed
from tests.support.answers import FAULTS, GARBAGE, SEND, a_scripted, nobody
from tests.support.senders import open_gate, tell, wait_for_gate
from tests.support.server import REPOSITORY, a_server
from tests.support.shell import Shell, wait_until

SOON = [{"metric": "backlog", "hold_above": 10, "resume_below": 5, "hold_for_seconds": 0, "resume_for_seconds": 3}]
SEND_ONE = """#!/bin/sh
echo "$1" >>mailed
sleep "${PACE:-0}"
while [ -e busy ]; do sleep 0.05; done
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with a_server(tmp_path_factory.mktemp("data")) as server, server.client() as client:
        assert client.post("/api/v1/gates", json={"name": "without-policy"}).is_success
        yield server


@pytest.fixture
def shell(tmp_path, server):
    """A shell beside an open gate. `send-wave.sh` is the how-to's, and `send-one` writes down whom it mailed."""
    open_gate(server, rules=SOON)
    shell = Shell(tmp_path, server.url)
    page = (REPOSITORY / "docs" / "howto" / "release-from-a-shell-script.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```bash\n(#!/bin/bash\n# send-wave.sh.+?)```", page, re.DOTALL)
    shell.program("send-wave.sh", script)
    shell.program("send-one", SEND_ONE)
    return shell


def recipients(shell, number):
    people = [f"p{index:04}@example.com" for index in range(number)]
    (shell.folder / "recipients.txt").write_text("".join(f"{each}\n" for each in people))
    return people


def mailed(shell):
    path = shell.folder / "mailed"
    return path.read_text().splitlines() if path.exists() else []


def permits(server):
    """Return all permits, oldest first."""
    with server.client() as client:
        return client.get("/api/v1/permits", params={"limit": 500}).json()["items"][::-1]


def release(audience, command="./send-wave.sh", *options):
    return " ".join(["holdfire release", f"--audience {audience} --wave-gap 0s --wave-command '{command}'", *options])


def test_everybody_is_mailed_once_in_waves_of_what_the_gate_allows(shell, server):
    open_gate(server, rules=SOON, max_audience_per_wave=8)
    people, before = recipients(shell, 25), len(permits(server))
    done = shell.run(release(25, "./send-wave.sh", "--wave-size 10"))
    assert (done.returncode, done.stderr) == (0, "")
    assert mailed(shell) == people
    assert [(each["allow"], each["sent"], each["state"]) for each in permits(server)[before:]] == [
        (8, 8, "used"),
        (8, 8, "used"),
        (8, 8, "used"),
        (1, 1, "used"),
    ]
    assert done.stdout.splitlines()[-1] == "25 of 25 sent in 4 waves"


def test_a_spike_in_mid_flight_stops_the_wave_and_a_small_one_probes_once_it_is_over(shell, server):
    people = recipients(shell, 30)
    with server.client() as client, shell.started(release(30), PACE="0.1") as process:
        wait_until(lambda: len(mailed(shell)) > 2, "the first mails")
        (shell.folder / "busy").touch()
        tell(client, backlog=500)
        wait_for_gate(client, "hold")
        tell(client, backlog=0)
        wait_until(lambda: "back within limits" in client.get("/api/v1/readiness").json()["summary"], "the recovery")
        (shell.folder / "busy").unlink()
        out, err = process.communicate(timeout=60)
    lines = out.splitlines()
    assert process.returncode == 0, err
    assert mailed(shell) == people
    assert any("stopped because" in line for line in lines)
    assert any(line.startswith("hold since ") and "back within limits" in line for line in lines)
    assert any(line.startswith("wave 2: 3 of 30 may go") for line in lines)


def test_a_wave_that_fails_ends_the_release_with_1_and_what_it_sent_is_booked(shell, server):
    recipients(shell, 20)
    done = shell.run(release(20, "./send-wave.sh; exit 3", "--wave-size 5"))
    assert done.returncode == 1
    assert "wave 1 failed with exit code 3" in done.stderr
    assert len(mailed(shell)) == permits(server)[-1]["sent"] == 5


def test_a_revoked_permit_stops_a_wave_that_does_not_count_and_nothing_more_is_sent(shell, server):
    with shell.started(release(20, "echo on >>mailed; exec sleep 60", "--stop-grace 1s", "--json")) as process:
        wait_until(lambda: mailed(shell), "the wave")
        permit = permits(server)[-1]
        with server.client() as client:
            client.post(f"/api/v1/permits/{permit['id']}/revoke", json={"reason": "wrong list"})
        out, _ = process.communicate(timeout=60)
    told = json.loads(out)
    assert (process.returncode, told["outcome"], told["left"]) == (1, "failed", 20)
    assert told["waves"][0]["stopped_because"] == "its permit is revoked: wrong list"
    assert mailed(shell) == ["on"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_wave_and_books_what_was_sent(shell, server, number):
    people = recipients(shell, 60)
    with shell.started(f"exec {release(60)}", PACE="0.1") as process:
        wait_until(lambda: len(mailed(shell)) > 2, "the first mails")
        process.send_signal(number)
        process.communicate(timeout=60)
    permit = permits(server)[-1]
    assert process.returncode == -number
    assert permit["state"] == "released"
    assert mailed(shell) == people[: len(mailed(shell))]
    assert len(mailed(shell)) - 1 <= permit["sent"] <= len(mailed(shell))


@pytest.mark.usefixtures("server")
def test_what_was_ended_goes_on_where_it_says_and_everybody_is_mailed_once(shell):
    people = recipients(shell, 30)
    failing = "./send-wave.sh; exit 3"
    first = shell.run(release(30, failing, "--wave-size 10"))
    hint = first.stdout.splitlines()[-1]
    assert (first.returncode, hint) == (1, "to go on from there: the same command with --offset 10")
    second = shell.run(release(30, "./send-wave.sh", "--offset 10"))
    assert (second.returncode, mailed(shell)) == (0, people)
    beyond = shell.run(release(30, "./send-wave.sh", "--offset 30"))
    assert (beyond.returncode, "nobody is left" in beyond.stderr) == (2, True)


def test_a_release_that_is_killed_leaves_no_wave_behind(shell, server):
    wave = 'trap "echo over >>ended; exit 0" TERM; while :; do echo on >>mailed; sleep 0.1; done'
    with shell.started(f"exec {release(200, wave)}") as process:
        wait_until(lambda: mailed(shell), "the wave")
        process.kill()
        process.wait(60)
        wait_until((shell.folder / "ended").exists, "the wave to end")
    assert permits(server)[-1]["state"] == "active"


@pytest.mark.parametrize(
    ("backlog", "gate", "code"), [(500, "default", 20), (0, "without-policy", 30), (0, "missing", 1)]
)
def test_nothing_is_sent_without_a_go_and_the_exit_code_says_why(shell, server, backlog, gate, code):
    with server.client() as client:
        tell(client, backlog=backlog)
        wait_for_gate(client, "hold" if backlog else "send")
    done = shell.run(release(20, "echo on >>mailed", f"--gate {gate} --timeout 1s"))
    assert (done.returncode, mailed(shell)) == (code, []), done.stdout + done.stderr


class Told(Listener):
    """Keeps what came of each wave."""

    def __init__(self):
        self.waves = []

    def waits(self, last, pause):
        pass

    def rests(self, seconds):
        pass

    def opens(self, number, permit):
        pass

    def closed(self, wave):
        self.waves.append(wave)

    def note(self, text):
        pass


async def test_no_wave_opens_on_anything_but_a_permit():
    async def give_up(url):
        told = Told()
        async with AsyncHoldfire(url, timeout=0.3) as holdfire:
            whole = Release(holdfire, Plan("default", 5, "true", timeout_seconds=0), told, io.BytesIO())
            with pytest.raises((NotCleared, Unanswered)):
                await whole.run()
        assert told.waves == []

    with ExitStack() as stack:
        urls = [stack.enter_context(a_scripted(answer)).url for answer in (FAULTS | GARBAGE | {"go": SEND}).values()]
        await asyncio.gather(*map(give_up, [*urls, stack.enter_context(nobody())]))


def test_a_holdfire_that_dies_in_mid_flight_stops_the_wave(tmp_path):
    mails = tmp_path / "mails"
    plan = Plan("default", 5, f"echo on >>{mails}; exec sleep 60", check_seconds=0.1, unchecked_seconds=1)

    async def run(server, told):
        async with AsyncHoldfire(server.url) as holdfire:
            releasing = asyncio.ensure_future(Release(holdfire, plan, told, io.BytesIO()).run())
            await asyncio.to_thread(wait_until, mails.exists, "the wave")
            await asyncio.to_thread(server.stop, signal.SIGKILL)
            await releasing

    told = Told()
    with a_server(tmp_path / "data") as server:
        open_gate(server)
        with pytest.raises(ReleaseFailed, match="wave 1 was stopped"):
            asyncio.run(run(server, told))
    (wave,) = told.waves
    assert (wave.stopped_because, wave.exit_code) == ("its permit could not be checked for 1 s", -signal.SIGTERM)
