"""A whole holdfire on NATS and PostgreSQL, either of which crashes, stands still or is away: all heals by itself."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import psycopg
import pytest

from tests.browser.floor import use_policy
from tests.support.nats import Nats
from tests.support.postgresql import Cluster
from tests.support.server import Server, a_server
from tests.support.shell import wait_until

STALE_AFTER_SECONDS = 5


@pytest.fixture(scope="module")
def nats() -> Iterator[Nats]:
    made = Nats()
    made.start()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def database() -> Iterator[Cluster]:
    made = Cluster()
    made.start()
    made.run("CREATE DATABASE holdfire")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def server(nats, database, tmp_path_factory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("holdfire")
    with a_server(folder, HOLDFIRE_STREAM_URL=nats.url(), HOLDFIRE_DATABASE_URL=database.url("holdfire")) as server:
        with server.client() as client:
            rules = [{"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 0}]
            use_policy(client, rules=rules, stale_after_seconds=STALE_AFTER_SECONDS)
        yield server


class Source(threading.Thread):
    """Reports an empty queue over and over, and remembers what was acknowledged."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(daemon=True)
        self._server, self._name, self._ended = server, name, threading.Event()
        self.acknowledged: list[dict[str, Any]] = []
        self.refused = 0

    def run(self) -> None:
        with self._server.client() as client:
            while not self._ended.is_set():
                at = datetime.now(UTC).isoformat()
                observation = {"queue": "orders", "source": self._name, "observed_at": at, "backlog": 0}
                if self._is_taken(client, observation):
                    self.acknowledged.append(observation)
                else:
                    self.refused += 1
                self._ended.wait(0.02)

    def _is_taken(self, client: httpx2.Client, observation: dict[str, Any]) -> bool:
        try:
            return client.post("/api/v1/observations", json=observation).status_code == 200
        except httpx2.TransportError:  # the server was killed
            return False

    def end(self) -> None:
        self._ended.set()
        self.join(60)

    def wait_for(self, more: int) -> None:
        """Return once that many more were acknowledged."""
        wanted = len(self.acknowledged) + more
        wait_until(lambda: len(self.acknowledged) >= wanted, f"{more} more acknowledged")


@pytest.fixture
def source(server, request) -> Iterator[Source]:
    made = Source(server, request.node.name)
    made.start()
    yield made
    made.end()


def verdict(client: httpx2.Client) -> tuple[int, str]:
    answer = client.get("/api/v1/readiness")
    return answer.status_code, answer.json()["reasons"][0]["code"] if answer.json()["reasons"] else ""


def wait_for_send(client: httpx2.Client) -> None:
    wait_until(lambda: verdict(client)[0] == 200, "the gate to be open")


def permit(client: httpx2.Client, key: str) -> int:
    asked = {"gate": "default", "audience": 1}
    return client.post("/api/v1/permits", json=asked, headers={"Idempotency-Key": key}).status_code


def in_history(database: Cluster, source: str) -> list[datetime]:
    """Return when the source observed what the database has of it, in the order of the stream."""
    with psycopg.connect(database.url("holdfire")) as connection:
        rows = connection.execute(
            "SELECT observed_at FROM observations WHERE source = %s ORDER BY position", (source,)
        ).fetchall()
    return [datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at) for (at,) in rows]


def assert_nothing_lost_or_doubled(client: httpx2.Client, database: Cluster, source: Source) -> None:
    """Assert that what was acknowledged is known to ingest, and is in the database exactly once."""
    again = client.post("/api/v1/observations", json=source.acknowledged).json()
    assert (again["accepted"], again["duplicates"]) == (0, len(source.acknowledged))
    known = {datetime.fromisoformat(each["observed_at"]) for each in source.acknowledged}
    wait_until(lambda: known <= set(in_history(database, source._name)), "history to be written")
    found = in_history(database, source._name)
    assert len(found) == len(set(found))


def test_nats_crashes_and_restarts_under_load(server, nats, database, source):
    with server.client() as client:
        for harm in (nats.crash, nats.stop):
            source.wait_for(10)
            harm()
            nats.start()
            source.wait_for(10)
        wait_for_send(client)
        source.end()
        assert_nothing_lost_or_doubled(client, database, source)


def test_without_nats_ingest_refuses_and_the_gate_turns_unknown_until_it_is_back(server, nats, source):
    with server.client() as client:
        wait_for_send(client)
        nats.crash()
        try:
            wait_until(lambda: source.refused, "a refusal")
            wait_until(lambda: verdict(client) == (503, "data_stale"), "unknown")
            wait_until(lambda: client.get("/readyz").status_code == 200, "it to be ready all the same")
        finally:
            nats.start()
        wait_for_send(client)
        assert source.refused


def test_nats_that_stands_still_is_told_of_in_time_and_all_goes_on(server, nats, database, source):
    with server.client() as client:
        source.wait_for(3)
        nats.stand_still()
        try:
            wait_until(lambda: source.refused, "a refusal")
        finally:
            nats.go_on()
        source.wait_for(3)
        wait_for_send(client)
        source.end()
        assert_nothing_lost_or_doubled(client, database, source)


def test_without_the_database_ingest_and_readiness_go_on_and_history_is_written_later(server, database, source):
    with server.client() as client:
        wait_for_send(client)
        assert permit(client, "before") == 200
        database.crash()
        try:
            source.wait_for(50)
            assert permit(client, "during") == 503
            source.wait_for(50)
            wait_for_send(client)
            assert source.refused == 0
        finally:
            database.start()
        wait_until(lambda: permit(client, "after") == 200, "a permit")
        source.end()
        assert_nothing_lost_or_doubled(client, database, source)


def test_another_replica_goes_on_when_the_one_that_writes_history_is_killed(server, nats, database, tmp_path):
    """The last test of this module: it ends the server of all the others."""
    with (
        a_server(tmp_path, HOLDFIRE_STREAM_URL=nats.url(), HOLDFIRE_DATABASE_URL=database.url("holdfire")) as other,
        other.client() as client,
    ):
        sources = [Source(server, "of the killed"), Source(other, "of the other")]
        for source in sources:
            source.start()
        for source in sources:
            source.wait_for(10)
        wait_for_send(client)
        server.process.kill()
        sources[1].wait_for(10)
        wait_for_send(client)
        wait_until(lambda: permit(client, "of the other") == 200, "a permit")
        for source in sources:
            source.end()
            assert_nothing_lost_or_doubled(client, database, source)
