"""`holdfire demo` as people run it: a process, its printed URL, its answers, its end."""

import re
import signal
import socket
import time
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from app.web.twins.drawing import GROUND
from tests.support.server import Server, run_cli

STALE_AFTER_SECONDS = 120
PATIENCE_SECONDS = 150
UNSURE = 503
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

GATE = "/api/v1/gates/default"
QUESTION = {"gate": "default", "audience": "100000", "campaign": "spring"}


@contextmanager
def a_demo(folder, *arguments, speed="300"):
    server = Server(["demo", "--port", "0", "--speed", speed, *arguments], {"TMPDIR": str(folder)})
    try:
        yield server
    finally:
        server.stop(signal.SIGINT)


def states_until(client, *wanted, seconds=PATIENCE_SECONDS):
    """Look until the gate was seen in each of these states, or with this first reason, in this order; return all seen.

    Other states may come in between: a machine that pauses for half a second pauses for minutes of the demo's time.
    """
    seen: list[dict[str, Any]] = []
    left, deadline = list(wanted), time.monotonic() + seconds
    while left:
        assert time.monotonic() < deadline, f"{left} did not come; last: {seen[-1]}"
        seen.append(client.get(GATE).json())
        if left[0] in (seen[-1]["state"], first_reason(seen[-1])):
            del left[0]
        time.sleep(0.02)
    return seen


def ask(client, seconds=60):
    """Return an answer of the gate that does not say that it cannot tell; a pause of the machine may make it so."""
    deadline = time.monotonic() + seconds
    while (asked := client.get("/api/v1/readiness", params=QUESTION)).status_code == UNSURE:
        assert time.monotonic() < deadline, asked.text
        time.sleep(0.05)
    return asked


def first_reason(gate):
    return gate["reasons"][0]["code"] if gate["reasons"] else None


def tells(demo, *patterns, seconds=PATIENCE_SECONDS):
    """Wait for lines that match, in this order."""
    return [demo.wait_for(pattern, seconds) for pattern in patterns]


def test_the_same_day_is_run_twice_the_gate_holds_at_its_peak_and_the_end_leaves_nothing_behind(tmp_path):
    with a_demo(tmp_path, speed="240") as demo, demo.client() as client:
        demo.wait_for(r"email tool: \$ holdfire release ", PATIENCE_SECONDS)
        (held,) = states_until(client, "hold")[-1:]
        asked = ask(client)
        tells(demo, r"email tool: hold since .*orders-voice", r"email tool: wave 2: \S+ sent")
        told = client.get("/demo/twins", params={"zone": "UTC"}).json()
        page = client.get("/").text
        floor = client.get("/api/v1/floor").json()
        changes = client.get("/api/v1/decisions", params={"kind": "transition", "limit": 500}).json()["items"]
        assert list(tmp_path.iterdir())
        ends_clean(demo, signal.SIGINT, tmp_path)
    states = [change["state"] for change in reversed(changes)]
    assert states.index("send") < states.index("hold")
    assert held["reasons"][0]["queue"] == "orders-voice"
    assert (asked.status_code, int(asked.headers["retry-after"]) >= 1) == (429, True)
    highest = {name: height_of(told["drawing"], name) for name in ("at-once", "gated")}
    assert highest["at-once"] > 3 * highest["gated"] > 0
    waves = re.search(r'<path class="waves" d="([^"]*)"', told["drawing"])
    assert waves is not None
    assert waves[1].count("M") >= 2
    assert "hold above 1\u202fmin" in told["drawing"]
    assert "15:00" in told["drawing"]
    assert re.search(r"peaked at .* all at once, at .* gated; \d+ customers gave up, against \d+", told["verdict"])
    assert told["verdict"].endswith("of 400,000 emails are out so far.")
    assert "The same day, twice" in page
    assert {queue["queue"] for queue in floor["queues"]} == {"orders-voice", "billing-voice", "care-chat"}


@pytest.fixture(scope="module")
def spike(tmp_path_factory):
    """A demonstration of the spike, which takes its time while others are looked at."""
    with a_demo(tmp_path_factory.mktemp("spike"), "--scenario", "spike", speed="150") as demo:
        yield demo


@pytest.mark.usefixtures("spike")
def test_a_feed_that_stops_is_unknown_after_the_time_allowed_and_comes_back(tmp_path):
    with a_demo(tmp_path, "--scenario", "feed-stops", speed="120") as demo, demo.client() as client:
        seen = states_until(client, "send", "data_stale", "send")
        tells(demo, r"email tool: unknown since ", r"email tool: wave 1: \S+ of 100,000 may go")
        ends_clean(demo, signal.SIGTERM, tmp_path)
    unknown = next(each for each in seen if first_reason(each) == "data_stale")
    heard, said = (datetime.fromisoformat(unknown[name]) for name in ("data_as_of", "evaluated_at"))
    assert (said - heard).total_seconds() >= STALE_AFTER_SECONDS
    assert unknown["decision"] == "hold"
    assert re.match("2026-11-16T14:[45]", unknown["since"])  # before nine in Chicago, however slow the machine is
    goes = [each for each in seen if each["state"] == "send"]
    assert max(go["data_age_seconds"] for go in goes) < STALE_AFTER_SECONDS


def test_a_spike_in_mid_flight_stops_the_wave_and_what_follows_begins_with_a_probe(spike):
    """A busy machine's wave may be stopped because nobody evaluated in time, before it is for the calls that wait."""
    with spike.client() as client:
        tells(spike, r"wave 1: \S+ of 100,000 may go", r"the web shop fails")
        _, stopped, _, probe = tells(
            spike,
            r"email tool: sent=(\d+)",
            r"wave (\d+): (\S+) sent in .* s; stopped because its permit is paused: ",
            r"email tool: hold since .*orders-voice",
            r"wave \d+: (\S+) of 100,000 may go",
        )
        sent = number(stopped[2])
        permits = client.get("/api/v1/permits", params={"campaign": "spring"}).json()["items"]
        campaign = client.get("/api/v1/campaigns/spring").json()
    assert number(probe[1]) == 2_000
    allowed = sorted(permit["allow"] for permit in permits)
    assert 0 < sent < allowed[-1]
    assert (campaign["state"], campaign["release"]["mode"]) == ("releasing", "by-tool")


def test_a_campaign_that_asks_nobody_has_no_gated_day_beside_it_and_an_impatient_end_is_as_clean(tmp_path):
    with a_demo(tmp_path, "--scenario", "careless-blast") as demo:
        with demo.client() as client:
            assert client.get("/demo/twins").status_code == 404
            assert "The same day, twice" not in client.get("/").text
        for _ in range(3):
            demo.process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        assert demo.process.wait(PATIENCE_SECONDS) == 0
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in "".join(demo.lines)


def ends_clean(demo, number, folder):
    """End a demo by a signal and see that nothing is left behind."""
    assert demo.stop(number) == 0
    assert list(folder.iterdir()) == []
    assert "Traceback" not in "".join(demo.lines)
    assert "nothing is left behind" in demo.lines[-1]


def height_of(drawing, curve):
    """Return how high a curve reaches above the ground, in pixels."""
    path = re.search(rf'<path class="{curve}" d="([^"]*)"', drawing)
    assert path is not None
    return GROUND - min(float(y) for y in re.findall(r" ([\d.]+)", path[1]))


def number(text):
    return int(text.replace(",", ""))


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_cli("demo", "--port", str(port), TMPDIR=str(tmp_path))
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--scenario", "tsunami"), "monday-peak"),
        (("--speed", "0"), "--speed=0 must be between"),
        (("--speed", "nan"), "--speed=nan must be between"),
        (("--host", "0.0.0.0"), "only listens on this machine"),  # noqa: S104 - that it is refused is the point
    ],
)
def test_what_the_demo_cannot_do_is_refused_in_words(arguments, words):
    ended = run_cli("demo", *arguments)
    assert ended.returncode == 2
    assert words in ended.stderr
