"""build_services: every service over its store, each built once, in the order in which they need each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.api.auth import ANONYMOUS
from app.computing import InProcess
from app.core.floor.targets import QueueTargets
from app.core.gate.decide import select
from app.core.webhooks.address import Allowed
from app.ports import Clock, PolicyVersion
from app.ports.computing import Computing
from app.resolver import Resolver
from app.services.answering import Answering
from app.services.asks import Asks
from app.services.backtests import Backtests
from app.services.beside import GateSurroundings
from app.services.briefings import Briefings
from app.services.calendars import Calendars
from app.services.callbacks import Callbacks
from app.services.campaign_gate import CampaignGate
from app.services.campaigns import Campaigns
from app.services.capacities import Capacities
from app.services.container import Services
from app.services.debrief_floor import FloorThen
from app.services.debrief_inputs import DebriefInputs
from app.services.debrief_release import ReleaseThen
from app.services.debriefs import Debriefs
from app.services.decisions import Decisions
from app.services.deliveries import Deliveries
from app.services.destinations import Destinations
from app.services.evaluator import Evaluator
from app.services.events import Events
from app.services.flows import Flows
from app.services.foresights import Foresights
from app.services.gates import Gates
from app.services.history import History
from app.services.ingest import Ingest
from app.services.keys import Keys
from app.services.learning import Learning
from app.services.opening_hours import Hours
from app.services.outlook_inputs import OutlookInputs
from app.services.outlooks import Outlooks
from app.services.overrides import Overrides
from app.services.packing import Packing
from app.services.permits import Permits
from app.services.published import Published
from app.services.queues import Queues
from app.services.rates import Rates
from app.services.readiness import Readiness
from app.services.releases import Releases
from app.services.retention import Retention
from app.services.schedules import Schedules
from app.services.sessions import Sessions
from app.services.sources import Sources
from app.services.staffing import Staffings
from app.services.still_true import StillTrue
from app.services.tallies import Tallies
from app.services.webhooks import Webhooks
from app.settings import Settings
from app.store.bundle import Store
from app.store.sessions import SqlSessions
from app.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class _Gate:
    """The services that make an answer together: each needs what others know."""

    overrides: Overrides
    answering: Answering
    asks: Asks
    permits: Permits
    campaigns: Campaigns
    evaluator: Evaluator
    foresights: Foresights

    def published(self) -> Published:
        """Return what the evaluator left last."""
        return self.evaluator.published

    def time_zone_of(self, queue: str) -> str:
        """Return the time zone of the first gate that watches a queue: whose days and weeks it lives by."""
        policies = (state.policy for state in self.published().gates.values())
        return next((policy.time_zone for policy in policies if policy and select(policy.queues, (queue,))[0]), "UTC")


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What an outlook is made with, besides the gate."""

    hours: Hours
    staffings: Staffings
    learning: Learning
    computing: Computing
    planning: Computing


@dataclass(frozen=True, slots=True)
class _Outward:
    """The services that talk to programs outside."""

    keys: Keys
    callbacks: Callbacks
    webhooks: Webhooks
    deliveries: Deliveries


async def build_services(
    settings: Settings,
    clock: Clock,
    store: Store,
    metrics: Metrics,
    *,
    computing: Computing | None = None,
    planning: Computing | None = None,
) -> Services:
    """Return the services over a store, the evaluator started: it stands where the last run stood.

    computing: where long computations are done that people wait for; planning: where outlooks are made. None: in this
    process, where nobody else waits.
    """
    sources, hours, computing = Sources(), Hours(store.hours, clock), computing or InProcess()
    gate = _gate(settings, clock, store, metrics)
    outward = _outward(settings, clock, store, metrics, gate)
    for kept in (outward.keys, gate.overrides, gate.permits, gate.campaigns, outward.callbacks):
        await kept.load()
    await gate.evaluator.start()
    staffings = Staffings(store.schedules, hours, store.history, lambda: gate.evaluator.floor.targets)
    tallies = Tallies(store.stream, store.tallies, clock)
    learning = Learning(store.debriefs, computing, clock)
    for learned in (tallies, learning):
        await learned.load()
    ahead = _Ahead(hours, staffings, learning, computing, planning or InProcess())
    outlooks = _outlooks(gate, clock, store, ahead)
    _listen(gate, outward, metrics)
    gate.permits.subscribe(lambda _: outlooks.wake())
    gates = _gates(gate, clock, store, outlooks.wake)
    return Services(
        settings=settings,
        clock=clock,
        ingest=Ingest(store.stream, clock, sources),
        evaluator=gate.evaluator,
        readiness=_readiness(gate, clock, metrics),
        answering=gate.answering,
        asks=gate.asks,
        permits=gate.permits,
        campaigns=gate.campaigns,
        campaign_gate=_campaign_gate(gate, clock, metrics),
        releases=Releases(gate.campaigns.book, gate.permits, gate.answering, clock, gate.evaluator.wake),
        briefings=Briefings(store.briefings, store.campaigns, gate.campaigns, clock),
        calendars=Calendars(store.feed_tokens, store.campaigns, clock),
        overrides=gate.overrides,
        events=Events(store.events),
        webhooks=outward.webhooks,
        deliveries=outward.deliveries,
        callbacks=outward.callbacks,
        hours=hours,
        schedules=Schedules(store.schedules, hours, clock),
        staffings=staffings,
        gates=gates,
        queues=Queues(store.queues, clock, gate.evaluator.set_targets),
        history=History(store.history),
        decisions=Decisions(store.decisions),
        keys=outward.keys,
        sessions=Sessions(SqlSessions(store.database), outward.keys, clock, settings.session_hours),
        sources=sources,
        retention=Retention(
            store.stream,
            store.history,
            store.outlooks,
            clock,
            raw_days=settings.retention_raw_days,
            minutes_days=settings.retention_minutes_days,
        ),
        backtests=Backtests(gates, store.minutes, computing, clock),
        packing=Packing(store.packs, clock),
        computing=computing,
        foresights=gate.foresights,
        outlooks=outlooks,
        tallies=tallies,
        learning=learning,
        debriefs=Debriefs(
            DebriefInputs(
                store.permits,
                tallies,
                learning,
                FloorThen(store.flows, store.history, hours, staffings, lambda: gate.evaluator.floor.targets),
                ReleaseThen(store.permits, store.campaigns, store.overrides, store.events),
                gate.published,
            ),
            store.debriefs,
            gate.campaigns,
            computing=computing,
            clock=clock,
        ),
    )


def _gate(settings: Settings, clock: Clock, store: Store, metrics: Metrics) -> _Gate:
    """Build what answers. The evaluator comes last and the others ask it: they reach it once it is there."""

    def published() -> Published:
        return evaluator.published

    def evaluate_now() -> None:
        evaluator.evaluate_now()

    def wake() -> None:
        evaluator.wake()

    overrides = Overrides(store.overrides, clock, published, evaluate_now)
    answering = Answering(published, clock)
    asks = Asks(store.decisions, metrics.audit_write_failed, overrides.count_uses)
    permits = Permits(store.permits, answering, asks, clock, wake)
    campaigns = Campaigns(store.campaigns, store.briefings, permits, clock, evaluate_now)
    foresights = Foresights(wake)
    evaluator = Evaluator(
        stream=store.stream,
        gates=store.gates,
        queues=store.queues,
        store=store.evaluation,
        clock=clock,
        beside=GateSurroundings(overrides, permits, campaigns, clock, foresights.of),
        expires_after_seconds=settings.contacts_expire_after_seconds,
        on_transition=metrics.transition,
    )
    return _Gate(overrides, answering, asks, permits, campaigns, evaluator, foresights)


def _outward(settings: Settings, clock: Clock, store: Store, metrics: Metrics, gate: _Gate) -> _Outward:
    allowed = Allowed.of(settings.webhook_allowed_networks)
    destinations = Destinations(Resolver().addresses, allowed)
    askers_destinations = Destinations(Resolver().addresses, allowed)
    keys = Keys(store.keys, clock, Rates(metrics.client_rate_refused))
    callbacks = Callbacks(
        store.callbacks,
        gate.permits,
        gate.answering,
        askers_destinations,
        asker_of=keys.valid if settings.auth == "on" else lambda _: ANONYMOUS,
        clock=clock,
    )
    deliveries = Deliveries(
        store.webhooks,
        destinations,
        clock,
        asker=callbacks.receiver,
        why_not=StillTrue(gate.answering, gate.campaigns.book, gate.permits).why_not,
        askers_destinations=askers_destinations,
        counted=metrics.delivery_tried,
        waits=metrics.deliveries_waiting,
    )
    return _Outward(keys, callbacks, Webhooks(store.webhooks, destinations, store.gates.gates, clock), deliveries)


def _listen(gate: _Gate, outward: _Outward, metrics: Metrics) -> None:
    """Let each hear of what concerns it; permits see at once how their gates stand."""
    gate.permits.subscribe(metrics.permits_changed)
    gate.evaluator.subscribe(gate.permits.gate_changed)
    gate.evaluator.subscribe(outward.callbacks.gate_changed)
    gate.permits.gate_changed(gate.published())


def _readiness(gate: _Gate, clock: Clock, metrics: Metrics) -> Readiness:
    return Readiness(
        gate.published,
        gate.answering,
        gate.asks,
        clock,
        answered=metrics.readiness_answered,
        refused=metrics.readiness_refused,
        took=metrics.readiness_took,
    )


def _campaign_gate(gate: _Gate, clock: Clock, metrics: Metrics) -> CampaignGate:
    return CampaignGate(
        gate.published,
        gate.answering,
        gate.campaigns.book,
        gate.permits,
        asks=gate.asks,
        clock=clock,
        answered=metrics.readiness_answered,
    )


def _outlooks(gate: _Gate, clock: Clock, store: Store, ahead: _Ahead) -> Outlooks:
    def targets() -> Mapping[str, QueueTargets]:
        return gate.evaluator.floor.targets

    inputs = OutlookInputs(
        arrivals=Flows(store.flows, hours=ahead.hours.of, time_zone=gate.time_zone_of, lift=ahead.learning.lift),
        capacities=Capacities(store.flows, store.history, targets),
        agents=ahead.staffings,
        hours=ahead.hours,
        lessons=ahead.learning,
        sent=store.permits,
        campaigns=gate.campaigns,
        targets=targets,
    )
    return Outlooks(
        inputs,
        gate.foresights,
        store.outlooks,
        clock,
        published=gate.published,
        planning=ahead.planning,
        asked=ahead.computing,
    )


def _gates(gate: _Gate, clock: Clock, store: Store, look: Callable[[], None]) -> Gates:
    """Build what changes gates and policies; a change counts before it is answered, and is looked ahead by soon."""

    def policy_changed(name: str, saved: PolicyVersion | None) -> None:
        gate.evaluator.set_policy(name, saved)
        gate.evaluator.evaluate_now()
        look()

    def gate_deleted(name: str) -> None:
        gate.overrides.forget(name)
        gate.foresights.forget(name)
        gate.evaluator.drop_gate(name)
        gate.evaluator.evaluate_now()

    return Gates(store.gates, clock, policy_changed, gate_deleted)
