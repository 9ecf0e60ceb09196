"""The services that look ahead, and learn from what came of it."""

from dataclasses import dataclass

from app.ports.clock import Clock
from app.ports.computing import Computing
from app.services.capacities import Capacities
from app.services.debrief_floor import FloorThen
from app.services.debrief_inputs import DebriefInputs
from app.services.debrief_release import ReleaseThen
from app.services.debriefs import Debriefs
from app.services.flows import Flows
from app.services.learning import Learning
from app.services.opening_hours import Hours
from app.services.outlook_inputs import OutlookInputs
from app.services.outlook_mail import OutlookMail
from app.services.outlook_questions import OutlookQuestions
from app.services.outlooks import Outlooks
from app.services.predictions import Predictions
from app.services.staffing import Staffings
from app.services.tallies import Tallies
from app.services.workloads import Workloads
from app.settings import Settings
from app.store.bundle import Store
from app.wiring.gate import GateServices


@dataclass(frozen=True, slots=True)
class AheadServices:
    """The services that look ahead, and learn from what came of it."""

    hours: Hours
    staffings: Staffings
    tallies: Tallies
    learning: Learning
    outlooks: Outlooks
    questions: OutlookQuestions
    debriefs: Debriefs
    workloads: Workloads


def ahead_services(
    settings: Settings, gate: GateServices, clock: Clock, store: Store, *, computing: Computing, planning: Computing
) -> AheadServices:
    """Return them, nothing loaded yet."""
    published = gate.published
    hours = Hours(store.hours, clock)
    staffings = Staffings(store.schedules, hours, store.history, gate.targets)
    tallies = Tallies(store.written, store.tallies, clock)
    learning = Learning(store.debriefs, computing, clock)
    inputs = _outlook_inputs(gate, store, hours, staffings, learning)
    outlooks = Outlooks(
        inputs, gate.foresights, store.outlooks, clock, published=published, planning=planning, scouting=computing
    )
    questions = OutlookQuestions(outlooks.newest, inputs, store.outlooks, clock, published=published, planning=planning)
    happened = DebriefInputs(
        store.permits,
        tallies,
        learning,
        FloorThen(store.flows, store.history, hours, staffings, gate.targets),
        ReleaseThen(store.permits, store.campaigns, store.overrides, store.events, store.gates, store.briefings),
        Predictions(store.outlooks, computing),
        published,
        settings.complaint_reasons,
    )
    debriefs = Debriefs(happened, store.debriefs, store.scores, gate.campaigns, computing=computing, clock=clock)
    workloads = Workloads(
        inputs.arrivals,
        inputs.capacities,
        staffings,
        hours,
        learning,
        sent=store.permits,
        campaigns=gate.campaigns,
        targets=gate.targets,
        published=published,
        computing=computing,
        clock=clock,
    )
    return AheadServices(hours, staffings, tallies, learning, outlooks, questions, debriefs, workloads)


def _outlook_inputs(
    gate: GateServices, store: Store, hours: Hours, staffings: Staffings, learning: Learning
) -> OutlookInputs:
    arrivals = Flows(store.flows, hours=hours.of, time_zone=gate.time_zone_of, lift=learning.lift)
    return OutlookInputs(
        arrivals=arrivals,
        capacities=Capacities(store.flows, store.history, gate.targets),
        agents=staffings,
        hours=hours,
        mail=OutlookMail(arrivals, learning, store.permits, gate.campaigns),
        targets=gate.targets,
    )
