"""Route templates: bounded labels whatever a caller types, under included routers, mounts and no route at all."""

import asyncio
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.telemetry.http import HttpMetrics
from app.telemetry.metrics import Metrics


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def client(metrics, tmp_path):
    gates = APIRouter(prefix="/gates")

    @gates.get("/{gate}/policy")
    async def policy(gate: str) -> str:
        return gate

    @gates.get("/{gate}/fault")
    async def fault(gate: str) -> str:
        raise RuntimeError(gate)

    api = APIRouter(prefix="/api/v1")
    api.include_router(gates)
    app = FastAPI()
    app.include_router(api)
    (tmp_path / "app.css").write_text("body{}")
    app.mount("/static", StaticFiles(directory=tmp_path))
    app.add_middleware(HttpMetrics)

    async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"metrics": metrics}
        await app(scope, receive, send)

    return TestClient(with_state, raise_server_exceptions=False)


def count(metrics: Metrics, method: str, route: str, status: int) -> float | None:
    labels = {"method": method, "route": route, "status": str(status)}
    return metrics.registry.get_sample_value("holdfire_http_requests_total", labels)


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/api/v1/gates/default/policy", "/api/v1/gates/{gate}/policy", 200),
        ("/api/v1/gates/gates/policy", "/api/v1/gates/{gate}/policy", 200),
        ("/api/v1/gates/a%20b%C3%A9/policy", "/api/v1/gates/{gate}/policy", 200),
        ("/api/v1/gates/policy/fault", "/api/v1/gates/{gate}/fault", 500),
        ("/api/v1/gates/default/typo", "unmatched", 404),
        ("/wp-login.php", "unmatched", 404),
        ("/static/app.css", "/static/*", 200),
        ("/static/none.css", "/static/*", 404),
    ],
)
def test_a_request_counts_under_its_template(client, metrics, path, route, status):
    assert client.get(path).status_code == status
    assert count(metrics, "GET", route, status) == 1
    duration = {"method": "GET", "route": route}
    assert metrics.registry.get_sample_value("holdfire_http_request_duration_seconds_count", duration) == 1


def test_an_invented_method_does_not_become_a_label(client, metrics):
    client.request("BREW", "/api/v1/gates/default/policy")
    assert count(metrics, "other", "/api/v1/gates/{gate}/policy", 405) == 1


def test_a_socket_passes_through_uncounted():
    seen = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def nothing(*_: object) -> Any:
        raise AssertionError("nobody speaks here")

    asyncio.run(HttpMetrics(app)({"type": "websocket"}, nothing, nothing))
    assert seen == ["websocket"]
