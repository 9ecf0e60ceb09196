"""The gates as Prometheus sees them: what they say, what they gave away, who overrides them, what is on its way."""

from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import Metric as Family
from prometheus_client.core import GaugeMetricFamily

from app.core.campaign.campaign import CampaignState
from app.core.gate.decision import Verdict
from app.core.gate.override import Effect, OverrideState
from app.services.published import GateState, Published
from app.services.standing import standing

MEANINGS = {
    "holdfire_readiness_state": "1 for the state the gate is in, 0 for the others",
    "holdfire_rule_limit": "What a rule of the gate's policy holds sends at, and resumes them at, in its metric's unit",
    "holdfire_permits_outstanding_messages": "Messages that live permits of a gate may still send",
    "holdfire_permits_sent_last_hour_messages": "Messages reported as sent through a gate in the last hour",
    "holdfire_override_active": "1 while an override of this effect is in force on the gate",
    "holdfire_override_expiry_timestamp_seconds": "When the last override in force of this effect ends",
    "holdfire_outlook_last_run_timestamp_seconds": "When the newest outlook of a gate was made",
    "holdfire_outlook_breach_probability": "Probability that a limit breaks before the horizon if nothing more is sent",
    "holdfire_outlook_safe_messages": "Messages of no known campaign that could be sent safely",
    "holdfire_campaigns": "Campaigns that have not ended long ago, by where they stand",
    "holdfire_evaluator_last_run_timestamp_seconds": "When all gates were last evaluated",
}


def gate_families(published: Published, admits: Callable[[str], bool], monotonic_seconds: float) -> Iterator[Family]:
    """Yield what a scrape says of the gates. admits: which gates have series of their own."""
    states = _gauge("holdfire_readiness_state", "gate", "state")
    limits = _gauge("holdfire_rule_limit", "gate", "rule", "bound")
    outstanding = _gauge("holdfire_permits_outstanding_messages", "gate")
    sent = _gauge("holdfire_permits_sent_last_hour_messages", "gate")
    overridden = _gauge("holdfire_override_active", "gate", "effect")
    expiry = _gauge("holdfire_override_expiry_timestamp_seconds", "gate", "effect")
    outlooks = _Outlooks()
    for gate in filter(admits, published.gates):
        state = standing(published, gate, published.at, monotonic_seconds)
        for verdict in Verdict:
            states.add_metric([gate, verdict], state is not None and state.decision.verdict is verdict)
        _add_limits(limits, published.gates[gate])
        spent = published.gates[gate].spent
        outstanding.add_metric([gate], spent.outstanding)
        sent.add_metric([gate], spent.sent_last_hour)
        _add_overrides(overridden, expiry, published, published.gates[gate])
        outlooks.add(published.gates[gate])
    yield from (states, limits, outstanding, sent, overridden, expiry, *outlooks.families, _campaigns(published))
    if published.seq:
        yield _gauge("holdfire_evaluator_last_run_timestamp_seconds", value=published.at.timestamp())


class _Outlooks:
    """What is known of each gate's outlook; one that cannot be known has no sample, and neither has one never made."""

    def __init__(self) -> None:
        self._made, self._breach, self._safe = self.families = tuple(
            _gauge(f"holdfire_outlook_{name}", "gate")
            for name in ("last_run_timestamp_seconds", "breach_probability", "safe_messages")
        )

    def add(self, state: GateState) -> None:
        """Add a gate's samples."""
        foresight = state.foresight
        if foresight is None or foresight.unknown:
            return
        self._made.add_metric([state.gate], foresight.at.timestamp())
        self._breach.add_metric([state.gate], foresight.breach_probability)
        room = foresight.room(None)
        if room is not None:
            self._safe.add_metric([state.gate], room.audience)


def _add_limits(limits: GaugeMetricFamily, state: GateState) -> None:
    for rule in state.policy.rules if state.policy is not None else ():
        limits.add_metric([state.gate, rule.key, "hold"], rule.hold_limit)
        limits.add_metric([state.gate, rule.key, "resume"], rule.resume_limit)


def _add_overrides(
    overridden: GaugeMetricFamily, expiry: GaugeMetricFamily, published: Published, state: GateState
) -> None:
    for effect in Effect:
        ends = [
            override.ends_at
            for override in state.overrides
            if override.effect is effect and override.state(published.at) is OverrideState.ACTIVE
        ]
        overridden.add_metric([state.gate, effect], bool(ends))
        if ends:
            expiry.add_metric([state.gate, effect], max(ends).timestamp())


def _campaigns(published: Published) -> GaugeMetricFamily:
    counts = Counter(facts.state for facts in published.campaigns.values())
    family = _gauge("holdfire_campaigns", "state")
    for state in CampaignState:
        family.add_metric([state], counts[state])
    return family


def _gauge(name: str, *labels: str, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, MEANINGS[name], value=value, labels=labels or None)
