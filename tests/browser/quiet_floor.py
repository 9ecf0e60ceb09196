"""A holdfire that has watched two quiet hours of one team, and goes on watching it: enough to look ahead from."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from tests.browser.floor import POLICY, ZONE
from tests.support.server import Server, a_server

AGENTS, OFFERED, HANDLE_SECONDS = 20, 5, 300.0
EVERY_SECONDS = 5.0
LOOKED_FOR_SECONDS = 90.0
LOOKING_SECONDS = 0.5


def observed(at: datetime, backlog: int = 0) -> dict[str, Any]:
    """Return what a source says of a team that is busy for a quarter of its time."""
    return {
        "queue": "orders-voice",
        "observed_at": at.isoformat(),
        "source": "acd-1",
        "backlog": backlog,
        "contacts_in_progress": OFFERED,
        "agents_staffed": AGENTS,
        "agents_busy": OFFERED,
        "agents_available": AGENTS - OFFERED,
        "window_seconds": 300,
        "offered": OFFERED,
        "answered": OFFERED,
        "abandoned": 0,
        "answered_within_target": OFFERED,
        "wait_seconds_sum": 0.0,
        "handle_seconds_sum": OFFERED * HANDLE_SECONDS,
    }


def report(client: httpx2.Client, *observations: dict[str, Any]) -> None:
    """Send observations as a source does."""
    answer = client.post("/api/v1/observations", json=observations)
    assert answer.status_code == 200, answer.text


def use_outlook_policy(client: httpx2.Client, time_zone: str = ZONE) -> None:
    """Save a policy whose outlook decides; one is made at once."""
    rules = [{"metric": "backlog", "hold_above": 10, "resume_below": 5}]
    document = POLICY | {"rules": rules, "outlook": {"service_level_ratio": 0.8}, "time_zone": time_zone}
    answer = client.put("/api/v1/gates/default/policy", json=document, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


class QuietFloor:
    """The server, and a source that reports every few seconds what `backlog` says."""

    def __init__(self, server: Server) -> None:
        self.server, self.url, self.backlog = server, server.url, 0
        self._stop = threading.Event()
        self._source = threading.Thread(target=self._report_on, daemon=True)

    def tell(self, backlog: int) -> None:
        """Report another backlog at once, and from now on."""
        self.backlog = backlog
        with self.server.client() as client:
            report(client, observed(datetime.now(UTC), backlog))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Report until the body ends."""
        self._source.start()
        try:
            yield
        finally:
            self._stop.set()
            self._source.join()

    def _report_on(self) -> None:
        with self.server.client() as client:
            while not self._stop.wait(EVERY_SECONDS):
                report(client, observed(datetime.now(UTC), self.backlog))

    def wait_for_outlook(self) -> None:
        """Return once something is known of the next hours."""
        with self.server.client() as client:
            for _ in range(int(LOOKED_FOR_SECONDS / LOOKING_SECONDS)):
                outlook = client.get("/api/v1/outlook").json()
                if outlook["known"]:
                    return
                self._stop.wait(LOOKING_SECONDS)
        raise AssertionError(f"there is no outlook: {outlook['unknown']}")


@contextmanager
def a_quiet_floor(data: Path, time_zone: str = ZONE) -> Iterator[QuietFloor]:
    """Yield a holdfire with room to spare, an outlook, and a campaign on its way that is far too large for it."""
    now = datetime.now(UTC)
    with a_server(data) as earlier, earlier.client() as client:
        report(client, *(observed(now - timedelta(minutes=minute)) for minute in range(120, 0, -1)))
    with a_server(data) as server:
        floor = QuietFloor(server)
        floor.tell(0)
        with server.client() as client:
            name = {"title": "Orders"}
            client.put("/api/v1/queues/orders-voice", json=name, headers={"If-Match": "*"}).raise_for_status()
            plan = {"id": "spring", "title": "Spring sale", "audience": 500_000, "contacts_per_1000": 6.0}
            tag = client.post("/api/v1/campaigns", json=plan).headers["etag"]
            client.post("/api/v1/campaigns/spring/schedule", headers={"If-Match": tag}).raise_for_status()
            use_outlook_policy(client, time_zone)
        with floor.watched():
            floor.wait_for_outlook()
            yield floor
