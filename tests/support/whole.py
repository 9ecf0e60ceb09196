"""A whole holdfire in this process: real database, services and routes; its clock stands until a test moves it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx2
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.api.campaign_gate import CampaignGateEndpoint, campaign_in
from app.api.readiness import PATH, ReadinessEndpoint
from app.core.floor.observation import Observation
from app.services.container import Services
from app.settings import Settings
from app.store.bundle import Store, open_store
from app.telemetry.metrics import Metrics
from app.wiring import build_services
from tests.support.api import an_app
from tests.support.builders import NOW, an_observation
from tests.support.databases import a_database_url, prepare
from tests.support.memory import SteppedClock

QUEUES = ("orders-voice",)
POLICY = {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]}


@dataclass
class Whole:
    """A holdfire with what a test may want to look at, and its ASGI app. Queues are quiet unless told otherwise."""

    clock: SteppedClock
    store: Store
    services: Services
    app: FastAPI
    readiness: ReadinessEndpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"services": self.services}
        if scope["type"] == "http" and scope["path"] == PATH:
            await self.readiness(scope, receive, send)
        elif scope["type"] == "http" and campaign_in(scope["path"]) is not None:
            await CampaignGateEndpoint()(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def key(self, *scopes: str) -> dict[str, str]:
        """Return the headers of a new key with these scopes."""
        _, token = await self.services.keys.create(f"key for {', '.join(scopes)}", scopes)
        return {"Authorization": f"Bearer {token}"}

    async def tell(self, *observations: Observation) -> None:
        """Send observations as a source would, and evaluate."""
        await self.services.ingest.observations(observations)
        await self.evaluate()

    async def quiet(self) -> None:
        """Report an empty backlog of every queue as of now: the default policy below says send."""
        await self.tell(*(an_observation(queue, self.clock.now(), backlog=0) for queue in QUEUES))

    async def slam(self) -> None:
        """Report a backlog far past the limit as of now: hold."""
        await self.tell(*(an_observation(queue, self.clock.now(), backlog=500) for queue in QUEUES))

    async def evaluate(self, seconds: float = 0) -> None:
        """Move the clock, let the evaluator see what came and write down what it found."""
        self.clock.move(seconds)
        evaluator = self.services.evaluator
        evaluator.apply(await self.store.stream.read(evaluator.position))
        evaluator.tick(self.clock.now())
        await evaluator.flush()

    async def policy(self, gate: str = "default", **members: object) -> None:
        """Save the plain policy with these members added, and evaluate by it."""
        newest = await self.services.gates.newest_version(gate)
        await self.services.gates.save(gate, POLICY | members, author="test", reason="for a test", expected=newest)
        await self.evaluate()

    @asynccontextmanager
    async def client(self, *scopes: str) -> AsyncIterator[httpx2.AsyncClient]:
        """Yield a client whose key has these scopes; without any it sends no key."""
        headers = await self.key(*scopes) if scopes else {}
        transport = httpx2.ASGITransport(app=self)
        async with httpx2.AsyncClient(transport=transport, base_url="http://holdfire", headers=headers) as client:
            yield client


@asynccontextmanager
async def a_whole(folder: Path, *, auth: str = "on", kind: str = "sqlite", now: datetime = NOW) -> AsyncIterator[Whole]:
    """Yield a holdfire over a database in `folder`, one quiet queue reported, its gate open under a plain policy.

    Over the same folder again it is the same holdfire, started anew.
    """
    clock = SteppedClock(now)
    settings = Settings(auth=auth, data_dir=folder)
    prepare(kind, folder)
    async with open_store(a_database_url(kind, folder), clock, alone=True) as store:
        services = await build_services(settings, clock, store, Metrics())
        whole = Whole(clock, store, services, an_app(), ReadinessEndpoint())
        await whole.quiet()
        await whole.policy()
        yield whole
