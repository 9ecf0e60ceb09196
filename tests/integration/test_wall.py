"""A screen on the wall against a real server with sign-in on: what its token opens, what not, and who ever sees it."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.browser.floor import BUSY, GOOD, push, use_policy
from tests.support.server import Server, a_server, run_cli

SECONDS = 60
FORGED = "hfd_" + "a" * 40


class Hung:
    """A server with two gates, and a screen that hangs there."""

    def __init__(self, server: Server, admin: httpx2.Client) -> None:
        self.server, self.admin = server, admin
        use_policy(self.admin)
        self.admin.post("/api/v1/gates", json={"name": "emea"}).raise_for_status()
        push(self.admin, GOOD)
        self.made = self.hang_up("<b>Floor</b> & 2")

    def hang_up(self, name: str, **members: object) -> dict[str, Any]:
        """Return a new screen with its address, as it was made."""
        answer = self.admin.post("/api/v1/displays", json={"name": name} | members).raise_for_status()
        made: dict[str, Any] = answer.json()
        return made

    def socket_url(self, query: str = "") -> str:
        return f"{self.server.url.replace('http', 'ws')}/api/v1/live{query}"

    @asynccontextmanager
    async def socket(self, token: str, query: str = "") -> AsyncIterator[ClientConnection]:
        """Yield the socket that a screen opens, from our own page."""
        protocols: list[Any] = ["holdfire.v1", f"bearer.{token}"]
        url, origin = self.socket_url(query), self.server.url
        async with asyncio.timeout(SECONDS), connect(url, subprotocols=protocols, origin=origin) as opened:  # type: ignore[arg-type]
            yield opened


@pytest.fixture(scope="module")
def hung(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hung]:
    folder = tmp_path_factory.mktemp("wall")
    made = run_cli("keys", "create", "a", "--scope", "admin", "--json", HOLDFIRE_DATA_DIR=str(folder))
    with a_server(folder, auth="on") as server, server.client(json.loads(made.stdout)["key"]) as admin:
        yield Hung(server, admin)


def frame_of(message: str | bytes) -> dict[str, Any]:
    """Return a screen's frame, which comes packed."""
    assert isinstance(message, bytes)
    frame: dict[str, Any] = json.loads(gzip.decompress(message))
    return frame


async def end_of(socket: ClientConnection) -> int | None:
    with suppress(ConnectionClosed):
        while True:
            await socket.recv()
    return socket.close_code


def test_a_screen_needs_nothing_but_its_address_and_tells_nobody_of_it(hung: Hung):
    answer = httpx2.get(hung.made["url"])
    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in ("cache-control", "referrer-policy", "x-robots-tag")} == {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex, nofollow",
    }
    assert "set-cookie" not in answer.headers
    assert "&lt;b&gt;Floor&lt;/b&gt; &amp; 2" in answer.text
    assert "Clear to send: 4 queues within limits." in answer.text
    assert "<a " not in answer.text
    assert hung.made["token"] not in answer.text


def test_a_wrong_and_a_revoked_token_get_the_same_page(hung: Hung):
    gone = hung.hang_up("gone")
    hung.admin.delete(f"/api/v1/displays/{gone['id']}").raise_for_status()
    answers = [httpx2.get(f"{hung.server.url}/wall/{token}") for token in (gone["token"], FORGED, "x", "..%2Ffloor")]
    assert [answer.status_code for answer in answers[:3]] == [404, 404, 404]
    bodies = {answer.text for answer in answers[:3]}
    assert len(bodies) == 1
    assert "This screen was taken down" in bodies.pop()
    assert answers[3].status_code == 404


def test_its_token_opens_nothing_else(hung: Hung):
    token = hung.made["token"]
    paths = ("/api/v1/floor", "/api/v1/gates", "/api/v1/readiness", "/api/v1/displays", "/api/v1/campaigns.ics")
    with hung.server.client(token) as bearer:
        assert [bearer.get(path).status_code for path in paths] == [401] * len(paths)
        assert bearer.get("/").status_code == 303
        assert bearer.get("/partials/live").status_code == 401
    with hung.server.client() as client:
        assert [client.get(path, params={"token": token}).status_code for path in paths] == [401] * len(paths)
        client.cookies.set("holdfire", token)
        assert client.get("/").status_code == 303


def test_a_screen_of_a_gate_that_is_gone_says_so_and_knows_nothing(hung: Hung):
    hung.admin.post("/api/v1/gates", json={"name": "brief"}).raise_for_status()
    made = hung.hang_up("brief", gate="brief", zone="Europe/Berlin")
    hung.admin.delete("/api/v1/gates/brief").raise_for_status()
    answer = httpx2.get(made["url"])
    assert answer.status_code == 200
    assert "UNKNOWN" in answer.text
    assert "There is no gate “brief” any more." in answer.text
    assert httpx2.get(f"{made['url']}/frame").status_code == 404


async def test_a_screens_socket_shows_its_own_gate_whatever_it_asks_for(hung: Hung):
    for query in ("", "?gate=emea", "?gate=emea&view=data", "?view=page"):
        async with hung.socket(hung.made["token"], query) as socket:
            frame = frame_of(await socket.recv())
        assert set(frame) == {"type", "seq", "at", "build", "gate", "state", "html"}
        assert (frame["gate"], frame["state"]) == ("default", "send")
    told = httpx2.get(f"{hung.made['url']}/frame").json()
    assert set(told) == set(frame) - {"seq"}


async def test_the_socket_is_for_a_token_that_is_known(hung: Hung):
    async with hung.socket(FORGED) as socket:
        assert await end_of(socket) == 4401


async def test_a_screen_with_chosen_queues_shows_their_numbers_and_its_gates_verdict(hung: Hung):
    made = hung.hang_up("chat", queues=["care-chat"], zone="Asia/Tokyo")
    push(hung.admin, BUSY)
    try:
        async with hung.socket(made["token"]) as socket:
            frame = frame_of(await socket.recv())
            while frame["state"] != "hold":
                frame = frame_of(await socket.recv())
    finally:
        push(hung.admin, GOOD)
    assert "orders-voice: 14 waiting, limit 10" in frame["html"].replace("\u00a0", " ")
    assert "number-backlog-10.0-care-chat" in frame["html"]
    assert "number-backlog-10.0-orders-voice" not in frame["html"]
    assert "JST" in frame["html"]


async def test_taking_a_screen_down_ends_its_sockets_within_seconds(hung: Hung):
    made = hung.hang_up("short")
    async with hung.socket(made["token"]) as one, hung.socket(made["token"]) as other:
        await one.recv()
        await other.recv()
        shown = hung.admin.get(f"/api/v1/displays/{made['id']}").json()
        assert shown["showing"] == 2
        began = asyncio.get_running_loop().time()
        await asyncio.to_thread(lambda: hung.admin.delete(f"/api/v1/displays/{made['id']}").raise_for_status())
        assert [await end_of(one), await end_of(other)] == [4401, 4401]
        assert asyncio.get_running_loop().time() - began < 4


async def test_without_sign_in_a_screen_is_a_screen_all_the_same(tmp_path: Path):
    with a_server(tmp_path) as server, server.client() as client:
        made = client.post("/api/v1/displays", json={"name": "Floor 2"}).json()
        url = f"{server.url.replace('http', 'ws')}/api/v1/live"
        protocols: list[Any] = ["holdfire.v1", f"bearer.{made['token']}"]
        async with asyncio.timeout(SECONDS), connect(url, subprotocols=protocols) as socket:
            assert "html" in frame_of(await socket.recv())
        protocols = ["holdfire.v1", f"bearer.{FORGED}"]
        async with asyncio.timeout(SECONDS), connect(url, subprotocols=protocols) as socket:
            assert await end_of(socket) == 4401


def test_no_log_line_and_no_metric_has_a_screens_token_whatever_becomes_of_it(tmp_path: Path):
    made = run_cli("keys", "create", "a", "--scope", "admin", "--json", HOLDFIRE_DATA_DIR=str(tmp_path))
    with a_server(tmp_path, auth="on", HOLDFIRE_LOG_LEVEL="debug") as server:
        with server.client(json.loads(made.stdout)["key"]) as admin:
            screen = admin.post("/api/v1/displays", json={"name": "Floor 2"}).json()
            secret = screen["token"].removeprefix("hfd_")
            answers = [
                httpx2.get(screen["url"]),
                httpx2.get(screen["url"] + "x"),
                httpx2.get(f"{screen['url']}/frame"),
                httpx2.post(screen["url"]),
                httpx2.get(f"{server.url}/wall/{secret}"),
                httpx2.get(f"{server.url}/wall/{screen['token']}/more"),
                httpx2.get(f"{server.url}/api/v1/floor", headers={"Authorization": f"Bearer {screen['token']}"}),
                httpx2.get(f"{server.url}/livez", headers={"Referer": screen["url"]}),
            ]
            assert [answer.status_code for answer in answers] == [200, 404, 200, 405, 404, 404, 401, 200]
            _watch_once(server, screen["token"])
            assert secret not in admin.get("/metrics").text
        server.stop()
    assert secret not in "".join(server.lines)


def _watch_once(server: Server, token: str) -> None:
    async def watch() -> None:
        url = f"{server.url.replace('http', 'ws')}/api/v1/live"
        protocols: list[Any] = ["holdfire.v1", f"bearer.{token}"]
        async with asyncio.timeout(SECONDS), connect(url, subprotocols=protocols) as socket:
            await socket.recv()

    asyncio.run(watch())
