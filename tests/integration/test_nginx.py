"""A real nginx with our configuration, in front of two real holdfires, and of replicas that misbehave."""

import json
import signal
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from app.api.middleware import MAX_BODY_BYTES
from app.core.campaign.images import MAX_IMAGE_BYTES
from tests.support.certificates import for_loopback
from tests.support.nginx import Nginx, a_nginx, example
from tests.support.running import a_free_port
from tests.support.server import Server, a_port, a_server, run_cli
from tests.support.shell import wait_until
from tests.support.stand_ins import a_stand_in

ASKS = 12
JSON = {"Content-Type": "application/json"}
PATIENCE_SECONDS = 60


def address(server: Server) -> str:
    return server.url.removeprefix("http://")


def report(server: Server, backlog: int) -> None:
    seen = {
        "queue": "orders-voice",
        "source": "acd-1",
        "observed_at": datetime.now(UTC).isoformat(),
        "backlog": backlog,
    }
    with server.client() as client:
        assert client.post("/api/v1/observations", json=seen).json()["accepted"] == 1


def backlogs(client: httpx2.Client) -> set[int]:
    """Return what the floor's backlog is, as each of some requests was told."""
    floors = [client.get("/api/v1/floor").json() for _ in range(ASKS)]
    return {queue["metrics"]["backlog"]["value"] for floor in floors for queue in floor["queues"]}


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two holdfires with a database each, so that their answers tell which of them gave it."""
    with ExitStack() as stack:
        servers = [stack.enter_context(a_server(tmp_path_factory.mktemp("replica"))) for _ in range(2)]
        for backlog, server in enumerate(servers, 1):
            report(server, backlog)
        yield servers


@pytest.fixture(scope="module")
def nginx(replicas: list[Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with a_nginx(tmp_path_factory.mktemp("nginx"), [address(server) for server in replicas]) as running:
        yield running


@pytest.fixture(scope="module")
def client(nginx: Nginx) -> Iterator[httpx2.Client]:
    with nginx.client() as made:
        yield made


def test_any_replica_answers(client: httpx2.Client):
    wait_until(lambda: backlogs(client) == {1, 2}, "both to answer with what was reported")
    assert backlogs(client) <= {1, 2}


def test_an_answer_comes_through_as_the_replica_gave_it(client: httpx2.Client, replicas: list[Server]):
    path, identified = "/api/v1/readiness?gate=nowhere", {"X-Request-ID": "of-the-caller"}
    through = client.get(path, headers=identified)
    with replicas[0].client() as straight:
        direct = straight.get(path, headers=identified)
    assert (through.status_code, through.json()) == (404, direct.json())
    assert {**through.headers, "server": "", "date": ""} == {**direct.headers, "server": "", "date": ""} | {
        "connection": "keep-alive"
    }


def test_the_limit_of_a_body_is_that_of_holdfire(client: httpx2.Client, replicas: list[Server]):
    too_much = b"x" * (MAX_BODY_BYTES + 1)
    with replicas[0].client() as straight:
        direct = straight.post("/api/v1/observations", content=too_much)
    through = client.post("/api/v1/observations", content=too_much)
    assert (through.status_code, direct.status_code) == (413, 413)
    assert through.headers["content-type"] == direct.headers["content-type"]
    assert through.json()["type"] == direct.json()["type"]
    just_so = client.post("/api/v1/observations", content=b"x" * MAX_BODY_BYTES, headers=JSON)
    assert just_so.status_code == 422


def test_an_image_may_be_as_large_as_holdfire_takes(client: httpx2.Client):
    path = "/api/v1/campaigns/spring/briefing/images"
    assert client.post(path, content=b"x" * MAX_IMAGE_BYTES).status_code == 422
    assert client.post(path, content=b"x" * (MAX_IMAGE_BYTES + 1)).status_code == 413


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/-/ready"])
def test_what_is_for_operators_is_not_public(path: str, client: httpx2.Client, replicas: list[Server]):
    refused = client.get(path)
    assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")
    with replicas[0].client() as straight:
        assert straight.get(path).status_code == 200


def test_its_own_health_is_told_inside_only(nginx: Nginx, client: httpx2.Client):
    assert httpx2.get(nginx.alive_url).text == "alive"
    assert client.get("/alive").status_code == 404
    assert client.get("/livez").json() == {"status": "ok"}


def test_a_live_socket_goes_through_with_its_changes(nginx: Nginx, replicas: list[Server]):
    with connect(f"{nginx.url.replace('http', 'ws')}/api/v1/live", origin=Origin(nginx.url)) as live:
        frame = json.loads(live.recv(PATIENCE_SECONDS))
        assert frame["type"] == "snapshot"
        for server in replicas:  # whichever of them it is
            report(server, 7)
        while ("backlog", 7) not in {(check["metric"], check["value"]) for check in frame["checks"]}:
            frame = json.loads(live.recv(PATIENCE_SECONDS))


def test_holdfire_is_told_whom_nginx_serves_whatever_the_caller_claims(tmp_path: Path):
    claimed = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Request-ID": 'no "id"'}
    with a_stand_in("answers") as replica, a_nginx(tmp_path / "nginx", [replica.address]) as nginx:
        assert httpx2.get(f"{nginx.url}/livez", headers=claimed).text == "ok"
    head = replica.requests[0].split("\r\n")
    assert "X-Forwarded-For: 127.0.0.1" in head
    assert "X-Forwarded-Proto: http" in head
    assert f"Host: {nginx.url.removeprefix('http://')}" in head
    assert 'X-Request-ID: no "id"' not in head
    assert "203.0.113.9" not in replica.requests[0]


def test_a_proxy_further_out_is_believed_once_it_is_named(tmp_path: Path):
    named = {"behind.conf": example("behind-a-proxy.conf").replace("192.0.2.0/24", "127.0.0.0/8")}
    with a_stand_in("answers") as replica, a_nginx(tmp_path / "nginx", [replica.address], named) as nginx:
        forwarded = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
        assert httpx2.get(f"{nginx.url}/livez", headers=forwarded).text == "ok"
    assert "X-Forwarded-For: 203.0.113.9" in replica.requests[0].split("\r\n")


def test_it_ends_tls_once_it_has_a_certificate(tmp_path: Path):
    port = a_free_port()
    _, certificate = for_loopback(tmp_path)
    added = {name: (tmp_path / name).read_text() for name in ("certificate.pem", "key.pem")}
    added["tls.conf"] = example("tls.conf").replace("listen 8443", f"listen 127.0.0.1:{port}")
    trusted = ssl.create_default_context(cafile=certificate)
    with a_stand_in("answers") as replica, a_nginx(tmp_path / "nginx", [replica.address], added):
        answer = httpx2.get(f"https://127.0.0.1:{port}/livez", verify=trusted)
    assert (answer.text, answer.headers["Strict-Transport-Security"]) == ("ok", "max-age=31536000")
    assert "X-Forwarded-Proto: https" in replica.requests[0].split("\r\n")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_a_replica_has_is_not_passed_on_again(method: str, tmp_path: Path):
    with a_stand_in("hangs up") as one, a_stand_in("hangs up") as other:
        with a_nginx(tmp_path / "nginx", [one.address, other.address]) as nginx:
            answer = httpx2.request(method, f"{nginx.url}/api/v1/permits", json={}, headers={"Idempotency-Key": "k"})
        assert len(one.requests) + len(other.requests) == 1
    assert (answer.status_code, answer.json()["decision"]) == (503, "hold")


@pytest.mark.parametrize("manner", ["hangs up", "says nothing"])
def test_an_ask_goes_on_to_the_next_replica(manner, tmp_path: Path):
    with a_stand_in(manner) as bad, a_stand_in("answers") as good:
        running = a_nginx(tmp_path / "nginx", [bad.address, good.address], passes_over_after="4s")
        with running as nginx, nginx.client() as client:
            assert [client.get("/api/v1/readiness").text for _ in range(3)] == ["ok"] * 3
        assert bad.requests
        assert len(good.requests) == 3


@contextmanager
def asked_all_the_while(nginx: Nginx, by: set[str]) -> Iterator[None]:
    """Ask again and again while inside, and keep who answered."""
    over = threading.Event()

    def ask() -> None:
        with nginx.client() as client:
            while not over.is_set():
                by.update(answerers(client))

    with ThreadPoolExecutor(1) as beside:
        asking = beside.submit(ask)
        try:
            yield
        finally:
            over.set()
            asking.result(PATIENCE_SECONDS)


def answerers(client: httpx2.Client) -> set[str]:
    """Return who answers asks: a replica, whatever it says, or nginx itself."""
    answers = [client.get("/api/v1/readiness").json() for _ in range(ASKS)]
    return {"a replica" if "decision_id" in answer else "nginx" for answer in answers}


def end_of(live: ClientConnection) -> int | None:
    with suppress(ConnectionClosed):
        while True:
            live.recv(PATIENCE_SECONDS)
    return live.close_code


def test_asks_go_on_while_one_replica_goes_and_hold_without_any(tmp_path: Path):
    folders, ports = [tmp_path / "a", tmp_path / "b"], [a_port(), a_port()]
    with ExitStack() as stack:
        one, other = (stack.enter_context(a_server(*at)) for at in zip(folders, ["--port"] * 2, ports, strict=True))
        nginx = stack.enter_context(a_nginx(tmp_path / "nginx", [f"127.0.0.1:{port}" for port in ports]))
        client = stack.enter_context(nginx.client())
        wait_until(lambda: answerers(client) == {"a replica"}, "both to answer")
        url = f"{nginx.url.replace('http', 'ws')}/api/v1/live"
        beside = stack.enter_context(ThreadPoolExecutor(2))
        sockets = [stack.enter_context(connect(url)) for _ in range(2)]  # the least busy replica gets each: one apiece
        ends = [beside.submit(end_of, live) for live in sockets]
        answered_by: set[str] = set()
        with asked_all_the_while(nginx, answered_by):
            one.stop(signal.SIGTERM)
            ended, going_on = wait(ends, PATIENCE_SECONDS, FIRST_COMPLETED)
        assert answered_by == {"a replica"}
        assert ([end.result() for end in ended], len(going_on)) == ([1012], 1)
        other.stop(signal.SIGKILL)
        assert answerers(client) == {"nginx"}
        nobody = client.get("/api/v1/readiness")
        assert int(nobody.headers["Retry-After"]) == nobody.json()["retry_after_seconds"]
        assert (nobody.status_code, nobody.json()["decision"]) == (503, "hold")
        assert (nobody.headers["Holdfire-Decision"], nobody.headers["Cache-Control"]) == ("hold", "no-store")
        assert (nobody.json()["proceed"], nobody.json()["allow"]) == (False, 0)
        asked = run_cli("check", "--url", nginx.url, HOLDFIRE_API_KEY="hf_test_x")
        assert asked.returncode == 30, asked.stdout + asked.stderr
        stack.enter_context(a_server(folders[0], "--port", ports[0]))
        wait_until(lambda: answerers(client) == {"a replica"}, "the one that came back")
