"""A client that asks as fast as it can does not slow the others: its own max_rps stops it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any

import pytest

from tests.support.server import a_server, run_cli

ASKS = 300
ROUNDS = 3
RATE = 5
# What the others may wait with the loop running, as a multiple of what they wait without: it takes a core of its own
# and the server's parsing of what it sends, so some slowing is the machine's.
SLOWER_AT_MOST = 8

# One connection, kept open, asked again on the very answer. What came back is told when standard input is closed.
LOOP = """
import http.client, json, sys, threading, time
host, key, stop, seen = sys.argv[1], sys.argv[2], [], {}
threading.Thread(target=lambda: (sys.stdin.read(), stop.append(1)), daemon=True).start()
connection, started = http.client.HTTPConnection(host), time.monotonic()
while not stop:
    connection.request("GET", "/api/v1/readiness", headers={"Authorization": "Bearer " + key})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    word = f"{answer.status} {body['reasons'][0]['code']} {body['proceed']}"
    if not seen:
        print("begun", flush=True)
    seen[word] = seen.get(word, 0) + 1
print(json.dumps({"seen": seen, "seconds": time.monotonic() - started}))
"""


@contextmanager
def looping(url: str, key: str) -> Iterator[dict[str, Any]]:
    """Have a client loop beside the body; what it was told is in the mapping afterwards."""
    arguments = [sys.executable, "-c", LOOP, url.removeprefix("http://"), key]
    told: dict[str, Any] = {}
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield told
        out, _ = process.communicate(timeout=60)
        told |= json.loads(out)


def waits(client) -> list[float]:
    """Return how long each of some asks took, in seconds; all must be answered by the gate."""
    found = []
    for _ in range(ASKS):
        started = perf_counter()
        answer = client.get("/api/v1/readiness")
        found.append(perf_counter() - started)
        assert answer.json()["reasons"][0]["code"] != "client_rate"
    return found


@pytest.fixture
def keys(tmp_path):
    """Return a key that may ask five times per second, and one that may ask at will."""
    made = []
    for name, *options in (("loops", "--max-rps", str(RATE)), ("asks",)):
        done = run_cli("keys", "create", name, "--scope", "readiness", *options, HOLDFIRE_DATA_DIR=str(tmp_path))
        assert done.returncode == 0, done.stderr
        made.append(done.stdout.strip())
    return made


def test_a_client_that_loops_on_a_shut_gate_does_not_slow_another(tmp_path, keys):
    hot, other = keys
    alone, beside, told = [], [], []
    with a_server(tmp_path, auth="on") as server, server.client(other) as client:
        waits(client)  # warm
        for _ in range(ROUNDS):
            alone += waits(client)
            with looping(server.url, hot) as loop:
                beside += waits(client)
            told.append(loop)
    assert median(beside) <= SLOWER_AT_MOST * median(alone), (median(alone), median(beside))
    for loop in told:
        refused = loop["seen"].pop("429 client_rate False", 0)
        answered = sum(loop["seen"].values())
        assert not [word for word in loop["seen"] if word.endswith("True")]
        assert answered <= RATE + RATE * loop["seconds"] + 1
        assert refused > 10 * answered
