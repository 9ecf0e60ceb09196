"""create_app: the web process's only wiring point. Importing this module opens nothing and reads nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TypedDict

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app import __version__
from app.api.auth import ANONYMOUS
from app.api.campaign_gate import CampaignGateEndpoint, campaign_in
from app.api.health import Check
from app.api.middleware import install_middleware
from app.api.openapi import install_openapi
from app.api.problems import install_problem_handlers
from app.api.readiness import PATH as READINESS_PATH
from app.api.readiness import ReadinessEndpoint
from app.api.routes import api_router
from app.clocks import SystemClock
from app.core.webhooks.address import Allowed
from app.errors import HoldfireError
from app.live.hub import Hub
from app.live.socket import live_router
from app.ports import Clock, PolicyVersion
from app.resolver import Resolver
from app.services.answering import Answering
from app.services.asks import Asks
from app.services.beside import GateSurroundings
from app.services.briefings import Briefings
from app.services.calendars import Calendars
from app.services.callbacks import Callbacks
from app.services.campaign_gate import CampaignGate
from app.services.campaigns import Campaigns
from app.services.container import Services
from app.services.decisions import Decisions
from app.services.deliveries import Deliveries
from app.services.destinations import Destinations
from app.services.evaluator import Evaluator
from app.services.events import Events
from app.services.gates import Gates
from app.services.history import History
from app.services.ingest import Ingest
from app.services.keys import Keys
from app.services.overrides import Overrides
from app.services.permits import Permits
from app.services.published import Published
from app.services.queues import Queues
from app.services.rates import Rates
from app.services.readiness import Readiness
from app.services.releases import Releases
from app.services.retention import Retention
from app.services.sessions import Sessions
from app.services.sources import Sources
from app.services.still_true import StillTrue
from app.services.webhooks import Webhooks
from app.settings import Settings, load_settings
from app.store.bundle import Store, open_store
from app.store.sessions import SqlSessions
from app.telemetry.http import HttpMetrics
from app.telemetry.logs import request_context
from app.telemetry.metrics import Metrics, metrics_router
from app.web.pages import install_pages

log = logging.getLogger(__name__)

ASKS_WRITTEN_EVERY_SECONDS = 1.0

Background = Callable[[Services, asyncio.Event], Awaitable[None]]


class State(TypedDict):
    """What every request and socket finds in its connection's state."""

    services: Services
    hub: Hub
    metrics: Metrics
    checks: Mapping[str, Check]


class HoldfireApp(FastAPI):
    """FastAPI with two branches ahead of its router: the answers to who asks often must cost next to nothing."""

    readiness: ReadinessEndpoint
    campaign_gate: CampaignGateEndpoint
    is_stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == READINESS_PATH:
            await self.readiness(scope, receive, send)
        elif scope["type"] == "http" and campaign_in(scope["path"]) is not None:
            await self.campaign_gate(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def stopping_fault(self) -> str | None:
        """Return why no new requests should come, None while they may."""
        return "the process is ending" if self.is_stopping else None


def create_app(
    settings: Settings | None = None, *, clock: Clock | None = None, background: Background | None = None
) -> HoldfireApp:
    """Return the whole web application, to be served by one process.

    background runs beside it, with the services and an event that says when to stop; the CLI passes the workers.
    """
    settings, clock = settings or load_settings(), clock or SystemClock()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(open_store(settings.resolved_database_url, clock, alone=True))
            metrics = Metrics()
            services = await build_services(settings, clock, store, metrics)
            hub = Hub(services)
            metrics.watch(services, hub)
            stop = asyncio.Event()
            jobs: list[Awaitable[None]] = [
                services.evaluator.run(stop),
                services.keys.run(stop),
                services.permits.run(stop),
                services.callbacks.run(stop),
                services.releases.run(stop, services.evaluator.subscribe),
                services.overrides.run(stop),
                hub.run(stop),
                _write_asks(services, stop),
            ]
            if background:
                jobs.append(background(services, stop))
            async with _running(stop, *jobs):
                checks = {"migrations": store.schema_fault, "stopping": app.stopping_fault}
                yield State(services=services, hub=hub, metrics=metrics, checks=checks)

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
    app.include_router(api_router())
    app.include_router(live_router())
    app.include_router(metrics_router())
    install_pages(app)
    install_problem_handlers(app)
    install_openapi(app)
    install_middleware(app, request_context)
    app.add_middleware(HttpMetrics)
    return app


async def build_services(settings: Settings, clock: Clock, store: Store, metrics: Metrics) -> Services:
    """Return the services over a store, the evaluator started: it stands where the last run stood."""

    def published() -> Published:
        return evaluator.published

    def policy_changed(gate: str, saved: PolicyVersion | None) -> None:
        evaluator.set_policy(gate, saved)
        set_by_hand()

    def gate_deleted(gate: str) -> None:
        overrides.forget(gate)
        evaluator.drop_gate(gate)
        set_by_hand()

    def set_by_hand() -> None:
        evaluator.evaluate_now()

    def changed() -> None:
        evaluator.wake()

    overrides = Overrides(store.overrides, clock, published, set_by_hand)
    answering = Answering(published, clock)
    asks = Asks(store.decisions, metrics.audit_write_failed, overrides.count_uses)
    permits = Permits(store.permits, answering, asks, clock, changed)
    campaigns = Campaigns(store.campaigns, store.briefings, permits, clock, set_by_hand)
    evaluator = Evaluator(
        stream=store.stream,
        gates=store.gates,
        queues=store.queues,
        store=store.evaluation,
        clock=clock,
        beside=GateSurroundings(overrides, permits, campaigns, clock),
        expires_after_seconds=settings.contacts_expire_after_seconds,
        on_transition=metrics.transition,
    )
    sources = Sources()
    allowed = Allowed.of(settings.webhook_allowed_networks)
    destinations = Destinations(Resolver().addresses, allowed)
    askers_destinations = Destinations(Resolver().addresses, allowed)
    keys = Keys(store.keys, clock, Rates(metrics.client_rate_refused))
    callbacks = Callbacks(
        store.callbacks,
        permits,
        answering,
        askers_destinations,
        asker_of=keys.valid if settings.auth == "on" else lambda _: ANONYMOUS,
        clock=clock,
    )
    for kept in (keys, overrides, permits, campaigns, callbacks):
        await kept.load()
    await evaluator.start()
    permits.subscribe(metrics.permits_changed)
    evaluator.subscribe(permits.gate_changed)
    evaluator.subscribe(callbacks.gate_changed)
    permits.gate_changed(evaluator.published)
    return Services(
        settings=settings,
        clock=clock,
        ingest=Ingest(store.stream, clock, sources),
        evaluator=evaluator,
        readiness=Readiness(
            published,
            answering,
            asks,
            clock,
            answered=metrics.readiness_answered,
            refused=metrics.readiness_refused,
            took=metrics.readiness_took,
        ),
        answering=answering,
        asks=asks,
        permits=permits,
        campaigns=campaigns,
        campaign_gate=CampaignGate(
            published,
            answering,
            campaigns.book,
            permits,
            asks=asks,
            clock=clock,
            answered=metrics.readiness_answered,
        ),
        releases=Releases(campaigns.book, permits, answering, clock, changed),
        briefings=Briefings(store.briefings, store.campaigns, campaigns, clock),
        calendars=Calendars(store.feed_tokens, store.campaigns, clock),
        overrides=overrides,
        events=Events(store.events),
        webhooks=Webhooks(store.webhooks, destinations, store.gates.gates, clock),
        deliveries=Deliveries(
            store.webhooks,
            destinations,
            clock,
            asker=callbacks.receiver,
            why_not=StillTrue(answering, campaigns.book, permits).why_not,
            askers_destinations=askers_destinations,
            counted=metrics.delivery_tried,
            waits=metrics.deliveries_waiting,
        ),
        callbacks=callbacks,
        gates=Gates(store.gates, clock, policy_changed, gate_deleted),
        queues=Queues(store.queues, clock, evaluator.set_targets),
        history=History(store.history),
        decisions=Decisions(store.decisions),
        keys=keys,
        sessions=Sessions(SqlSessions(store.database), keys, clock, settings.session_hours),
        sources=sources,
        retention=Retention(
            store.stream,
            store.history,
            clock,
            raw_days=settings.retention_raw_days,
            minutes_days=settings.retention_minutes_days,
        ),
    )


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
