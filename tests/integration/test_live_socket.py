"""The live socket against a real server: who may open it, what it says, what ends it."""

import asyncio
import json
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.people import signed_in
from tests.support.server import Server, a_server, run_cli

SECONDS = 60
HEARTBEAT_SECONDS, LOST_AFTER_SECONDS = 5, 12  # so long is silence at most, and so long a page bears with it


def a_key(data_dir: Path, *scopes: str) -> dict[str, str]:
    """Return {id, key} of a new key, made on the command line."""
    chosen = [word for scope in scopes for word in ("--scope", scope)]
    made = run_cli("keys", "create", "test", *chosen, "--json", HOLDFIRE_DATA_DIR=str(data_dir))
    assert made.returncode == 0, made.stderr
    key: dict[str, str] = json.loads(made.stdout)
    return key


class Guarded:
    """A server that wants keys, and one key for each thing tried here."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.reader = a_key(data_dir, "read")
        self.revocable = a_key(data_dir, "read")
        self.sender = a_key(data_dir, "readiness")
        self.admin = a_key(data_dir, "admin")
        self.server: Server

    def url(self, query: str = "") -> str:
        return f"{self.server.url.replace('http', 'ws')}/api/v1/live{query}"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    made = Guarded(tmp_path_factory.mktemp("guarded"))
    with a_server(made.data_dir, auth="on", HOLDFIRE_ALLOWED_ORIGINS="https://board.example") as made.server:
        yield made


@asynccontextmanager
async def opened(url: str, key: str | None = None, **options) -> AsyncIterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with asyncio.timeout(SECONDS), connect(url, additional_headers=headers, **options) as socket:
        yield socket


async def end_of(socket: ClientConnection) -> int | None:
    """Return the code with which the server ends a connection, once it does."""
    with suppress(ConnectionClosed):
        while True:
            await socket.recv()
    return socket.close_code


async def close_code(url: str, key: str | None = None) -> int | None:
    """Return the code with which the server ends a connection that it does not want."""
    async with opened(url, key) as socket:
        return await end_of(socket)


async def test_a_key_that_may_read_gets_a_snapshot_at_once(guarded: Guarded):
    async with opened(guarded.url(), guarded.reader["key"]) as socket:
        frame = json.loads(await socket.recv())
    assert (frame["type"], frame["gate"]) == ("snapshot", "default")
    assert frame["decision"]["state"] == "unknown"


async def test_a_key_may_come_as_sub_protocol_where_headers_cannot(guarded: Guarded):
    protocols = ["holdfire.v1", f"bearer.{guarded.reader['key']}"]
    async with opened(guarded.url(), subprotocols=protocols) as socket:
        assert socket.subprotocol == "holdfire.v1"
        assert json.loads(await socket.recv())["type"] == "snapshot"


async def test_without_a_key_the_code_says_sign_in(guarded: Guarded):
    assert await close_code(guarded.url()) == 4401
    assert await close_code(guarded.url(), "hf_live_aaaaaaaa_" + "a" * 46) == 4401


async def test_a_key_without_the_scope_is_told_so(guarded: Guarded):
    assert await close_code(guarded.url(), guarded.sender["key"]) == 4403


async def test_an_unknown_gate_is_told_so(guarded: Guarded):
    assert await close_code(guarded.url("?gate=nowhere"), guarded.reader["key"]) == 4404


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_foreign_page_is_refused_before_the_handshake_even_with_a_good_key(guarded: Guarded, origin):
    with pytest.raises(InvalidStatus) as refused:
        async with opened(guarded.url(), guarded.reader["key"], origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_our_own_page_and_those_named_may(guarded: Guarded):
    for origin in (guarded.server.url, "https://board.example"):
        async with opened(guarded.url(), guarded.reader["key"], origin=origin) as socket:
            assert json.loads(await socket.recv())["type"] == "snapshot"


async def test_revoking_a_key_ends_its_open_sockets(guarded: Guarded):
    async with opened(guarded.url(), guarded.revocable["key"]) as socket:
        await socket.recv()
        with guarded.server.client(guarded.admin["key"]) as client:
            client.delete(f"/api/v1/keys/{guarded.revocable['id']}").raise_for_status()
        assert await end_of(socket) == 4401


async def test_a_watcher_who_talks_too_much_is_shown_the_door(guarded: Guarded):
    async with opened(guarded.url(), guarded.reader["key"]) as socket:
        with suppress(ConnectionClosed):
            for _ in range(1_000):
                await socket.send("hello")
        assert await end_of(socket) == 1008


async def test_a_change_arrives_within_a_quarter_of_a_second_or_so(tmp_path: Path):
    with a_server(tmp_path) as server, server.client() as client:
        async with opened(server.url.replace("http", "ws") + "/api/v1/live") as socket:
            json.loads(await socket.recv())
            at = datetime.now(UTC).isoformat()
            body = {"queue": "orders", "source": "acd", "observed_at": at, "backlog": 3}
            posted = asyncio.get_running_loop().time()
            await asyncio.to_thread(lambda: client.post("/api/v1/observations", json=body).raise_for_status())
            frame = json.loads(await socket.recv())
            while not frame["queues"]:
                frame = json.loads(await socket.recv())
            assert asyncio.get_running_loop().time() - posted < HEARTBEAT_SECONDS
            assert frame["queues"][0]["metrics"]["backlog"]["value"] == 3


async def test_silence_never_lasts_longer_than_the_heartbeat(guarded: Guarded):
    loop = asyncio.get_running_loop()
    async with opened(guarded.url(), guarded.reader["key"]) as socket:
        await socket.recv()
        await socket.recv()
        started = loop.time()
        await socket.recv()
        assert loop.time() - started < LOST_AFTER_SECONDS


async def test_a_server_that_goes_says_come_back(tmp_path: Path):
    with a_server(tmp_path) as server:
        async with opened(server.url.replace("http", "ws") + "/api/v1/live") as socket:
            await socket.recv()
            server.process.send_signal(signal.SIGTERM)
            assert await end_of(socket) == 1012


def test_the_sessions_table_holds_no_cookie_in_clear(guarded: Guarded):
    with signed_in(guarded.server, "viewer") as client:
        cookie = client.cookies["holdfire"]
    with sqlite3.connect(guarded.data_dir / "holdfire.db") as database:
        rows = database.execute("SELECT * FROM sessions").fetchall()
    database.close()
    assert len(rows) >= 1
    assert cookie.encode() not in repr(rows).encode()
