"""The services that make an answer together, and those that only they feed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.core.floor.targets import QueueTargets
from app.core.gate.decide import select
from app.ports.clock import Clock
from app.ports.gates import PolicyVersion
from app.ports.replicas import Replicas
from app.services.answering import Answering
from app.services.asks import Asks
from app.services.beside import GateSurroundings
from app.services.campaign_gate import CampaignGate
from app.services.campaigns import Campaigns
from app.services.evaluator import Evaluator
from app.services.foresights import Foresights
from app.services.gates import Gates
from app.services.overrides import Overrides
from app.services.permits import Permits
from app.services.published import Published
from app.services.readiness import Readiness
from app.settings import Settings
from app.store.bundle import Store
from app.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class GateServices:
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

    def targets(self) -> Mapping[str, QueueTargets]:
        """Return what people set per queue."""
        return self.evaluator.floor.targets

    def time_zone_of(self, queue: str) -> str:
        """Return the time zone of the first gate that watches a queue: whose days and weeks it lives by."""
        policies = (state.policy for state in self.published().gates.values())
        return next((policy.time_zone for policy in policies if policy and select(policy.queues, (queue,))[0]), "UTC")


def gate_services(settings: Settings, clock: Clock, store: Store, metrics: Metrics, replicas: Replicas) -> GateServices:
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
        replicas=replicas,
    )
    return GateServices(overrides, answering, asks, permits, campaigns, evaluator, foresights)


def readiness(gate: GateServices, clock: Clock, metrics: Metrics) -> Readiness:
    """Return what answers the email tool's question."""
    return Readiness(
        gate.published,
        gate.answering,
        gate.asks,
        clock,
        answered=metrics.readiness_answered,
        refused=metrics.readiness_refused,
        took=metrics.readiness_took,
    )


def campaign_gate(gate: GateServices, clock: Clock, metrics: Metrics) -> CampaignGate:
    """Return what answers for one campaign's open wave."""
    return CampaignGate(
        gate.published,
        gate.answering,
        gate.campaigns.book,
        gate.permits,
        asks=gate.asks,
        clock=clock,
        answered=metrics.readiness_answered,
    )


def gates_of(gate: GateServices, clock: Clock, store: Store, look: Callable[[], None]) -> Gates:
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
