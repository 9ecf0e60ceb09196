"""How long mail goes on after a spike: from the POST that reports it to the senders' stop, asked for and pushed."""

import asyncio
import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2

from bench.measuring import data_dir, table
from bench.servers import holdfire

SENDERS = 16
SPIKES = 20
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 20
POLICY = {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]}
ENVIRONMENT = {"HOLDFIRE_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}


class Received:
    """When each permit's pause arrived by webhook, on the stopwatch that everything here is measured with."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def take(self, body: bytes) -> None:
        """Note one delivery."""
        arrived, message = time.monotonic(), json.loads(body)
        self.at.setdefault(message["data"]["subject"], arrived)


@contextmanager
def receiving() -> Iterator[tuple[str, Received]]:
    """Yield the URL of a receiver, and what it received so far."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            received.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", received
        finally:
            server.shutdown()
            thread.join()


def measure(_rounds: int, _seconds: float) -> str:
    """Return the table of the time from a spike's POST to the last sender's stop."""
    with ExitStack() as stack:
        hook, received = stack.enter_context(receiving())
        url, key = stack.enter_context(holdfire(data_dir(stack), ENVIRONMENT))
        headers = {"Authorization": f"Bearer {key}"}
        client = stack.enter_context(httpx2.Client(base_url=f"{url}/api/v1", headers=headers))
        _prepare(client, hook)
        found = [asyncio.run(_spike(client, f"{url}/api/v1", headers, received)) for _ in range(SPIKES)]
    asked, pushed = zip(*found, strict=True)
    rows = [
        (name, f"{statistics.median(seconds) * 1000:.0f}", f"{max(seconds) * 1000:.0f}")
        for name, seconds in (("`must_stop` seen by a sender that polls", asked), ("`permit.paused` received", pushed))
    ]
    heads = (f"the last of {SENDERS} senders is told by", "median ms", f"longest of {SPIKES} ms")
    return table("From spike to stop", heads, rows)


def _prepare(client: httpx2.Client, hook: str) -> None:
    _tell(client, 0)
    version = client.get("/gates/default/policy").headers["etag"]
    client.put("/gates/default/policy", json=POLICY, headers={"If-Match": version}).raise_for_status()
    client.post("/webhooks", json={"name": "bench", "url": hook, "types": ["permit.paused"]}).raise_for_status()


async def _spike(client: httpx2.Client, url: str, headers: dict[str, str], received: Received) -> tuple[float, float]:
    """Return the seconds from a spike to the last poller's stop, and to the last webhook."""
    _tell(client, 0)
    _wait_for(client, 200)
    permits = [client.post("/permits", json={"audience": 10}).raise_for_status().json() for _ in range(SENDERS)]
    ids = [permit["permit_id"] for permit in permits]
    async with httpx2.AsyncClient(base_url=url, headers=headers) as polling:
        pollers = [asyncio.create_task(_poll(polling, permit)) for permit in ids]
        await asyncio.sleep(POLL_SECONDS * 5)
        started = time.monotonic()
        await asyncio.to_thread(_tell, client, 500)
        stopped = max(await asyncio.gather(*pollers))
    subjects = {f"permit/{permit}" for permit in ids}
    while not subjects <= received.at.keys():
        if time.monotonic() - started > PATIENCE_SECONDS:
            raise RuntimeError(f"{len(subjects - received.at.keys())} pauses were not received")
        await asyncio.sleep(POLL_SECONDS)
    for permit in ids:
        client.post(f"/permits/{permit}/release").raise_for_status()
    return stopped - started, max(received.at[subject] for subject in subjects) - started


async def _poll(client: httpx2.AsyncClient, permit: str) -> float:
    """Return when the permit first said that its sender must stop."""
    while True:
        answer = await client.get(f"/permits/{permit}")
        if answer.json()["must_stop"]:
            return time.monotonic()
        await asyncio.sleep(POLL_SECONDS)


def _tell(client: httpx2.Client, backlog: int) -> None:
    at = datetime.now(UTC).isoformat()
    report = {"queue": "orders", "source": "bench", "observed_at": at, "backlog": backlog}
    client.post("/observations", json=report).raise_for_status()


def _wait_for(client: httpx2.Client, status: int) -> None:
    while client.get("/readiness").status_code != status:
        time.sleep(POLL_SECONDS)
