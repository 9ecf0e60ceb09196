"""The whole HTTP API over memory: real routes, real services, real evaluator; only the ports are in memory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import httpx2
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.api.campaign_gate import CampaignGateEndpoint, campaign_in
from app.api.ingest import IngestAhead
from app.api.middleware import install_middleware
from app.api.openapi import install_openapi
from app.api.problems import install_problem_handlers
from app.api.readiness import PATH, ReadinessEndpoint
from app.api.routes import API_PREFIX, api_router
from app.computing import InProcess
from app.core.campaign.campaign import Campaign
from app.core.permit.permit import Permit
from app.errors import NotFound
from app.ports.replicas import OnlyOne
from app.services.answering import Answering
from app.services.asks import Asks
from app.services.container import Services
from app.services.decisions import Decisions
from app.services.evaluator import Evaluator
from app.services.foresights import Foresights
from app.services.gates import Gates
from app.services.history import History
from app.services.ingest import Ingest
from app.services.keys import Keys
from app.services.pushes import Pushes
from app.services.queues import Queues
from app.services.readiness import Readiness
from app.services.retention import Retention
from app.services.senders import Senders
from app.services.sessions import Sessions
from app.services.sources import Sources
from app.settings import Settings
from tests.support.builders import NOW
from tests.support.memory import (
    MemoryDecisionLog,
    MemoryEvaluationStore,
    MemoryGateStore,
    MemoryHistory,
    MemoryKeyStore,
    MemoryQueueStore,
    MemoryStream,
    SteppedClock,
)
from tests.support.memory_people import MemoryPeople


class NoPermits:
    """No permit was ever given."""

    def in_flight(self, _gate: str, _limit: int) -> Sequence[Permit]:
        return ()

    def must_stop(self, _permit: Permit) -> bool:
        return True


class NoEvents:
    """Nothing was ever written down."""

    async def last(self, _gate: str) -> int:
        return 0


class NoNotes:
    """Nobody has written a note."""

    def changes(self, _gate: str) -> int:
        return 0


class NoCampaigns:
    """There is no campaign."""

    def on_their_way(self, _gate: str) -> Sequence[Campaign]:
        return ()

    def answer(self, _asker: str, campaign_id: str, _profile: object) -> None:
        raise NotFound(f"there is no campaign {campaign_id!r}")


@dataclass
class Api:
    """An API in memory with what a test may want to look at, and its ASGI app."""

    clock: SteppedClock
    stream: MemoryStream
    history: MemoryHistory
    log: MemoryDecisionLog
    store: MemoryEvaluationStore
    services: Services
    app: FastAPI
    state: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"services": self.services, **self.state}
        if scope["type"] == "http" and scope["path"] == PATH:
            await ReadinessEndpoint()(scope, receive, send)
        elif scope["type"] == "http" and campaign_in(scope["path"]) is not None:
            await CampaignGateEndpoint()(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def key(self, *scopes: str) -> dict[str, str]:
        """Return the headers of a new key with these scopes."""
        _, token = await self.services.keys.create(f"key for {', '.join(scopes)}", scopes)
        return {"Authorization": f"Bearer {token}"}

    async def evaluate(self, seconds: float = 0) -> None:
        """Move the clock, let the evaluator see what came and write down what it found."""
        self.clock.move(seconds)
        self.services.evaluator.apply(await self.stream.read(self.services.evaluator.position))
        self.services.evaluator.tick(self.clock.now())
        await self.services.evaluator.flush()

    @asynccontextmanager
    async def client(self, *scopes: str) -> AsyncIterator[httpx2.AsyncClient]:
        """Yield a client whose key has these scopes; without any it sends no key."""
        headers = await self.key(*scopes) if scopes else {}
        transport = httpx2.ASGITransport(app=self)
        async with httpx2.AsyncClient(transport=transport, base_url="http://holdfire", headers=headers) as client:
            yield client


async def an_api(*, auth: str = "on", past_router: bool = True) -> Api:
    """Return an API over empty memory, evaluated once. past_router: as it is served; else ingest goes through it."""
    clock = SteppedClock(NOW)
    stream, log = MemoryStream(clock), MemoryDecisionLog()
    history = MemoryHistory(stream)
    gates, queues, store = MemoryGateStore(), MemoryQueueStore(), MemoryEvaluationStore(log, history)
    evaluator = Evaluator(stream=stream, gates=gates, queues=queues, store=store, clock=clock)
    answering = Answering(lambda: evaluator.published, clock)
    absent: Any = None  # what these tests do not touch; tests.support.whole has everything
    sources, asks, keys = Sources(), Asks(log), Keys(MemoryKeyStore(), clock)
    services = Services(
        settings=Settings(auth=auth),
        clock=clock,
        replicas=OnlyOne(),
        following=absent,
        ingest=Ingest(stream, clock, sources),
        evaluator=evaluator,
        readiness=Readiness(lambda: evaluator.published, answering, asks, clock),
        answering=answering,
        asks=asks,
        permits=cast("Any", NoPermits()),
        campaigns=cast("Any", NoCampaigns()),
        campaign_gate=cast("Any", NoCampaigns()),
        releases=absent,
        briefings=absent,
        calendars=absent,
        displays=absent,
        overrides=absent,
        events=cast("Any", NoEvents()),
        notes=cast("Any", NoNotes()),
        webhooks=absent,
        deliveries=absent,
        callbacks=absent,
        hours=absent,
        schedules=absent,
        staffings=absent,
        gates=Gates(gates, clock, evaluator.set_policy, evaluator.drop_gate),
        queues=Queues(queues, clock, evaluator.set_targets),
        history=History(history),
        decisions=Decisions(log),
        keys=keys,
        sessions=Sessions(MemoryPeople(), clock, hours=12, idle_hours=4),
        accounts=absent,
        invitations=absent,
        sign_ins=absent,
        sources=sources,
        pushes=Pushes({}, (), Ingest(stream, clock, sources)),
        trials=absent,
        senders=Senders(clock),
        driving=absent,
        archive=None,
        retention=Retention(stream, history, absent, clock, raw_days=30, minutes_days=400),
        backtests=absent,
        packing=absent,
        computing=InProcess(),
        foresights=Foresights(evaluator.wake),
        outlooks=absent,
        outlook_questions=absent,
        tallies=absent,
        learning=absent,
        debriefs=absent,
        values=absent,
        scoreboards=absent,
        workloads=absent,
    )
    await evaluator.start()
    return Api(clock, stream, history, log, store, services, an_app(past_router=past_router))


@cache
def an_app(*, past_router: bool = True) -> FastAPI:
    """Return the API's routes as an app, with everything that belongs around them; it has no state, so one will do."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(api_router())
    install_problem_handlers(app)
    install_openapi(app)
    if past_router:
        app.add_middleware(IngestAhead, prefix=API_PREFIX)
    install_middleware(app)
    return app
