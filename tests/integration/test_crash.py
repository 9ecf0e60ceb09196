"""kill -9 while observations pour in: what was acknowledged is there afterwards, and the gate stands as it stood."""

import random
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.support.server import Server, a_server
from tests.support.shell import wait_until

ROUNDS = 3
WRITERS = 4


def _observation(number: int, writer: int, at: datetime) -> dict[str, object]:
    return {
        "queue": f"queue-{writer}",
        "source": f"acd-{writer}",
        "observed_at": (at + timedelta(microseconds=number)).isoformat(),
        "backlog": number % 7,
    }


class Writer(threading.Thread):
    """Posts observation after observation and remembers the ones that were acknowledged."""

    def __init__(self, url: str, number: int, started: datetime) -> None:
        super().__init__(daemon=True)
        self.url, self.number, self.started = url, number, started
        self.acknowledged: list[dict[str, object]] = []

    def run(self) -> None:
        with httpx2.Client(base_url=self.url, timeout=60) as client:
            for number in range(100_000):
                observation = _observation(number, self.number, self.started)
                try:
                    reply = client.post("/api/v1/observations", json=observation)
                except httpx2.HTTPError:
                    return
                if reply.status_code == 200 and reply.json()["accepted"] == 1:
                    self.acknowledged.append(observation)


def _load(server: Server, count: int) -> list[dict[str, object]]:
    """Kill the server once so many observations are acknowledged; return all that were."""
    started = datetime.now(UTC)
    writers = [Writer(server.url, number, started) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    wait_until(lambda: sum(len(writer.acknowledged) for writer in writers) >= count, f"{count} acknowledged")
    server.stop(signal.SIGKILL)
    for writer in writers:
        writer.join(60)
    return [observation for writer in writers for observation in writer.acknowledged]


def _batches(items: list[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    for start in range(0, len(items), 1000):
        yield items[start : start + 1000]


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path):
    moments = random.Random(7)
    acknowledged: list[dict[str, object]] = []
    for _ in range(ROUNDS):
        with a_server(tmp_path) as server:
            acknowledged += _load(server, moments.randint(20, 400))
    with a_server(tmp_path) as server, server.client() as client:
        for batch in _batches(acknowledged):
            reply = client.post("/api/v1/observations", json=batch).json()
            assert (reply["accepted"], reply["duplicates"]) == (0, len(batch))


def test_a_killed_gate_comes_back_holding_with_its_memory(tmp_path):
    policy = {
        "queues": ["orders"],
        "rules": [{"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 600}],
    }
    with a_server(tmp_path) as server, server.client() as client:
        version = client.get("/api/v1/gates/default/policy").headers["etag"]
        assert client.put("/api/v1/gates/default/policy", json=policy, headers={"If-Match": version}).is_success
        _tell(client, backlog=40)
        held = _ask_until(client, "hold")
        _tell(client, backlog=0)
        recovering = _gate(client)
        server.stop(signal.SIGKILL)
    with a_server(tmp_path) as server, server.client() as client:
        after = _ask_until(client, "hold")
        assert after["state"] == "hold"
        assert after["since"] == held["since"]
        assert _gate(client)["checks"][0]["clears_at"] is not None
        assert recovering["decision"] == "hold"


def _tell(client: httpx2.Client, backlog: int) -> None:
    at = datetime.now(UTC).isoformat()
    reply = client.post("/api/v1/observations", json={"queue": "orders", "observed_at": at, "backlog": backlog})
    assert reply.json()["accepted"] == 1


def _gate(client: httpx2.Client) -> dict[str, Any]:
    body: dict[str, Any] = client.get("/api/v1/gates/default").json()
    return body


def _ask_until(client: httpx2.Client, state: str) -> dict[str, Any]:
    for _ in range(1_000):
        body: dict[str, Any] = client.get("/api/v1/readiness").json()
        if body["state"] == state:
            return body
        threading.Event().wait(0.05)
    raise AssertionError(f"never {state}: {body}")
