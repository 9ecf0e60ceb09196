"""The floor, the gates and the sources as Prometheus sees them, read from memory at each scrape.

A reading without a value gives no sample: absent is not zero. A gate whose evaluation is late is shown as unknown,
exactly as the readiness endpoint answers it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from app.core.floor.contacts import QueueCounters
from app.core.floor.metric import Metric
from app.core.floor.view import Reading
from app.core.sending.standing import SendingState
from app.ports.replicas import OnlyOne, Replicas
from app.ports.senders import SenderHealth
from app.ports.sources import SourceHealth
from app.services.published import Published
from app.telemetry.cap import Cap
from app.telemetry.gates import gate_families

# Per metric of a queue: the family's name, and the value of its label `state` where several metrics share a family.
QUEUE_FAMILIES: dict[Metric, tuple[str, str | None]] = {
    Metric.BACKLOG: ("holdfire_queue_contacts", None),
    Metric.OLDEST_WAIT_SECONDS: ("holdfire_queue_oldest_contact_age_seconds", None),
    Metric.ABANDONMENT_RATIO: ("holdfire_queue_abandonment_ratio", None),
    Metric.CONTACTS_IN_PROGRESS: ("holdfire_queue_contacts_in_progress", None),
    Metric.AGENTS_STAFFED: ("holdfire_queue_agents", "staffed"),
    Metric.AGENTS_AVAILABLE: ("holdfire_queue_agents", "available"),
    Metric.AGENTS_BUSY: ("holdfire_queue_agents", "busy"),
    Metric.OCCUPANCY_RATIO: ("holdfire_queue_occupancy_ratio", None),
    Metric.SPEED_TO_ANSWER_SECONDS: ("holdfire_queue_speed_to_answer_seconds", None),
    Metric.SERVICE_LEVEL_RATIO: ("holdfire_queue_service_level_ratio", None),
    Metric.HANDLE_TIME_SECONDS: ("holdfire_queue_handle_time_seconds", None),
}

MEANINGS = {
    "holdfire_queue_contacts": "Contacts waiting now (backlog)",
    "holdfire_queue_oldest_contact_age_seconds": "Time the longest waiting contact has waited so far",
    "holdfire_queue_abandonment_ratio": "Abandoned / (answered + abandoned), last window",
    "holdfire_queue_contacts_in_progress": "Contacts an agent is handling now",
    "holdfire_queue_agents": "Agents by state; a busy or available agent is staffed, too",
    "holdfire_queue_occupancy_ratio": "Busy / (busy + available) agents now",
    "holdfire_queue_speed_to_answer_seconds": "Mean wait of answered contacts, last window",
    "holdfire_queue_service_level_ratio": "Answered within target / offered, last window",
    "holdfire_queue_handle_time_seconds": "Mean handle time, last window",
    "holdfire_queue_last_sample_timestamp_seconds": "Source's time of the newest value of a queue",
    "holdfire_contacts_open": "Contacts waiting or in progress, as derived from contact events",
    "holdfire_contacts_incomplete": "Contacts known of now whose queued event never came",
    "holdfire_contacts_expired": "Contacts given up because their end never came",
    "holdfire_contact_events_late": "Events of contacts that were already forgotten",
    "holdfire_ingest_samples": "Observations and contact events received, by what became of them",
    "holdfire_ingest_last_success_timestamp_seconds": "When a source last brought something acceptable",
    "holdfire_ingest_lag_seconds": "Receipt less source's time of the newest value of a source",
    "holdfire_source_clock_ahead_seconds": "How far a source's clock is ahead of ours, below 0: behind",
    "holdfire_source_consecutive_failures": "Failures of a source since its last success",
    "holdfire_sender_consecutive_failures": "Failures of a driven email tool since it answered last",
    "holdfire_sender_last_success_timestamp_seconds": "When a driven email tool last said how it stands",
    "holdfire_sender_running_campaigns": "Campaigns that a driven email tool sends now",
    "holdfire_sender_unstopped_campaigns": "Campaigns that a driven email tool sends and must not",
    "holdfire_ws_connections": "Live connections open now",
    "holdfire_replica_leads": "1 for the replica that does what is done once, 0 for the others",
    "holdfire_replica_confirmed": "1 while all that was changed anywhere is known here, 0 while gates are unknown",
}


class Connected(Protocol):
    """Whoever knows how many live connections are open."""

    @property
    def connections(self) -> int:
        """The number of live connections."""


class StateCollector(Collector):
    """Yields the families of one scrape; looking changes nothing but the caps."""

    def __init__(
        self,
        *,
        published: Callable[[], Published],
        contacts: Callable[[], Mapping[str, QueueCounters]],
        sources: Callable[[], Sequence[SourceHealth]],
        senders: Callable[[], Sequence[SenderHealth]],
        hub: Connected,
        queue_cap: Cap,
        gate_cap: Cap,
        source_cap: Cap,
        replicas: Replicas | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._replicas = replicas or OnlyOne()
        self._published, self._contacts, self._sources, self._hub = published, contacts, sources, hub
        self._senders = senders
        self._queue_cap, self._gate_cap, self._source_cap = queue_cap, gate_cap, source_cap
        self._monotonic = monotonic

    def describe(self) -> Iterable[Family]:
        """Return nothing: registration must not look at a floor that is still being built."""
        return ()

    def collect(self) -> Iterator[Family]:
        """Yield the families as of now."""
        published = self._published()
        yield from self._queues(published)
        yield from self._contact_families()
        yield from gate_families(published, self._gate_cap.admits, self._monotonic())
        yield from self._source_families()
        yield from self._sender_families()
        yield _gauge("holdfire_ws_connections", value=self._hub.connections)
        yield _gauge("holdfire_replica_leads", value=float(self._replicas.leads()))
        is_confirmed = self._monotonic() < self._replicas.confirmed_until()
        yield _gauge("holdfire_replica_confirmed", value=float(is_confirmed))

    def _queues(self, published: Published) -> Iterator[Family]:
        families: dict[str, GaugeMetricFamily] = {}
        for name, state in QUEUE_FAMILIES.values():
            families.setdefault(name, _gauge(name, "queue", *(["state"] if state else [])))
        newest = _gauge("holdfire_queue_last_sample_timestamp_seconds", "queue", "source")
        for queue in filter(self._queue_cap.admits, published.view.queues()):
            readings = [reading for metric in Metric if (reading := published.view.reading(queue, metric))]
            for reading in readings:
                _add_reading(families, reading, queue)
            self._add_ages(newest, queue, readings)
        yield from families.values()
        yield newest

    def _add_ages(self, newest: GaugeMetricFamily, queue: str, readings: Sequence[Reading]) -> None:
        observed: dict[str, float] = {}
        for reading in filter(lambda reading: self._source_cap.admits(reading.source), readings):
            at = reading.observed_at.timestamp()
            observed[reading.source] = max(at, observed.get(reading.source, at))
        for source, at in observed.items():
            newest.add_metric([queue, source], at)

    def _contact_families(self) -> Iterator[Family]:
        still_open, incomplete = (_gauge(f"holdfire_contacts_{what}", "queue") for what in ("open", "incomplete"))
        expired, late = (
            _counter(name, "queue") for name in ("holdfire_contacts_expired", "holdfire_contact_events_late")
        )
        for queue, counters in self._contacts().items():
            if self._queue_cap.admits(queue):
                still_open.add_metric([queue], counters.open)
                incomplete.add_metric([queue], counters.incomplete)
                expired.add_metric([queue], counters.expired)
                late.add_metric([queue], counters.late)
        return iter((still_open, incomplete, expired, late))

    def _source_families(self) -> Iterator[Family]:
        samples = _counter("holdfire_ingest_samples", "source", "outcome")
        success = _gauge("holdfire_ingest_last_success_timestamp_seconds", "source")
        lag = _gauge("holdfire_ingest_lag_seconds", "source")
        failures = _gauge("holdfire_source_consecutive_failures", "source")
        ahead = _gauge("holdfire_source_clock_ahead_seconds", "source")
        for health in self._sources():
            if not self._source_cap.admits(health.name):
                continue
            samples.add_metric([health.name, "accepted"], health.accepted)
            samples.add_metric([health.name, "duplicate"], health.duplicates)
            samples.add_metric([health.name, "rejected"], health.rejected)
            failures.add_metric([health.name], health.consecutive_failures)
            if health.clock_ahead_seconds is not None:
                ahead.add_metric([health.name], health.clock_ahead_seconds)
            if health.last_success_at is not None:
                success.add_metric([health.name], health.last_success_at.timestamp())
                if health.last_observed_at is not None:
                    behind = (health.last_success_at - health.last_observed_at).total_seconds()
                    lag.add_metric([health.name], behind)
        return iter((samples, success, lag, failures, ahead))

    def _sender_families(self) -> Iterator[Family]:
        """Yield the families of driven tools; how many there are is up to the configuration."""
        failures = _gauge("holdfire_sender_consecutive_failures", "sender")
        success = _gauge("holdfire_sender_last_success_timestamp_seconds", "sender")
        running = _gauge("holdfire_sender_running_campaigns", "sender")
        unstopped = _gauge("holdfire_sender_unstopped_campaigns", "sender")
        for health in self._senders():
            driven = health.driven.values()
            failures.add_metric([health.name], health.consecutive_failures)
            running.add_metric([health.name], sum(each.state == SendingState.RUNNING for each in driven))
            unstopped.add_metric([health.name], sum(each.trouble is not None for each in driven))
            if health.last_success_at is not None:
                success.add_metric([health.name], health.last_success_at.timestamp())
        return iter((failures, success, running, unstopped))


def _gauge(name: str, *labels: str, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, MEANINGS[name], value=value, labels=labels or None)


def _counter(name: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, MEANINGS[name], labels=labels)


def _add_reading(families: dict[str, GaugeMetricFamily], reading: Reading, queue: str) -> None:
    name, state = QUEUE_FAMILIES[reading.metric]
    if reading.value is not None:
        families[name].add_metric([queue, state] if state else [queue], reading.value)
