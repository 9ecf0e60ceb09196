"""Senders and a floor for a real server: they report, ask for permits over real sockets, and ask again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from app.clocks import SystemClock
from app.core.permit.permit import Permit
from app.store.bundle import open_store
from tests.support.databases import a_database_url
from tests.support.server import NO_TLS, Server

POLICY = {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]}
PERMITS = "/api/v1/permits"
CHANGE_SECONDS = 60


class Ask(NamedTuple):
    """One ask, as its sender repeats it."""

    key: str
    body: Mapping[str, Any]


def an_ask(key: str, audience: int, **more: object) -> Ask:
    return Ask(key, {"gate": "default", "audience": audience, **more})


def tell(client: httpx2.Client, backlog: int) -> None:
    """Report a backlog of the one queue as of now."""
    at = datetime.now(UTC).isoformat()
    reply = client.post("/api/v1/observations", json={"queue": "orders", "observed_at": at, "backlog": backlog})
    assert reply.is_success, reply.text


def save_policy(client: httpx2.Client, **members: object) -> None:
    """Save the plain policy with these members added."""
    version = client.get("/api/v1/gates/default/policy").headers["etag"]
    reply = client.put("/api/v1/gates/default/policy", json=POLICY | members, headers={"If-Match": version})
    assert reply.is_success, reply.text


def wait_for_gate(client: httpx2.Client, state: str) -> dict[str, Any]:
    """Return the readiness answer once the gate says so."""
    deadline = time.monotonic() + CHANGE_SECONDS
    while time.monotonic() < deadline:
        body: dict[str, Any] = client.get("/api/v1/readiness").json()
        if body.get("state") == state:
            return body
        time.sleep(0.01)
    raise AssertionError(f"the gate did not become {state}: {body}")


def open_gate(server: Server, **members: object) -> None:
    """Bring the gate to send under the plain policy with these members added."""
    with server.client() as client:
        tell(client, backlog=0)
        save_policy(client, **members)
        wait_for_gate(client, "send")


async def post(client: httpx2.AsyncClient, ask: Ask) -> httpx2.Response:
    return await client.post(PERMITS, json=ask.body, headers={"Idempotency-Key": ask.key})


def run_clients(url: str, number: int, client: Callable[[httpx2.AsyncClient, int], Awaitable[None]]) -> None:
    """Run that many clients at once, each with connections of its own."""

    async def one(index: int) -> None:
        async with httpx2.AsyncClient(base_url=url, timeout=60, verify=NO_TLS) as connections:
            await client(connections, index)

    async def all_of_them() -> None:
        await asyncio.gather(*map(one, range(number)))

    asyncio.run(all_of_them())


def stored_permits(folder: Path) -> dict[str, Permit]:
    """Return every permit in the database of a server that has ended."""

    async def read() -> dict[str, Permit]:
        found: dict[str, Permit] = {}
        async with open_store(a_database_url("sqlite", folder), SystemClock()) as store:
            before = None
            while page := await store.permits.permits(before=before, limit=500):
                found |= {permit.id: permit for permit in page}
                before = page[-1].granted_at, page[-1].id
        return found

    return asyncio.run(read())
