"""Whatever anybody sends: never a 500, never a status or a body that the OpenAPI document does not know."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.clocks import SystemClock
from app.main import create_app
from app.services.keys import Keys
from app.settings import Settings
from app.store.bundle import open_store

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 25

schema = schemathesis.openapi.from_dict(create_app(Settings()).openapi())


@schemathesis.serializer("application/x-ndjson")
def ndjson(_: Any, value: Any) -> bytes:
    """Send generated text as it is: it need not be NDJSON."""
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


async def a_key(url: str) -> str:
    """Return a key that may do everything, made before the server starts."""
    clock = SystemClock()
    async with open_store(url, clock) as store:
        return (await Keys(store.keys, clock).create("tester", ["admin"]))[1]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a whole holdfire on SQLite that has a queue, a few contacts and the default gate."""
    folder: Path = tmp_path_factory.mktemp("holdfire")
    settings = Settings(data_dir=folder)
    key = asyncio.run(a_key(settings.resolved_database_url))
    with asgi.get_client(cast("Any", create_app(settings))) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        now = datetime.now(UTC).isoformat()
        measured: Any = {"queue": "orders", "observed_at": now, "source": "acd-1", "backlog": 3}
        contact: Any = {"contact_id": "c-1", "queue": "orders", "event": "queued", "at": now, "source": "acd-1"}
        for path, body in (("observations", measured), ("contacts", contact)):
            assert client.post(f"http://testserver/api/v1/{path}", json=body).status_code == 200
        yield client


@pytest.mark.slow
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_leads_to_a_500_or_to_anything_undocumented(case: Any, client: Any) -> None:
    response = case.call(session=client)
    assert response.status_code != 500, response.text
    case.validate_response(response, checks=CHECKS)
