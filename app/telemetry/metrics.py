"""What holdfire tells Prometheus: what it counts itself, and the registry that everything is read from.

One Metrics and one registry per app. What is true *now* (the floor, the gates, the sources) is not stored here a second
time: app.telemetry.state reads it when Prometheus asks. docs/reference/metrics.md lists every name.
"""

import asyncio
import platform
from collections.abc import Iterable, Sequence

from fastapi import APIRouter, Request, Response
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    Metric,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from app import __version__
from app.core.gate.decision import Verdict
from app.core.permit.permit import PermitState
from app.ports.evaluation import Transition
from app.ports.permits import PermitChange
from app.services.container import Services
from app.telemetry.cap import Cap
from app.telemetry.state import Connected, StateCollector

MAX_QUEUES = 200
MAX_GATES = 200
MAX_SOURCES = 200
READINESS_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
HTTP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
# Known beforehand, so that they start at 0: a rate needs the first answer, too.
USUAL_ANSWERS = (
    (Verdict.SEND, 200),
    (Verdict.THROTTLE, 200),
    (Verdict.THROTTLE, 429),
    (Verdict.HOLD, 429),
    (Verdict.UNKNOWN, 503),
)
DELIVERY_OUTCOMES = ("delivered", "retried", "failed", "withdrawn")
KEY_REFUSED = {401: "unauthenticated", 403: "forbidden"}
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The counters of one app. Every method is cheap enough for a request's path (about a microsecond)."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they would double the series and nobody reads them
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        info = Info("holdfire_build", "The version that runs", registry=self.registry)
        info.info({"version": __version__, "python": platform.python_version()})
        self._count_readiness()
        self._count_requests()
        self._count_deliveries()
        self._count_permits()
        self._dropped = self._counter(
            "holdfire_metrics_dropped_series", "Names left out of the metrics because there are too many", "label"
        )
        self._gate_cap = Cap(MAX_GATES, self._dropped.labels("gate"))

    def _count_readiness(self) -> None:
        self._checks = self._counter("holdfire_readiness_checks", "Readiness answers given", "verdict", "status")
        self._check_seconds = Histogram(
            "holdfire_readiness_check_duration_seconds",
            "Time from a readiness request to its finished answer",
            registry=self.registry,
            buckets=READINESS_BUCKETS,
        )
        self._transitions = self._counter(
            "holdfire_readiness_transitions", "Changes of a gate's state", "gate", "from", "to"
        )
        self._answers = {pair: self._checks.labels(pair[0], str(pair[1])) for pair in USUAL_ANSWERS}
        self._audit_failures = self._counter(
            "holdfire_audit_write_failures", "Decisions that could not be written to the decision log"
        )

    def _count_requests(self) -> None:
        self._http: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._requests = self._counter(
            "holdfire_http_requests", "HTTP requests answered, readiness apart", "method", "route", "status"
        )
        self._request_seconds = Histogram(
            "holdfire_http_request_duration_seconds",
            "Time to answer HTTP requests, readiness apart",
            ("method", "route"),
            registry=self.registry,
            buckets=HTTP_BUCKETS,
        )
        self._rate_refused = self._counter(
            "holdfire_client_rate_refused", "Requests refused because their key asked more often than its max_rps"
        )
        self._auth_failures = self._counter("holdfire_auth_failures", "Requests refused for their key", "kind")
        for kind in KEY_REFUSED.values():
            self._auth_failures.labels(kind)
        self._sockets_dropped = self._counter("holdfire_ws_dropped", "Live connections ended by us", "reason")

    def _count_deliveries(self) -> None:
        self._deliveries = self._counter("holdfire_webhook_deliveries", "Tries to deliver to webhooks", "outcome")
        for outcome in DELIVERY_OUTCOMES:
            self._deliveries.labels(outcome)
        self._pending = Gauge(
            "holdfire_webhook_deliveries_pending", "Deliveries that wait for their next try", registry=self.registry
        )

    def _count_permits(self) -> None:
        self._permits = self._counter("holdfire_permits", "Permits that came to be in this state", "state")
        for state in PermitState:
            self._permits.labels(state)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)

    def watch(self, services: Services, hub: Connected) -> None:
        """Read the floor, the gates, the sources and the live connections from these at each scrape."""
        self.registry.register(
            StateCollector(
                published=lambda: services.evaluator.published,
                contacts=lambda: services.evaluator.floor.counters().queues,
                sources=services.sources.all,
                senders=services.senders.all,
                hub=hub,
                replicas=services.replicas,
                queue_cap=Cap(MAX_QUEUES, self._dropped.labels("queue")),
                gate_cap=self._gate_cap,
                source_cap=Cap(MAX_SOURCES, self._dropped.labels("source")),
            )
        )

    def readiness_answered(self, verdict: Verdict, status: int) -> None:
        """Count one answer of the readiness endpoint."""
        child = self._answers.get((verdict, status))
        if child is None:
            child = self._answers[verdict, status] = self._checks.labels(verdict, str(status))
        child.inc()

    def readiness_refused(self, status: int) -> None:
        """Count one question that got no answer: a bad key, an unknown gate, a bad parameter."""
        self._checks.labels("refused", str(status)).inc()
        self._count_refused_key(status)

    def client_rate_refused(self) -> None:
        """Count one request of a key that asked more often than it may."""
        self._rate_refused.inc()

    def readiness_took(self, seconds: float) -> None:
        """Note how long one readiness answer took."""
        self._check_seconds.observe(seconds)

    def transition(self, transition: Transition) -> None:
        """Count a gate's change of state. Its very first verdict is no change."""
        if transition.before is not None and self._gate_cap.admits(transition.gate):
            self._transitions.labels(transition.gate, transition.before, transition.after).inc()

    def audit_write_failed(self, rows: int = 1) -> None:
        """Count decisions that are missing in the decision log."""
        self._audit_failures.inc(rows)

    def delivery_tried(self, outcome: str) -> None:
        """Count one try to deliver to a webhook by what became of the delivery."""
        self._deliveries.labels(outcome).inc()

    def deliveries_waiting(self, pending: int) -> None:
        """Note how many deliveries are pending."""
        self._pending.set(pending)

    def permits_changed(self, changes: Sequence[PermitChange]) -> None:
        """Count permits by the state they came to be in; a new one is active."""
        for before, after, _ in changes:
            if before is None or before.state is not after.state:
                self._permits.labels(after.state).inc()

    def http_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one HTTP answer. route is the template, never the path itself."""
        answers, durations = self._of_http(method if method in METHODS else "other", route, status)
        answers.inc()
        durations.observe(seconds)
        self._count_refused_key(status)

    def _of_http(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """Return what counts and times such requests; found by its labels only once, as that takes longer than both."""
        found = self._http.get((method, route, status))
        if found is None:
            answers = self._requests.labels(method, route, str(status))
            found = self._http[method, route, status] = answers, self._request_seconds.labels(method, route)
        return found

    def _count_refused_key(self, status: int) -> None:
        if status in KEY_REFUSED:
            self._auth_failures.labels(KEY_REFUSED[status]).inc()

    def socket_dropped(self, reason: str) -> None:
        """Count a live connection that we ended: "slow" or "origin", say."""
        self._sockets_dropped.labels(reason).inc()


class _Snapshot(Collector):
    """Families that were collected already, for an encoder that runs on another thread."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


async def metrics_endpoint(request: Request) -> Response:
    """Answer a scrape, in the text format or OpenMetrics, as the scraper asks. Needs memory only, no database.

    State is read on the event loop, where it changes; the encoding, which takes longer, happens beside it.
    """
    metrics: Metrics = request.state.metrics
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    body = await asyncio.to_thread(encode, _Snapshot(metrics.registry.collect()))
    return Response(body, headers={"content-type": content_type, "cache-control": "no-store"})


def metrics_router() -> APIRouter:
    """Return the route GET /metrics. It is for Prometheus, so OpenAPI does not list it."""
    router = APIRouter()
    router.add_api_route("/metrics", metrics_endpoint, include_in_schema=False, response_class=Response)
    return router
