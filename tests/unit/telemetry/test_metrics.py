"""What the app counts, and how GET /metrics answers."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.core.gate.decision import Verdict
from app.ports.evaluation import Transition
from app.telemetry.metrics import MAX_GATES, Metrics, metrics_router
from tests.support.builders import NOW


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def client(metrics):
    app = FastAPI()
    app.include_router(metrics_router())

    async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"metrics": metrics}
        await app(scope, receive, send)

    return TestClient(with_state)


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def a_transition(before: Verdict | None, after: Verdict, gate: str = "default") -> Transition:
    return Transition(gate, NOW, before, after, 1, "14 waiting", (), ())


def test_answers_count_by_verdict_and_status_and_start_at_zero(metrics):
    assert sample(metrics, "holdfire_readiness_checks_total", verdict="hold", status="429") == 0
    metrics.readiness_answered(Verdict.HOLD, 429)
    metrics.readiness_answered(Verdict.HOLD, 200)  # in shadow mode
    metrics.readiness_answered(Verdict.HOLD, 200)
    assert sample(metrics, "holdfire_readiness_checks_total", verdict="hold", status="429") == 1
    assert sample(metrics, "holdfire_readiness_checks_total", verdict="hold", status="200") == 2


@pytest.mark.parametrize(("status", "kind"), [(401, "unauthenticated"), (403, "forbidden")])
def test_a_refused_key_counts_wherever_it_was_shown(metrics, status, kind):
    metrics.readiness_refused(status)
    metrics.http_request("GET", "/api/v1/floor", status, 0.001)
    assert sample(metrics, "holdfire_auth_failures_total", kind=kind) == 2
    assert sample(metrics, "holdfire_readiness_checks_total", verdict="refused", status=str(status)) == 1


def test_an_unknown_gate_is_no_refused_key(metrics):
    metrics.readiness_refused(404)
    kinds = ("unauthenticated", "forbidden")
    assert [sample(metrics, "holdfire_auth_failures_total", kind=kind) for kind in kinds] == [0, 0]


def test_a_change_of_state_counts_and_a_first_verdict_does_not(metrics):
    metrics.transition(a_transition(None, Verdict.UNKNOWN))
    metrics.transition(a_transition(Verdict.SEND, Verdict.HOLD))
    name = "holdfire_readiness_transitions_total"
    assert sample(metrics, name, gate="default", **{"from": "send", "to": "hold"}) == 1
    total = sum(s.value for f in metrics.registry.collect() for s in f.samples if s.name == name)
    assert total == 1


def test_transitions_of_too_many_gates_are_left_out_and_counted(metrics):
    for number in range(MAX_GATES + 3):
        metrics.transition(a_transition(Verdict.SEND, Verdict.HOLD, f"gate-{number}"))
    assert sample(metrics, "holdfire_metrics_dropped_series_total", label="gate") == 3


def test_the_rest_counts_what_it_is_told(metrics):
    metrics.audit_write_failed(4)
    metrics.socket_dropped("slow")
    metrics.readiness_took(0.0002)
    assert sample(metrics, "holdfire_audit_write_failures_total") == 4
    assert sample(metrics, "holdfire_ws_dropped_total", reason="slow") == 1
    assert sample(metrics, "holdfire_readiness_check_duration_seconds_bucket", le="0.00025") == 1


def test_two_apps_do_not_share_their_counts(metrics):
    metrics.audit_write_failed()
    assert sample(Metrics(), "holdfire_audit_write_failures_total") == 0


def test_a_scrape_answers_in_place_with_the_text_format(client):
    answer = client.get("/metrics", follow_redirects=False)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'holdfire_build_info{python="' in answer.text
    assert "_created" not in answer.text


def test_a_scrape_answers_in_openmetrics_when_asked(client):
    answer = client.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
