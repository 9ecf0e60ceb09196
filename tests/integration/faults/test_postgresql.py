"""PostgreSQL crashes, restarts and stands still under load: nothing acknowledged is lost or doubled, and all heals."""

import asyncio
import random
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from app.errors import NotDurable
from app.store import engine
from app.stream import sql
from tests.browser.floor import use_policy
from tests.support.builders import an_event, an_observation
from tests.support.databases import a_store
from tests.support.postgresql import Cluster, cluster
from tests.support.server import Server, a_server
from tests.support.shell import wait_until


@pytest.fixture
def own() -> Iterator[Cluster]:
    """A cluster that a test may break."""
    made = Cluster()
    made.start()
    made.run("CREATE DATABASE holdfire")
    yield made
    made.remove()


def asked(client: httpx2.Client, key: str) -> httpx2.Response:
    """Ask for a permit of one message."""
    return client.post("/api/v1/permits", json={"gate": "default", "audience": 1}, headers={"Idempotency-Key": key})


class Writer(threading.Thread):
    """Reports the floor and asks for permits, over and over, and remembers what it was told of each."""

    def __init__(self, server: Server, number: int) -> None:
        super().__init__(daemon=True)
        self._server, self._number, self._ended = server, number, threading.Event()
        self.acknowledged: list[dict[str, object]] = []
        self.granted: dict[str, str] = {}  # the permit's id by the key it was asked for with

    def run(self) -> None:
        began = datetime.now(UTC) - timedelta(seconds=1)
        with self._server.client() as client:
            for turn in range(1_000_000):
                if self._ended.is_set():
                    return
                at = (began + timedelta(microseconds=turn)).isoformat()
                self._report(client, {"queue": f"q{self._number}", "source": "acd", "observed_at": at, "backlog": 1})
                self._ask(client, f"k{self._number}-{turn}")

    def end(self) -> None:
        self._ended.set()
        self.join(60)

    def _report(self, client: httpx2.Client, observation: dict[str, object]) -> None:
        if client.post("/api/v1/observations", json=observation).status_code == 200:
            self.acknowledged.append(observation)

    def _ask(self, client: httpx2.Client, key: str) -> None:
        answer = asked(client, key)
        if answer.status_code == 200:
            self.granted[key] = answer.json()["permit_id"]


def wait_for_permits(writers: Sequence[Writer], more: int) -> None:
    """Return once each of them was granted that many more."""
    wanted = {writer: len(writer.granted) + more for writer in writers}
    wait_until(lambda: all(len(writer.granted) >= number for writer, number in wanted.items()), f"{more} permits each")


def open_gate(server: Server) -> None:
    """Save a policy by which the gate is open while nobody waits."""
    rules = [{"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 0}]
    with server.client() as client:
        use_policy(client, rules=rules, stale_after_seconds=600)


def test_what_was_acknowledged_outlives_a_crash_and_a_restart_of_postgresql(own: Cluster, tmp_path):
    moment = random.Random(7)
    with a_server(tmp_path, HOLDFIRE_DATABASE_URL=own.url("holdfire")) as server:
        open_gate(server)
        writers = [Writer(server, number) for number in range(3)]
        for writer in writers:
            writer.start()
        for harm in (own.crash, own.stop):
            wait_for_permits(writers, moment.randint(20, 60))
            harm()
            own.start()
            wait_for_permits(writers, 3)  # within half a minute, on however busy a machine
        for writer in writers:
            writer.end()
        with server.client() as client:
            for writer in writers:
                reply = client.post("/api/v1/observations", json=writer.acknowledged).json()
                assert (reply["accepted"], reply["duplicates"]) == (0, len(writer.acknowledged))
                assert {key: asked(client, key).json()["permit_id"] for key in writer.granted} == writer.granted


async def test_a_database_that_stands_still_is_told_of_and_nothing_happens_behind_anyones_back(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "LONGEST_WAIT_SECONDS", 0.5)
    monkeypatch.setattr(engine, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(sql, "PATIENCE_SECONDS", 0.5)
    async with a_store(tmp_path, "postgresql") as store:
        await store.stream.append([an_observation(source="before")])
        cluster().stand_still()
        try:
            late = asyncio.create_task(store.gates.delete_gate("default", an_event()))
            with pytest.raises(NotDurable, match="send it again"):
                await store.stream.append([an_observation(source="during")])
            with pytest.raises(NotDurable, match="may yet be written"):
                await late
        finally:
            cluster().go_on()
        assert (await store.stream.append([an_observation(source="after")])).accepted == 1
        assert await store.gates.gates() == ["default"]
        assert (await store.stream.append([an_observation(source="during")])).duplicates in {0, 1}
        sources = [record.payload.source for record in await store.stream.read(0)]
        assert sorted(sources) == ["after", "before", "during"]
