"""`holdfire demo` as people run it: a process, its printed URL, its answers, its end."""

import signal
import socket
import time
from contextlib import contextmanager
from datetime import datetime

import httpx2
import pytest

from tests.support.server import Server, run_cli

STALE_AFTER_SECONDS = 120
SEND, HOLD, UNKNOWN = 200, 429, 503
pytestmark = pytest.mark.slow

QUESTION = {"gate": "default", "audience": "100000", "campaign": "spring"}


@contextmanager
def a_demo(folder, *arguments, speed="300"):
    server = Server(["demo", "--port", "0", "--speed", speed, *arguments], {"TMPDIR": str(folder)})
    try:
        yield server
    finally:
        server.stop(signal.SIGINT)


def standing(answer):
    """Return the answer's status and, unless it is a go, the code of its first reason."""
    reasons = answer.json()["reasons"]
    return (answer.status_code, reasons[0]["code"] if reasons else None)


def answers_until(client, wanted, seconds=60):
    """Ask again and again until each of `wanted`, a status or a standing, was seen in this order; return all answers.

    Other answers may come in between: a machine that pauses for half a second pauses for minutes of the demo's time.
    """
    answers: list[httpx2.Response] = []
    left, deadline = list(wanted), time.monotonic() + seconds
    while left:
        assert time.monotonic() < deadline, f"{left} did not come; last: {answers[-1].text}"
        answers.append(client.get("/api/v1/readiness", params=QUESTION))
        if left[0] in (answers[-1].status_code, standing(answers[-1])):
            del left[0]
        time.sleep(0.02)
    return answers


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_gate_is_open_then_holds_at_the_peak_and_the_end_leaves_nothing_behind(tmp_path, end):
    with a_demo(tmp_path) as demo:
        with demo.client() as client:
            held = answers_until(client, (SEND, HOLD))[-1]
            assert client.get("/").status_code == 200
        assert held.headers["retry-after"]
        assert held.json()["reasons"][0]["queue"] == "orders-voice"
        demo.wait_for(r"Mon 08:5\d  email tool: 429, hold: ")
        assert list(tmp_path.iterdir())
        assert demo.stop(end) == 0
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in "".join(demo.lines)
    assert "nothing is left behind" in demo.lines[-1]


def test_a_feed_that_stops_is_unknown_within_the_time_allowed_and_comes_back(tmp_path):
    stale = (UNKNOWN, "data_stale")
    with a_demo(tmp_path, "--scenario", "feed-stops", speed="120") as demo, demo.client() as client:
        answers = answers_until(client, (SEND, stale, SEND))
        demo.wait_for(r"email tool: 503, unknown: ")
        demo.wait_for(r"email tool: 200, go: 100,000 emails go out")
    unknown = next(answer.json() for answer in answers if standing(answer) == stale)
    heard, said = (datetime.fromisoformat(unknown[name]) for name in ("data_as_of", "evaluated_at"))
    assert STALE_AFTER_SECONDS <= (said - heard).total_seconds() < STALE_AFTER_SECONDS + 60
    assert unknown["decision"] == "hold"
    assert unknown["since"].startswith("2026-11-16T14:4")  # 08:4x in Chicago
    goes = [answer.json() for answer in answers if answer.status_code == SEND]
    assert max(go["data_age_seconds"] for go in goes) < STALE_AFTER_SECONDS


def test_an_impatient_end_is_as_clean(tmp_path):
    with a_demo(tmp_path) as demo:
        for _ in range(3):
            demo.process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        assert demo.process.wait(20) == 0
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in "".join(demo.lines)


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
