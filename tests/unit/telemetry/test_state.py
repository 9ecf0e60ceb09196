"""What a scrape says of floor, gates and sources: what is known, nothing for what is not, unknown for what is late."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

import pytest
from prometheus_client import CollectorRegistry, Counter

from app.core.campaign.campaign import CampaignState
from app.core.floor.contacts import QueueCounters
from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.view import Reading
from app.core.gate.ask import CampaignFacts
from app.core.gate.decision import Decision, Reason, ReasonCode, Verdict
from app.core.gate.foresight import Foresight, Room
from app.core.gate.override import Effect, Override
from app.core.gate.policy import parse_policy
from app.core.permit.permit import Permit, PermitState, Spent
from app.ports.permits import PermitChange
from app.ports.sources import SourceHealth
from app.services.published import GateState, Published
from app.telemetry.cap import Cap
from app.telemetry.metrics import Metrics
from app.telemetry.state import MEANINGS, QUEUE_FAMILIES, StateCollector
from tests.support.builders import NOW, after

STOPWATCH = 1_000.0


@dataclass(frozen=True, slots=True)
class StillFloor:
    """A floor that stands still: readings by queue and metric."""

    readings: Mapping[tuple[str, Metric], Reading] = field(default_factory=lambda: MappingProxyType({}))
    at: datetime = NOW

    def queues(self) -> Sequence[str]:
        return sorted({queue for queue, _ in self.readings})

    def reading(self, queue: str, metric: Metric, window_seconds: float | None = None) -> Reading | None:
        assert window_seconds is None
        return self.readings.get((queue, metric))

    def last_heard_at(self, queue: str) -> datetime | None:
        return max(reading.observed_at for (name, _), reading in self.readings.items() if name == queue)


@dataclass(frozen=True, slots=True)
class Watchers:
    connections: int = 0


def a_floor(**values: float | None) -> StillFloor:
    """Return a floor with one queue, orders-voice, that reports these values by metric name."""
    return StillFloor({("orders-voice", Metric(name)): a_reading(name, value) for name, value in values.items()})


def a_reading(name: str, value: float | None, observed_at: datetime = NOW, source: str = "acd-1") -> Reading:
    metric = Metric(name)
    return Reading(metric, value, DEFINITIONS[metric].unit, None, source, observed_at, None, "as observed")


def a_gate(verdict: Verdict, name: str = "default") -> GateState:
    reasons = () if verdict is Verdict.SEND else (Reason(ReasonCode.BACKLOG_HIGH, "14 waiting", binding=True),)
    decision = Decision(verdict, NOW, NOW, reasons, (), "enforce", NOW, after(60), None, None)
    return GateState(name, None, 1, decision, decision)


class Scrape:
    """Registers a collector over the given state and reads single samples."""

    def __init__(
        self,
        floor=None,
        *,
        gates=(),
        contacts=(),
        sources=(),
        senders=(),
        watchers=0,
        seconds_late=0.0,
        cap=200,
        campaigns=(),
    ):
        self.registry = CollectorRegistry()
        self.dropped = Counter("dropped", "left out", registry=self.registry)
        facts = {campaign.id: campaign for campaign in campaigns}
        published = Published(7, NOW, STOPWATCH, floor or StillFloor(), {gate.gate: gate for gate in gates}, facts)
        self.registry.register(
            StateCollector(
                published=lambda: published,
                contacts=lambda: dict(contacts),
                sources=lambda: sources,
                senders=lambda: senders,
                hub=Watchers(watchers),
                queue_cap=Cap(cap, self.dropped),
                gate_cap=Cap(cap, self.dropped),
                source_cap=Cap(cap, self.dropped),
                monotonic=lambda: STOPWATCH + seconds_late,
            )
        )

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


def test_every_metric_of_a_queue_has_a_family_with_a_meaning():
    assert set(QUEUE_FAMILIES) == set(Metric)
    assert {name for name, _ in QUEUE_FAMILIES.values()} <= set(MEANINGS)


@pytest.mark.parametrize("metric", list(Metric))
def test_a_known_value_is_shown(metric):
    name, state = QUEUE_FAMILIES[metric]
    labels = {"state": state} if state else {}
    assert Scrape(a_floor(**{metric: 0.5}))(name, queue="orders-voice", **labels) == 0.5


@pytest.mark.parametrize("metric", list(Metric))
def test_an_unknown_value_gives_no_sample_instead_of_zero(metric):
    name, state = QUEUE_FAMILIES[metric]
    labels = {"state": state} if state else {}
    assert Scrape(a_floor(**{metric: None}))(name, queue="orders-voice", **labels) is None


def test_the_newest_instant_of_each_source_of_a_queue_is_shown():
    floor = StillFloor(
        {
            ("q", Metric.BACKLOG): a_reading("backlog", 1, after(-30), "acd-1"),
            ("q", Metric.OLDEST_WAIT_SECONDS): a_reading("oldest_wait_seconds", 1, after(-20), "acd-1"),
            ("q", Metric.AGENTS_BUSY): a_reading("agents_busy", 1, after(-5), "acd-2"),
        }
    )
    scrape = Scrape(floor)
    name = "holdfire_queue_last_sample_timestamp_seconds"
    assert scrape(name, queue="q", source="acd-1") == after(-20).timestamp()
    assert scrape(name, queue="q", source="acd-2") == after(-5).timestamp()


@pytest.mark.parametrize("verdict", list(Verdict))
def test_exactly_the_state_of_a_gate_is_one(verdict):
    scrape = Scrape(gates=[a_gate(verdict)])
    shown = {state: scrape("holdfire_readiness_state", gate="default", state=state) for state in Verdict}
    assert shown == {state: float(state is verdict) for state in Verdict}


def test_a_gate_whose_evaluation_is_late_is_unknown():
    scrape = Scrape(gates=[a_gate(Verdict.SEND)], seconds_late=5.1)
    assert scrape("holdfire_readiness_state", gate="default", state="send") == 0
    assert scrape("holdfire_readiness_state", gate="default", state="unknown") == 1


def test_the_instant_of_the_last_evaluation_is_shown():
    assert Scrape()("holdfire_evaluator_last_run_timestamp_seconds") == NOW.timestamp()


def test_what_is_predicted_is_shown_and_what_cannot_be_known_is_absent():
    known = Foresight(after(-20), breach_probability=0.04, rooms=(("", Room(25_000, 10.0)),))
    scrape = Scrape(gates=[a_gate(Verdict.SEND)._replace(foresight=known)])
    names = ("last_run_timestamp_seconds", "breach_probability", "safe_messages")
    shown = [scrape(f"holdfire_outlook_{name}", gate="default") for name in names]
    assert shown == [after(-20).timestamp(), 0.04, 25_000]
    blind = Scrape(gates=[a_gate(Verdict.UNKNOWN)._replace(foresight=replace(known, unknown="no history"))])
    assert [blind(f"holdfire_outlook_{name}", gate="default") for name in names] == [None] * 3


def test_the_limits_of_a_gates_rules_are_shown():
    rules = [
        {"metric": "backlog", "hold_above": 10, "resume_below": 5},
        {"metric": "service_level_ratio", "hold_below": 0.75, "window_seconds": 900},
    ]
    scrape = Scrape(gates=[a_gate(Verdict.HOLD)._replace(policy=parse_policy({"queues": ["*"], "rules": rules}))])
    shown = {
        (rule, bound): scrape("holdfire_rule_limit", gate="default", rule=rule, bound=bound)
        for rule in ("backlog", "service_level_ratio@900")
        for bound in ("hold", "resume")
    }
    assert list(shown.values()) == [10, 5, 0.75, 0.75]
    assert Scrape(gates=[a_gate(Verdict.HOLD)])("holdfire_rule_limit", gate="default", rule="backlog") is None


def test_what_a_gate_gave_away_and_who_overrides_it_are_shown():
    given = Spent(outstanding=300, sent_last_hour=1_200)
    hold = Override("ovr_1", "default", Effect.HOLD, after(-60), after(600), "Ann", "power cut", after(-60))
    later = replace(hold, id="ovr_2", effect=Effect.ALLOW, starts_at=after(60))
    scrape = Scrape(gates=[a_gate(Verdict.HOLD)._replace(spent=given, overrides=(hold, later))])
    assert scrape("holdfire_permits_outstanding_messages", gate="default") == 300
    assert scrape("holdfire_permits_sent_last_hour_messages", gate="default") == 1_200
    active = {effect: scrape("holdfire_override_active", gate="default", effect=effect) for effect in Effect}
    assert active == {Effect.HOLD: 1, Effect.ALLOW: 0}
    ends = {
        effect: scrape("holdfire_override_expiry_timestamp_seconds", gate="default", effect=effect) for effect in Effect
    }
    assert ends == {Effect.HOLD: after(600).timestamp(), Effect.ALLOW: None}


def test_every_state_of_a_campaign_has_its_count():
    scrape = Scrape(campaigns=[CampaignFacts("spring", "default", 5, CampaignState.PAUSED)])
    counts = {state: scrape("holdfire_campaigns", state=state) for state in CampaignState}
    assert counts == {state: float(state is CampaignState.PAUSED) for state in CampaignState}


def test_permits_are_counted_by_the_state_they_came_to_be_in():
    metrics = Metrics()
    given = a_permit()
    reported = replace(given, sent=4)
    metrics.permits_changed([PermitChange(None, given, NOW), PermitChange(given, reported, NOW)])
    metrics.permits_changed([PermitChange(reported, replace(reported, state=PermitState.USED), NOW)])
    counts = {
        state: metrics.registry.get_sample_value("holdfire_permits_total", {"state": state}) for state in PermitState
    }
    assert counts == dict.fromkeys(PermitState, 0.0) | {PermitState.ACTIVE: 1.0, PermitState.USED: 1.0}


def a_permit() -> Permit:
    return Permit("prm_1", "default", None, "key1", "dec_1", 10, 10, PermitState.ACTIVE, NOW, after(60))


def test_a_source_shows_its_counts_and_how_far_behind_it_is():
    health = SourceHealth("acd-1", accepted=5, duplicates=2, rejected=1, consecutive_failures=3)
    health.last_success_at, health.last_observed_at = NOW, after(-4)
    scrape = Scrape(sources=[health])
    outcomes = [
        scrape("holdfire_ingest_samples_total", source="acd-1", outcome=outcome)
        for outcome in ("accepted", "duplicate", "rejected")
    ]
    assert outcomes == [5, 2, 1]
    assert scrape("holdfire_source_consecutive_failures", source="acd-1") == 3
    assert scrape("holdfire_ingest_last_success_timestamp_seconds", source="acd-1") == NOW.timestamp()
    assert scrape("holdfire_ingest_lag_seconds", source="acd-1") == 4


def test_a_source_that_never_succeeded_has_no_instant():
    scrape = Scrape(sources=[SourceHealth("acd-1", rejected=1)])
    assert scrape("holdfire_ingest_last_success_timestamp_seconds", source="acd-1") is None
    assert scrape("holdfire_ingest_lag_seconds", source="acd-1") is None


def test_contacts_that_never_ended_or_came_late_are_counted():
    scrape = Scrape(contacts=[("q", QueueCounters(expired=2, incomplete=1, late=4, open=7))])
    assert scrape("holdfire_contacts_expired_total", queue="q") == 2
    assert scrape("holdfire_contacts_incomplete", queue="q") == 1
    assert scrape("holdfire_contact_events_late_total", queue="q") == 4
    assert scrape("holdfire_contacts_open", queue="q") == 7


def test_live_connections_are_counted():
    assert Scrape(watchers=3)("holdfire_ws_connections") == 3


def test_names_beyond_the_cap_are_left_out_and_counted_once_however_often_it_is_scraped():
    floor = StillFloor({(f"q{number}", Metric.BACKLOG): a_reading("backlog", number) for number in range(5)})
    scrape = Scrape(floor, cap=3)
    for _ in range(2):
        list(scrape.registry.collect())
    shown = [scrape("holdfire_queue_contacts", queue=f"q{number}") for number in range(5)]
    assert shown == [0, 1, 2, None, None]
    assert scrape("dropped_total") == 2


def test_a_name_once_shown_stays_shown_when_others_come_before_it():
    cap = Cap(1, Counter("dropped", "left out", registry=None))
    assert [cap.admits("zebra"), cap.admits("ant"), cap.admits("zebra")] == [True, False, True]
