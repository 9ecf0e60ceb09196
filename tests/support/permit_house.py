"""A whole holdfire for permits, driven over its HTTP routes: it can be slammed, silenced, broken and started anew."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from sqlalchemy import select

from app.api.readiness import ReadinessEndpoint
from app.core.permit.permit import NOTHING_SPENT, Permit, Spent
from app.settings import Settings
from app.store.bundle import open_store
from app.store.event_tables import EVENTS
from app.telemetry.metrics import Metrics
from app.wiring import build_services
from tests.support.api import an_app
from tests.support.builders import NOW
from tests.support.databases import a_database_url
from tests.support.memory import SteppedClock
from tests.support.whole import Whole

T = TypeVar("T")
SCOPES = ("permits", "readiness", "read", "admin")
GATE = "default"


class House:
    """A holdfire over a folder, in an event loop of its own. Everything it does is finished when a call returns."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._runner, self._stack = folder, asyncio.Runner(), AsyncExitStack()
        self.clock = SteppedClock(NOW)
        self.whole: Whole
        self._client: httpx2.AsyncClient
        self.run(self._open())
        self._senders = [self.run(self.whole.key(*SCOPES)) for _ in range(2)]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the house's loop and return its result."""
        return self._runner.run(work)

    async def _open(self) -> None:
        url = a_database_url("sqlite", self._folder)
        store = await self._stack.enter_async_context(open_store(url, self.clock, alone=True))
        services = await build_services(Settings(data_dir=self._folder), self.clock, store, Metrics())
        # Its stopwatch stands while no test moves it, however slow the machine: no evaluation is late by itself.
        services.answering._monotonic = lambda: services.evaluator.published.monotonic_seconds
        self.whole = Whole(self.clock, store, services, an_app(), ReadinessEndpoint())
        transport = httpx2.ASGITransport(app=self.whole)
        self._client = await self._stack.enter_async_context(
            httpx2.AsyncClient(transport=transport, base_url="http://holdfire")
        )

    def restart(self) -> None:
        """End the process's part and begin it anew over the same files."""
        self.run(self._stack.aclose())
        self.run(self._open())

    def close(self) -> None:
        """End it for good."""
        self.run(self._stack.aclose())
        self._runner.close()

    # --- what senders do ---

    def ask(self, sender: int, body: Mapping[str, object], key: str | None = None) -> httpx2.Response:
        """Ask for a permit. sender: 0 or 1, each has an API key of its own."""
        return self.run(self.asking(sender, body, key))

    async def asking(self, sender: int, body: Mapping[str, object], key: str | None = None) -> httpx2.Response:
        """Ask for a permit beside others."""
        headers = self._senders[sender] | ({"Idempotency-Key": key} if key else {})
        return await self._client.post("/api/v1/permits", json=dict(body), headers=headers)

    def step(self, permit_id: str, verb: str, body: Mapping[str, object] | None = None) -> httpx2.Response:
        """Report, renew, release or revoke a permit."""
        return self.run(self._step(f"/api/v1/permits/{permit_id}/{verb}", body))

    async def _step(self, url: str, body: Mapping[str, object] | None) -> httpx2.Response:
        response = await self._client.post(url, json=body, headers=self._senders[0])
        await self.whole.services.permits._keeper.settle()  # a renewal that finds the gate shut begins to pause
        return response

    def get(self, path: str) -> httpx2.Response:
        """Read something."""
        return self.run(self._client.get(f"/api/v1{path}", headers=self._senders[0]))

    # --- what happens around them ---

    def save_policy(self, members: Mapping[str, int]) -> None:
        """Save the plain policy with these members added."""
        self.run(self.whole.policy(GATE, **members))

    def override(self, body: Mapping[str, object]) -> None:
        """Make an override of the gate."""
        path = f"/api/v1/gates/{GATE}/overrides"
        response = self.run(self._client.post(path, json=body, headers=self._senders[0]))
        assert response.is_success, response.text

    def evaluate(self) -> None:
        """Let the evaluator tick as of now and the permits follow it."""
        self.run(self._evaluate())

    async def _evaluate(self) -> None:
        evaluator = self.whole.services.evaluator
        if evaluator.published.at > self.clock.now():
            await evaluator.start()  # as its own loop does when the clock was set back
        await self.whole.evaluate()
        await self.whole.services.permits.follow()

    def abandon(self, work: Coroutine[Any, Any, httpx2.Response], turns: int) -> None:
        """Begin a request, and break off after some turns of the loop: whether it was done, nobody is told."""

        async def begin() -> None:
            task = asyncio.ensure_future(work)
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])

        self.run(begin())

    def execute(self, sql: str) -> None:
        """Execute a statement on the connection that writes, outside any transaction."""

        def on_writer() -> None:
            connection = self.whole.store.database.writer.engine.raw_connection()
            connection.cursor().execute(sql)
            connection.close()

        self.run(self._on_writer(on_writer))

    async def _on_writer(self, job: Callable[[], None]) -> None:
        await asyncio.wrap_future(self.whole.store.database.writer.submit(job))

    @contextmanager
    def broken_disk(self) -> Iterator[None]:
        """Let every write fail meanwhile."""
        self.execute("PRAGMA query_only=ON")
        yield
        self.execute("PRAGMA query_only=OFF")

    # --- what is written down ---

    def rows(self) -> Mapping[str, Permit]:
        """Return every permit there is, by id."""
        found = self.run(self.whole.store.permits.permits(limit=1_000))
        return {permit.id: permit for permit in found}

    def stored_sums(self) -> Spent:
        """Return what the database says the default gate has given away."""
        now = self.clock.now()
        return self.run(self.whole.store.permits.spent(now)).get(GATE, NOTHING_SPENT)

    def remembered_sums(self) -> Spent:
        """Return what answers are made with."""
        return self.whole.services.permits.spent(GATE, self.clock.now())

    def told_of_permits(self, permits: Collection[str]) -> Mapping[str, list[str]]:
        """Return, for each permit, the types of its events in the order of the book."""
        query = select(EVENTS.c.type, EVENTS.c.subject).order_by(EVENTS.c.seq)
        rows = self.run(self.whole.store.database.read(lambda connection: connection.execute(query).all()))
        told: dict[str, list[str]] = {permit: [] for permit in permits}
        for kind, subject in rows:
            noun, _, name = subject.partition("/")
            if noun == "permit":
                told[name].append(kind)
        return told
