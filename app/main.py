"""create_app: the web process, whole. Importing this module opens nothing and reads nothing."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from functools import partial
from typing import TypedDict

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app import __version__
from app.api.campaign_gate import CampaignGateEndpoint, campaign_in
from app.api.health import Check
from app.api.ingest import IngestAhead
from app.api.middleware import install_middleware
from app.api.openapi import install_openapi
from app.api.problems import install_problem_handlers
from app.api.readiness import PATH as READINESS_PATH
from app.api.readiness import ReadinessEndpoint
from app.api.routes import API_PREFIX, api_router
from app.clocks import SystemClock
from app.computing import ChildProcess
from app.core.simulation.twins import Twins
from app.errors import HoldfireError
from app.live.hub import Hub
from app.live.socket import PATH as LIVE_PATH
from app.live.socket import LiveEndpoint, live_router
from app.ports.clock import Clock
from app.ports.replicas import OnlyOne, Replicas
from app.services.agreement import asking
from app.services.container import Services
from app.services.following import while_leading
from app.settings import Settings, load_settings
from app.store.bundle import open_store
from app.store.connect import is_file, usable_url
from app.store.replica import replicas_of
from app.stream.places import notices_of, place_of
from app.telemetry.http import HttpMetrics
from app.telemetry.logs import request_context
from app.telemetry.metrics import Metrics, metrics_router
from app.web.pages import install_pages
from app.wiring import build_services

log = logging.getLogger(__name__)

ASKS_WRITTEN_EVERY_SECONDS = 1.0
KNOWN_WITHIN_SECONDS = 0.5

Background = Callable[[Services, asyncio.Event], Awaitable[None]]


class State(TypedDict):
    """What every request and socket finds in its connection's state."""

    services: Services
    hub: Hub
    metrics: Metrics
    checks: Mapping[str, Check]


class HoldfireApp(FastAPI):
    """FastAPI with branches ahead of its router: what is asked often, or stays open, must cost next to nothing."""

    readiness: ReadinessEndpoint
    campaign_gate: CampaignGateEndpoint
    live: LiveEndpoint
    is_stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == READINESS_PATH:
            await self.readiness(scope, receive, send)
        elif scope["type"] == "http" and campaign_in(scope["path"]) is not None:
            await self.campaign_gate(scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"] == LIVE_PATH:
            await self.live(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def stopping_fault(self) -> str | None:
        """Return why no new requests should come, None while they may."""
        return "the process is ending" if self.is_stopping else None


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    background: Background | None = None,
    twins: Callable[[], Twins] | None = None,
) -> HoldfireApp:
    """Return the whole web application, to be served by one process.

    background runs beside it, with the services and an event that says when to stop; the CLI passes the workers.
    twins: the two days that a demonstration compares on its page.
    """
    settings, clock = settings or load_settings(), clock or SystemClock()
    lifespan = partial(_lifespan, settings=settings, clock=clock, background=background)
    app = HoldfireApp(
        title="holdfire",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect of an ask is no answer
    )
    app.readiness = ReadinessEndpoint()
    app.campaign_gate = CampaignGateEndpoint()
    app.live = LiveEndpoint(app.state)
    app.include_router(api_router())
    app.include_router(live_router(app.live))
    app.include_router(metrics_router())
    install_pages(app, twins)
    install_problem_handlers(app)
    install_openapi(app)
    app.add_middleware(IngestAhead, prefix=API_PREFIX)
    install_middleware(app, request_context)
    app.add_middleware(HttpMetrics)
    return app


@asynccontextmanager
async def _lifespan(
    app: HoldfireApp, *, settings: Settings, clock: Clock, background: Background | None
) -> AsyncIterator[State]:
    """Open the store, run what runs beside the requests, and yield what they find; close all of it at the end."""
    async with AsyncExitStack() as stack:
        url = settings.resolved_database_url
        store = await stack.enter_async_context(
            open_store(url, clock, alone=is_file(usable_url(url)), place=place_of(settings))
        )
        replicas = await replicas_of(store.database, await stack.enter_async_context(notices_of(settings)))
        metrics = Metrics()
        computing, planning = (stack.enter_context(closing(ChildProcess())) for _ in range(2))
        services = await build_services(
            settings, clock, store, metrics, computing=computing, planning=planning, replicas=replicas
        )
        await services.sessions.load()
        hub = Hub(services)
        metrics.watch(services, hub)
        stop, leave = asyncio.Event(), asyncio.Event()
        await stack.enter_async_context(_running(leave, replicas.run(leave, services.following.take_in)))
        jobs = _jobs(services, stop)
        if background:
            jobs.append(while_leading(replicas, stop, partial(background, services)))
        async with _running(stop, *jobs, hub.run(stop)):
            checks: dict[str, Check] = {"migrations": store.schema_fault, "stopping": app.stopping_fault}
            if store.archive is not None:  # what NATS has is answered without the database
                checks |= dict.fromkeys(("database", "migrations"), partial(_known_fault, store.schema_fault))
            if not isinstance(replicas, OnlyOne):
                checks["replica"] = partial(_unconfirmed, replicas)
            yield State(services=services, hub=hub, metrics=metrics, checks=checks)


async def _known_fault(check: Check) -> str | None:
    """Return what a check finds, None where the database does not answer: that is no reason to ask nobody here."""
    try:
        async with asyncio.timeout(KNOWN_WITHIN_SECONDS):
            return await check()
    except (HoldfireError, TimeoutError):
        return None


async def _unconfirmed(replicas: Replicas) -> str | None:
    """Return why this replica may not answer from memory, None while it may."""
    if time.monotonic() < replicas.confirmed_until():
        return None
    return "the database has not answered for a while; what other replicas changed may not be known here"


def _jobs(services: Services, stop: asyncio.Event) -> list[Awaitable[None]]:
    """Return what the services do beside the requests, until `stop` is set."""
    for_all: list[Awaitable[None]] = [
        services.evaluator.run(stop),
        services.keys.run(stop),
        services.sessions.run(stop),
        services.displays.run(stop),
        services.permits.run(stop),
        services.outlooks.run(stop),
        services.learning.run(stop),
        _write_asks(services, stop),
    ]
    leader_s: tuple[Callable[[asyncio.Event], Awaitable[None]], ...] = (
        services.callbacks.run,
        partial(services.releases.run, subscribe=services.evaluator.subscribe),
        services.overrides.run,
        services.tallies.resume,
        services.debriefs.run,
        *([services.archive.run] if services.archive else []),
    )
    return for_all + [while_leading(services.replicas, stop, job) for job in leader_s]


async def _write_asks(services: Services, stop: asyncio.Event) -> None:
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), ASKS_WRITTEN_EVERY_SECONDS)
        try:
            await services.asks.write()
        except (HoldfireError, OSError) as fault:
            log.warning("asks_not_written", extra={"error": str(fault)})


@asynccontextmanager
async def _running(stop: asyncio.Event, *jobs: Awaitable[None]) -> AsyncIterator[None]:
    """Run jobs beside the body; at its end set `stop` and wait for them. A job that fails is logged when it fails."""
    with asking():  # nobody is answered: what jobs change waits for no other replica
        tasks = [asyncio.ensure_future(job) for job in jobs]
    for task in tasks:
        task.add_done_callback(_log_failure)
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)


def _log_failure(task: asyncio.Future[None]) -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.error("background_job_failed", exc_info=fault)
