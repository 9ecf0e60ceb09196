"""Killed, and stopped for a while, under load: nothing acknowledged is lost or doubled, and no go lacks fresh data."""

import os
import random
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

import httpx2

from tests.integration.faults.load import POLICY, STALE_AFTER_SECONDS, a_load, note
from tests.support.found import find, url_of
from tests.support.reference import faults
from tests.support.senders import wait_for_gate
from tests.support.server import Server, a_port, a_server
from tests.support.told import now_us

SEED = 7
KILLS = 3
ASKED_MEANWHILE = 8


def test_what_was_acknowledged_outlives_kill_9_at_any_moment_and_no_go_lacks_fresh_data(tmp_path):
    note(f"seed {SEED}")
    moments, port = random.Random(SEED), a_port()
    with ExitStack() as stack:
        server = stack.enter_context(a_server(tmp_path, "--port", port))
        load = stack.enter_context(a_load(server.url, SEED))
        for number in range(KILLS):
            load.wait_for(moments.randint(20, 100))
            time.sleep(moments.random() / 100)
            server.stop(signal.SIGKILL)
            time.sleep(STALE_AFTER_SECONDS if number == 1 else 0)  # away for longer than data is good for
            ended = now_us()
            server = stack.enter_context(a_server(tmp_path, "--port", port))
            load.recovered("kill -9", ended)
        load.end()
    found = find(url_of(tmp_path))
    assert len(found.permits) >= KILLS
    assert [each.position for each in found.observations] == list(range(1, len(found.observations) + 1))
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert faults(found, load.told) == []


def test_a_process_that_was_stopped_for_a_while_gives_no_go_on_what_it_knew_before(tmp_path):
    note(f"seed {SEED}")
    with a_server(tmp_path) as server, a_load(server.url, SEED) as load:
        load.wait_for(20)
        os.kill(server.process.pid, signal.SIGSTOP)
        with ThreadPoolExecutor(ASKED_MEANWHILE) as asking:
            waiting = [asking.submit(_asked, server) for _ in range(ASKED_MEANWHILE)]
            time.sleep(STALE_AFTER_SECONDS + 0.5)
            ended = now_us()
            os.kill(server.process.pid, signal.SIGCONT)
        load.recovered("SIGSTOP", ended)
        load.end()
        for each in waiting:
            load.told.answered(ended, now_us(), each.result())
        assert faults(find(url_of(tmp_path)), load.told) == []


def _asked(server: Server) -> dict[str, Any]:
    with server.client() as client:
        body: dict[str, Any] = client.get("/api/v1/readiness").json()
        return body


def test_a_killed_gate_comes_back_holding_with_its_memory(tmp_path):
    rules = [{"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 600}]
    with a_server(tmp_path) as server, server.client() as client:
        path = "/api/v1/gates/default/policy"
        policy = POLICY | {"queues": ["orders"], "rules": rules, "stale_after_seconds": 600}
        assert client.put(path, json=policy, headers={"If-Match": "*"}).is_success
        _tell(client, backlog=40)
        held = wait_for_gate(client, "hold")
        _tell(client, backlog=0)
        recovering = client.get("/api/v1/gates/default").json()
        server.stop(signal.SIGKILL)
    with a_server(tmp_path) as server, server.client() as client:
        after = wait_for_gate(client, "hold")
        assert after["since"] == held["since"]
        assert client.get("/api/v1/gates/default").json()["checks"][0]["clears_at"] is not None
        assert recovering["decision"] == "hold"


def _tell(client: httpx2.Client, backlog: int) -> None:
    at = datetime.now(UTC).isoformat()
    reply = client.post("/api/v1/observations", json={"queue": "orders", "observed_at": at, "backlog": backlog})
    assert reply.json()["accepted"] == 1
