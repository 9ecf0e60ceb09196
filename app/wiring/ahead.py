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
from app.services.staffing import Staffings
from app.services.tallies import Tallies
from app.store.bundle import Store
from app.wiring.gate import GateServices


@dataclass(frozen=True, slots=True)
class AheadServices:
    """What outlooks and debriefs are made with, besides the gate."""

    hours: Hours
    staffings: Staffings
    tallies: Tallies
    learning: Learning
    inputs: OutlookInputs
    computing: Computing
    planning: Computing


def ahead_services(
    gate: GateServices, clock: Clock, store: Store, computing: Computing, planning: Computing
) -> AheadServices:
    """Return them, nothing loaded yet."""
    hours = Hours(store.hours, clock)
    staffings = Staffings(store.schedules, hours, store.history, gate.targets)
    learning = Learning(store.debriefs, computing, clock)
    arrivals = Flows(store.flows, hours=hours.of, time_zone=gate.time_zone_of, lift=learning.lift)
    inputs = OutlookInputs(
        arrivals=arrivals,
        capacities=Capacities(store.flows, store.history, gate.targets),
        agents=staffings,
        hours=hours,
        mail=OutlookMail(arrivals, learning, store.permits, gate.campaigns),
        targets=gate.targets,
    )
    tallies = Tallies(store.stream, store.tallies, clock)
    return AheadServices(hours, staffings, tallies, learning, inputs, computing, planning)


def debriefs_of(gate: GateServices, clock: Clock, store: Store, ahead: AheadServices) -> Debriefs:
    """Return what says afterwards what a campaign did."""
    inputs = DebriefInputs(
        store.permits,
        ahead.tallies,
        ahead.learning,
        FloorThen(store.flows, store.history, ahead.hours, ahead.staffings, gate.targets),
        ReleaseThen(store.permits, store.campaigns, store.overrides, store.events),
        gate.published,
    )
    return Debriefs(inputs, store.debriefs, gate.campaigns, computing=ahead.computing, clock=clock)


def outlooks_of(gate: GateServices, clock: Clock, store: Store, ahead: AheadServices) -> Outlooks:
    """Return what looks ahead for every gate."""
    return Outlooks(
        ahead.inputs,
        gate.foresights,
        store.outlooks,
        clock,
        published=gate.published,
        planning=ahead.planning,
        scouting=ahead.computing,
    )


def outlook_questions_of(
    gate: GateServices, clock: Clock, store: Store, ahead: AheadServices, outlooks: Outlooks
) -> OutlookQuestions:
    """Return what answers what people ask about outlooks."""
    return OutlookQuestions(
        outlooks.newest, ahead.inputs, store.outlooks, clock, published=gate.published, planning=ahead.planning
    )
