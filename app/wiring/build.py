"""build_services: every service over its store, each built once, in the order in which they need each other."""

from collections.abc import Awaitable, Callable
from functools import partial

from app.computing import InProcess
from app.ports.clock import Clock
from app.ports.computing import Computing
from app.ports.replicas import OnlyOne, Replicas
from app.services.archive import Archive
from app.services.backtests import Backtests
from app.services.briefings import Briefings
from app.services.calendars import Calendars
from app.services.container import Services
from app.services.decisions import Decisions
from app.services.driving import Driving
from app.services.events import Events
from app.services.following import Following, Soon
from app.services.history import History
from app.services.ingest import Ingest
from app.services.notes import Notes
from app.services.packing import Packing
from app.services.queues import Queues
from app.services.releases import Releases
from app.services.retention import Retention
from app.services.schedules import Schedules
from app.services.scoreboards import Scoreboards
from app.services.senders import Senders
from app.services.sources import Sources
from app.services.trying import Trials
from app.services.values import Values
from app.settings import Settings
from app.store.audit import verify
from app.store.bundle import Store
from app.telemetry.metrics import Metrics
from app.wiring.ahead import AheadServices, ahead_services
from app.wiring.gate import GateServices, campaign_gate, gate_services, gates_of, readiness
from app.wiring.outward import OutwardServices, outward_services
from app.wiring.people import people_services
from workers.sources import pushes
from workers.sources.trying import SampleReader


async def build_services(
    settings: Settings,
    clock: Clock,
    store: Store,
    metrics: Metrics,
    *,
    computing: Computing | None = None,
    planning: Computing | None = None,
    replicas: Replicas | None = None,
) -> Services:
    """Return the services over a store, the evaluator started: it stands where the last run stood.

    computing: where long computations are done; planning: where outlooks and plans are made, for which gates and people
    wait. None: in this process, where nobody else waits. replicas: the processes that share the store; None: no others.
    """
    replicas = replicas or OnlyOne()
    computing, planning = computing or InProcess(), planning or InProcess()
    gate = gate_services(settings, clock, store, metrics, replicas)
    outward = outward_services(settings, clock, store, metrics, gate)
    ahead = ahead_services(settings, gate, clock, store, computing=computing, planning=planning)
    await load(gate, outward, ahead)
    listen(gate, outward, ahead, metrics)
    return services_of(
        *(settings, clock, store, metrics, replicas), gate=gate, outward=outward, ahead=ahead, computing=computing
    )


async def load(gate: GateServices, outward: OutwardServices, ahead: AheadServices) -> None:
    """Let each read what the last run left: the evaluator after those whose state it asks for."""
    for kept in (outward.keys, outward.displays, gate.overrides, gate.permits, gate.campaigns, outward.callbacks):
        await kept.load()
    await gate.evaluator.start()
    for learned in (ahead.tallies, ahead.learning):
        await learned.load()


def listen(gate: GateServices, outward: OutwardServices, ahead: AheadServices, metrics: Metrics) -> None:
    """Let each hear of what concerns it; permits see at once how their gates stand."""
    gate.permits.subscribe(metrics.permits_changed)
    gate.evaluator.subscribe(gate.permits.gate_changed)
    gate.evaluator.subscribe(outward.callbacks.gate_changed)
    gate.permits.gate_changed(gate.published())
    gate.permits.subscribe(lambda _: ahead.outlooks.wake())


def services_of(
    settings: Settings,
    clock: Clock,
    store: Store,
    metrics: Metrics,
    replicas: Replicas,
    *,
    gate: GateServices,
    outward: OutwardServices,
    ahead: AheadServices,
    computing: Computing,
) -> Services:
    """Return all services: those that were built together, and those that nobody but their users needs."""
    values = Values(store.values, gate.campaigns, clock)
    sources, gates = Sources(), gates_of(gate, clock, store, ahead.outlooks.wake)
    people, senders = people_services(settings, clock, store), Senders(clock)
    ingest = Ingest(store.stream, clock, sources)
    return Services(
        settings=settings,
        clock=clock,
        replicas=replicas,
        following=following(gate, outward, ahead),
        ingest=ingest,
        evaluator=gate.evaluator,
        readiness=readiness(gate, clock, metrics),
        answering=gate.answering,
        asks=gate.asks,
        permits=gate.permits,
        campaigns=gate.campaigns,
        campaign_gate=campaign_gate(gate, clock, metrics),
        releases=Releases(
            gate.campaigns.book, gate.permits, gate.answering, clock, gate.evaluator.wake, senders=senders
        ),
        briefings=Briefings(store.briefings, store.campaigns, gate.campaigns, clock),
        calendars=Calendars(store.feed_tokens, store.campaigns, clock),
        displays=outward.displays,
        overrides=gate.overrides,
        events=Events(store.events, partial(computing.run, verify, settings.resolved_database_url)),
        notes=Notes(store.notes, clock, gate.evaluator.wake),
        webhooks=outward.webhooks,
        deliveries=outward.deliveries,
        callbacks=outward.callbacks,
        hours=ahead.hours,
        schedules=Schedules(store.schedules, ahead.hours, clock),
        staffings=ahead.staffings,
        gates=gates,
        queues=Queues(store.queues, clock, gate.evaluator.set_targets),
        history=History(store.history),
        decisions=Decisions(store.decisions),
        keys=outward.keys,
        sessions=people.sessions,
        accounts=people.accounts,
        invitations=people.invitations,
        sign_ins=people.sign_ins,
        sources=sources,
        pushes=pushes.taken_by(settings.sources, ingest),
        trials=Trials(SampleReader(), settings.sources, computing, clock),
        senders=senders,
        driving=Driving(gate.campaigns.book, gate.permits, store.events, senders, clock),
        archive=Archive(store.stream, store.archive) if store.archive else None,
        retention=retention(settings, clock, store),
        backtests=Backtests(gates, store.minutes, computing, clock),
        packing=Packing(store.packs, clock),
        computing=computing,
        foresights=gate.foresights,
        outlooks=ahead.outlooks,
        outlook_questions=ahead.questions,
        tallies=ahead.tallies,
        learning=ahead.learning,
        debriefs=ahead.debriefs,
        values=values,
        scoreboards=Scoreboards(
            *(store.scores, values, gate.campaigns, store.events),
            published=gate.published,
            complaint_reasons=settings.complaint_reasons,
        ),
        workloads=ahead.workloads,
    )


def following(gate: GateServices, outward: OutwardServices, ahead: AheadServices) -> Following:
    """Return what reads anew what other replicas changed."""

    async def reload_gates() -> None:
        for name in await gate.evaluator.reload_policies():
            gate.foresights.forget(name)
            ahead.outlooks.wake()

    reads: dict[str, Callable[[], Awaitable[None]]] = {
        "callbacks": outward.callbacks.load,
        "campaigns": gate.campaigns.load,
        "checkpoint": gate.evaluator.agree,
        "deliveries": outward.deliveries.look_soon,
        "displays": outward.displays.load,
        "gates": reload_gates,
        "keys": outward.keys.load,
        "learning": ahead.learning.load_soon,
        "overrides": gate.overrides.load,
        "permits": Soon(gate.permits.reload),  # it waits in line with who writes
        "queues": gate.evaluator.reload_targets,
    }
    return Following(reads, gate.evaluator.evaluate_now)


def retention(settings: Settings, clock: Clock, store: Store) -> Retention:
    """Return what deletes the old."""
    return Retention(
        store.stream,
        store.history,
        store.outlooks,
        clock,
        raw_days=settings.retention_raw_days,
        minutes_days=settings.retention_minutes_days,
    )
