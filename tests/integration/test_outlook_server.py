"""A real holdfire that looks ahead in a child process of its own: the child is killed, the server is started anew."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.clocks import SystemClock
from app.core.debrief.window import STEP
from app.store.bundle import open_store
from app.store.flows import add_flows
from tests.support.databases import a_database_url, prepare
from tests.support.debriefing import a_flow
from tests.support.senders import PERMITS, save_policy
from tests.support.server import Server, a_server

pytestmark = pytest.mark.slow

OUTLOOK = {"service_level_ratio": 0.8, "backlog": 20, "horizon_minutes": 60}
FLOOR = {"queue": "orders", "backlog": 0, "agents_staffed": 28, "agents_busy": 18}
READY_SECONDS = 120


@pytest.fixture
def folder(tmp_path):
    """A data folder with two weeks of a queue that is as busy at night as by day."""
    prepare("sqlite", tmp_path)
    now = datetime.now(UTC)
    begin = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=14)
    flows = [a_flow("orders", begin + step * STEP, 18.0, wait_seconds=90.0) for step in range((now - begin) // STEP)]

    async def write() -> None:
        async with open_store(a_database_url("sqlite", tmp_path), SystemClock()) as store:
            await store.database.write(lambda connection: add_flows(connection, flows))

    asyncio.run(write())
    return tmp_path


@contextmanager
def reporting(server: Server) -> Iterator[httpx2.Client]:
    """Report the floor twice a second meanwhile; yield a client."""
    stop = threading.Event()

    def report() -> None:
        with server.client() as source:
            while not stop.wait(0.5):
                source.post("/api/v1/observations", json=FLOOR | {"observed_at": datetime.now(UTC).isoformat()})

    reporter = threading.Thread(target=report)
    reporter.start()
    try:
        with server.client() as client:
            yield client
    finally:
        stop.set()
        reporter.join()


def wait_for(client: httpx2.Client, path: str, member: str, is_right: Any) -> dict[str, Any]:
    """Return the body of the first answer whose member is right."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        body: dict[str, Any] = client.get(path).json()
        if member in body and is_right(body[member]):
            return body
        time.sleep(0.05)
    raise AssertionError(f"{path} never had the right {member}: {body}")


def children_of(process: int) -> list[int]:
    """Return the processes that compute for this one."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_a_killed_child_and_a_restart_cost_an_outlook_and_never_make_a_go(folder):
    with a_server(folder) as server, reporting(server) as client:
        wait_for(client, "/api/v1/floor", "queues", bool)
        save_policy(client, outlook=OUTLOOK)
        first = client.get("/api/v1/readiness").json()
        assert (first["state"], first["reasons"][0]["code"]) == ("unknown", "data_outlook_missing")
        wait_for(client, "/api/v1/readiness", "state", lambda state: state == "send")
        before = client.get("/api/v1/outlook").json()
        assert before["known"]

        killed = children_of(server.process.pid)
        assert killed
        for child in killed:
            os.kill(child, signal.SIGKILL)
        taken = client.post(PERMITS, json={"audience": 10})  # which makes a new look soon
        assert taken.status_code == 200, taken.text
        after = wait_for(client, "/api/v1/outlook", "at", lambda at: at > before["at"])
        assert (after["known"], after["room"]["audience"] > 0) == (True, True)
        assert not set(killed) & set(children_of(server.process.pid))
        assert client.get("/api/v1/readiness").status_code == 200

    with a_server(folder) as again, reporting(again) as client:
        body = client.get("/api/v1/readiness?audience=10").json()
        assert (body["state"], body["proceed"]) == ("unknown", False)
        wait_for(client, "/api/v1/readiness?audience=10", "state", lambda state: state == "send")
        sent = client.get("/api/v1/outlook/replay", params={"at": datetime.now(UTC).isoformat()})
        assert (sent.status_code, sent.json()["same"]) == (200, True)
    logged = "".join(server.lines + again.lines)
    assert "outlook_failed" not in logged, logged
