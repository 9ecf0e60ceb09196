"""A real server whose disk, database, data or evaluator fails: no permit is given, nothing is half-written, it heals.

After each fault the same Idempotency-Key gives one permit.
"""

import resource
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.senders import PERMITS, Ask, an_ask, open_gate, post, run_clients, save_policy, stored_permits, tell
from tests.support.server import Server, a_server

CAP = 1_000
PERMIT = an_ask("the one", 600)
DATABASE = "holdfire.db"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with a_server(tmp_path) as started:
        open_gate(started, max_audience_per_hour=CAP)
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    with server.client() as opened:
        yield opened


def ask(client: httpx2.Client, asked: Ask = PERMIT) -> httpx2.Response:
    return client.post(PERMITS, json=asked.body, headers={"Idempotency-Key": asked.key})


def check_one_permit(server: Server, client: httpx2.Client, folder: Path) -> None:
    """Ask twice more under the same key: one permit, once charged, and no trace of what failed."""
    first, again = ask(client), ask(client)
    assert first.status_code == 200, first.text
    assert again.content == first.content
    assert ask(client, an_ask("another", CAP - 600 + 1)).status_code == 429
    server.stop()
    stored = stored_permits(folder)
    assert [(permit.id, permit.allowed) for permit in stored.values()] == [(first.json()["permit_id"], 600)]
    events = subjects(folder, "permit.granted")
    assert events == [f"permit/{first.json()['permit_id']}"]


def subjects(folder: Path, kind: str) -> list[str]:
    """Return what the events of one type happened to, in order."""
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        return [row[0] for row in database.execute("SELECT subject FROM events WHERE type = ? ORDER BY seq", [kind])]


def check_refusal(refused: httpx2.Response) -> dict[str, Any]:
    assert refused.status_code == 503, refused.text
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = refused.json()
    assert "permit_id" not in body
    return body


@contextmanager
def no_room(server: Server) -> Iterator[None]:
    """Let none of the server's files grow, as a full disk would."""
    pid, (soft, hard) = server.process.pid, resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_gives_no_permit_however_many_ask_and_later_one(server, client, tmp_path):
    statuses: list[int] = []

    async def shoot(connection: httpx2.AsyncClient, index: int) -> None:
        statuses.append((await post(connection, an_ask(f"waiting-{index}", 1))).status_code)

    with no_room(server):
        assert check_refusal(ask(client))["type"].endswith("not-durable")
        assert client.get("/api/v1/readiness").status_code == 200
        run_clients(server.url, 16, shoot)
    assert statuses == [503] * 16
    check_one_permit(server, client, tmp_path)


@pytest.mark.slow
def test_a_database_locked_by_another_process_gives_no_permit_until_it_lets_go(server, client, tmp_path):
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as neighbour:
        neighbour.execute("BEGIN IMMEDIATE")
        check_refusal(ask(client))
        neighbour.execute("ROLLBACK")
    check_one_permit(server, client, tmp_path)


def test_a_lock_that_is_let_go_in_time_only_delays_the_permit(server, client, tmp_path):
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None, check_same_thread=False)) as neighbour:
        neighbour.execute("BEGIN IMMEDIATE")
        unlock = threading.Timer(0.5, neighbour.execute, ["ROLLBACK"])
        unlock.start()
        assert ask(client).status_code == 200
        unlock.join()
    check_one_permit(server, client, tmp_path)


def test_data_that_stops_coming_gives_no_permit_until_it_comes_again(server, client, tmp_path):
    tell(client, backlog=0)
    save_policy(client, max_audience_per_hour=CAP, stale_after_seconds=1)
    refused = wait_for_status(client, 503, an_ask("silence", 1, dry_run=True))
    assert refused.json()["reasons"][0]["code"].startswith("data_")
    check_refusal(ask(client))
    save_policy(client, max_audience_per_hour=CAP)
    tell(client, backlog=0)
    wait_for_status(client, 200, an_ask("silence", 1, dry_run=True))
    check_one_permit(server, client, tmp_path)


@pytest.mark.slow
def test_an_evaluator_that_cannot_read_its_data_gives_no_permit_until_it_can(server, client, tmp_path):
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as neighbour:
        neighbour.execute("ALTER TABLE observations RENAME TO taken_away")
        refused = wait_for_status(client, 503, an_ask("late", 1, dry_run=True))
        assert refused.json()["reasons"][0]["code"] == "data_evaluation_late"
        check_refusal(ask(client))
        neighbour.execute("ALTER TABLE taken_away RENAME TO observations")
    tell(client, backlog=0)
    wait_for_status(client, 200, an_ask("late", 1, dry_run=True))
    check_one_permit(server, client, tmp_path)


def wait_for_status(client: httpx2.Client, status: int, asked: Ask) -> httpx2.Response:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        response = ask(client, asked)
        if response.status_code == status:
            return response
        time.sleep(0.05)
    raise AssertionError(f"no {status} came, but {response.status_code}: {response.text}")
