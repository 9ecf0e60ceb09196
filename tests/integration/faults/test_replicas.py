"""Several replicas on one database: what one is told all know, what happens once does, and any of them may be lost."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx2
import pytest

from app.errors import Invalid
from app.store.sole import sole_evaluator
from tests.integration.faults.load import POLICY, a_load, note
from tests.support.databases import a_database_url
from tests.support.found import find
from tests.support.postgresql import Cluster
from tests.support.reference import faults
from tests.support.replicas import LAG_SECONDS, leads_elsewhere, led_by, present, replicas, rows
from tests.support.senders import wait_for_gate
from tests.support.server import Server, a_port, a_server
from tests.support.shell import wait_until
from tests.support.told import now_us

SEED = 11
QUIET = POLICY | {"queues": ["orders"], "stale_after_seconds": 600}
HOLD = {"effect": "hold", "duration_minutes": 5, "comment": "a storm"}
OFFERED = "SELECT coalesce(sum(offered), 0)::bigint FROM flow_minutes"


class Three(NamedTuple):
    """Replicas, and the URL of their database."""

    servers: Sequence[Server]
    url: str


class Contacts(threading.Thread):
    """Reports contacts to the replicas in turn, each again until it is acknowledged; knows how many there were."""

    def __init__(self, servers: Sequence[Server]) -> None:
        super().__init__(daemon=True)
        self._urls, self._ended = [server.url for server in servers], threading.Event()
        self.count = 0

    def run(self) -> None:
        with ExitStack() as stack:
            clients = [stack.enter_context(httpx2.Client(base_url=url, timeout=15)) for url in self._urls]
            while not self._ended.is_set():
                at, number = datetime.now(UTC).isoformat(), self.count
                who = {"contact_id": f"c{number}", "queue": "orders", "source": "acd", "at": at}
                events = [who | {"event": each} for each in ("queued", "abandoned")]
                while not _taken(clients[number % len(clients)], events):
                    number += 1
                self.count += 1

    def end(self) -> int:
        """End it, and return how many contacts there were."""
        self._ended.set()
        self.join(60)
        assert not self.is_alive()
        return self.count


def _taken(client: httpx2.Client, events: Sequence[dict[str, Any]]) -> bool:
    try:
        return client.post("/api/v1/contacts", json=events).status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


def opened(servers: Sequence[Server]) -> None:
    """Let the gate of all of them open: nobody waits."""
    with servers[0].client() as client:
        answer = client.put("/api/v1/gates/default/policy", json=QUIET, headers={"If-Match": "*"})
        assert answer.is_success, answer.text
        reported = {"queue": "orders", "source": "acd", "observed_at": datetime.now(UTC).isoformat(), "backlog": 0}
        assert client.post("/api/v1/observations", json=reported).is_success
    for server in servers:
        with server.client() as client:
            wait_for_gate(client, "send")


def decision(server: Server) -> str:
    """Return what a replica answers now."""
    with server.client() as client:
        return str(client.get("/api/v1/readiness").json()["decision"])


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    """Three replicas that nobody kills, their gate open."""
    folder = tmp_path_factory.mktemp("three")
    with replicas(folder, 3) as servers:
        opened(servers)
        yield Three(servers, a_database_url("postgresql", folder))


def test_what_one_of_them_is_told_all_know_before_it_answers(three: Three):
    for turn in range(9):
        told, others = three.servers[turn % 3], [three.servers[(turn + step) % 3] for step in (1, 2)]
        with told.client() as client:
            made = client.post("/api/v1/gates/default/overrides", json=HOLD)
            assert made.status_code == 201, made.text
            assert [decision(other) for other in others] == ["hold", "hold"]
            ended = client.delete(f"/api/v1/gates/default/overrides/{made.json()['id']}")
            assert ended.is_success, ended.text
            assert [decision(other) for other in others] == ["send", "send"]


def test_all_that_they_grant_together_stays_within_the_cap(three: Three):
    with three.servers[0].client() as client:
        capped = QUIET | {"max_audience_per_wave": 100}
        assert client.put("/api/v1/gates/default/policy", json=capped, headers={"If-Match": "*"}).is_success
    granted: list[int] = []

    def take(server: Server) -> None:
        with server.client() as client:
            for _ in range(10):
                answer = client.post("/api/v1/permits", json={"gate": "default", "audience": 7})
                granted.append(answer.json()["allow"] if answer.status_code == httpx2.codes.OK else 0)

    takers = [threading.Thread(target=take, args=(server,)) for server in three.servers]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join(60)
    assert len(granted) == 30
    assert sum(granted) == 98


def test_whichever_is_killed_nothing_is_lost_or_doubled_and_no_go_is_wrong(tmp_path):
    note(f"seed {SEED}")
    moments, ports = random.Random(SEED), [a_port() for _ in range(2)]
    url = a_database_url("postgresql", tmp_path)
    with ExitStack() as stack:
        servers = list(stack.enter_context(replicas(tmp_path, 2, ports=ports)))
        load = stack.enter_context(a_load([server.url for server in servers], SEED, writers=4))
        contacts = Contacts(servers)
        contacts.start()
        for _ in range(2):
            load.wait_for(moments.randint(20, 100))
            killed = servers.index(led_by(url, servers))
            servers[killed].stop(signal.SIGKILL)
            ended, port = now_us(), ports[killed]
            again = a_server(tmp_path / f"replica{killed}", "--port", port, HOLDFIRE_DATABASE_URL=url)
            servers[killed] = stack.enter_context(again)
            load.recovered("kill -9 of the one that leads", ended)
        load.end()
        offered = contacts.end()
        wait_until(lambda: rows(url, OFFERED)[0][0] == offered, f"{offered} contacts in the minutes")
        assert faults(find(url), load.told, lag_seconds=LAG_SECONDS) == []
    changes = [tuple(row) for row in rows(url, "SELECT gate, at, verdict FROM decisions WHERE kind = 'transition'")]
    assert [change for change, times in Counter(changes).items() if times > 1] == []


def test_one_that_was_stopped_while_a_hold_was_put_says_no_go_afterwards(three: Three):
    stopped = led_by(three.url, three.servers)
    other = next(server for server in three.servers if server is not stopped)
    os.kill(stopped.process.pid, signal.SIGSTOP)
    try:
        with other.client() as client:
            began = time.monotonic()
            assert client.post("/api/v1/gates/default/overrides", json=HOLD).status_code == 201
            note(f"told after {time.monotonic() - began:.1f} s")
        wait_until(lambda: leads_elsewhere(three.url, stopped), "another one to lead")
    finally:
        os.kill(stopped.process.pid, signal.SIGCONT)
    assert [decision(stopped) for _ in range(20)] == ["hold"] * 20
    with stopped.client() as client:
        wait_for_gate(client, "hold")
    wait_until(lambda: len(present(three.url)) == 3, "all of them to be there")


def test_they_are_together_again_after_postgresql_was_away(tmp_path):
    own = Cluster()
    own.start()
    try:
        with replicas(tmp_path, 2, own=own) as servers:
            opened(servers)
            own.crash()
            own.start()
            for server in servers:
                with server.client() as client:
                    wait_for_gate(client, "send")
            wait_until(lambda: len(present(own.url("holdfire"))) == 2, "both of them to be there")
            with servers[0].client() as client:
                assert client.post("/api/v1/gates/default/overrides", json=HOLD).status_code == 201
            assert decision(servers[1]) == "hold"
            with pytest.raises(Invalid, match="in use by another holdfire"), sole_evaluator(own.url("holdfire")):
                pass
    finally:
        own.remove()
