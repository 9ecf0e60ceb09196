"""POST /observations and /contacts: what happens on the floor, told by the systems that know."""

from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.auth import INGEST, Ingester, permitted
from app.api.decode import CONTACTS, JSON, NDJSON, OBSERVATIONS, Decoded, decode
from app.api.deps import ServicesDep, answer
from app.api.problems import INVALID, Refused, fault_response
from app.api.schemas import Fault, Shape, component, problems, takes
from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.errors import HoldfireError
from app.services.container import Services
from app.services.ingest import IngestResult

router = APIRouter(tags=["ingest"])
Record = TypeVar("Record", Observation, ContactEvent)

OBSERVATION_EXAMPLES = {
    "gauges": {
        "summary": "what an ACD shows now",
        "value": {
            "queue": "orders-voice",
            "observed_at": "2026-11-21T15:04:05Z",
            "source": "acd-1",
            "backlog": 12,
            "oldest_wait_seconds": 94,
            "agents_staffed": 40,
            "agents_available": 1,
        },
    },
    "counts": {
        "summary": "counts and sums of five minutes, from which averages are derived exactly",
        "value": [
            {
                "queue": "orders-voice",
                "observed_at": "2026-11-21T15:05:00Z",
                "source": "acd-1",
                "window_seconds": 300,
                "offered": 52,
                "answered": 47,
                "abandoned": 3,
                "answered_within_target": 38,
                "wait_seconds_sum": 1598.0,
                "handle_seconds_sum": 14570.0,
            }
        ],
    },
}
CONTACT_EXAMPLES = {
    "queued": {
        "value": {
            "contact_id": "1764000245.17",
            "queue": "orders-voice",
            "event": "queued",
            "at": "2026-11-21T15:04:05Z",
            "source": "pbx-1",
        }
    }
}


class Ingested(Shape):
    """What became of a batch, after the accepted ones are durable."""

    accepted: int = Field(ge=0, description="new and durable now")
    duplicates: int = Field(ge=0, description="there already; sending them again did no harm")
    rejected: list[Fault] = Field(description="one entry per fault of a bad item; the good ones were kept")


def _body(record: str, examples: dict[str, Any]) -> dict[str, Any]:
    one = component(record)
    json = takes(JSON, schema={"oneOf": [one, {"type": "array", "minItems": 1, "items": one}]}, examples=examples)
    json["requestBody"]["content"][NDJSON] = {"schema": {"type": "string", "description": "one object per line"}}
    return json


_ANSWERS = {200: {"model": Ingested}, **problems(413, 415, 422)}


@router.post(
    "/observations",
    operation_id="sendObservations",
    summary="Send what was measured of queues",
    responses=_ANSWERS,
    openapi_extra=_body("Observation", OBSERVATION_EXAMPLES),
)
async def observations(request: Request, services: ServicesDep, caller: Ingester) -> Response:
    """Takes one observation, an array of them, or one per line (NDJSON); at most 10,000 and 1 MiB.

    Answers after the accepted ones are durable. Good ones are kept when others are bad; 422 when none was good. The
    same (source, queue, observed_at) again is counted as a duplicate. An observation without `source` is taken as
    coming from the key's name. 503: nothing is certain to be kept; send the same again.
    """
    decoded = await _decoded(OBSERVATIONS, request, caller.name)
    return _answer(services, decoded, await services.ingest.observations(decoded.items, decoded.indexes))


@router.post(
    "/contacts",
    operation_id="sendContacts",
    summary="Send what happened to contacts",
    responses=_ANSWERS,
    openapi_extra=_body("ContactEvent", CONTACT_EXAMPLES),
)
async def contacts(request: Request, services: ServicesDep, caller: Ingester) -> Response:
    """Takes one contact event, an array of them, or one per line (NDJSON); at most 10,000 and 1 MiB.

    Any order, at least once: the floor's metrics are derived from them exactly. The same (contact_id, event) again is
    a duplicate. Names and numbers of callers are never accepted.
    """
    decoded = await _decoded(CONTACTS, request, caller.name)
    return _answer(services, decoded, await services.ingest.contacts(decoded.items, decoded.indexes))


class IngestAhead:
    """ASGI middleware that calls the routes above itself: past the router, which would take half of a small request.

    It stands inside all other middleware, so that nothing else about a request or its answer differs.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self._routes = {prefix + route.path: route for route in router.routes if isinstance(route, APIRoute)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if route is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = route  # by which metrics name it
        request = Request(scope, receive)
        try:
            answer = await route.endpoint(request, scope["state"]["services"], permitted(scope, INGEST))
        except (HoldfireError, HTTPException) as fault:
            answer = fault_response(request, fault)
        await answer(scope, receive, send)


async def _decoded(form: Any, request: Request, source: str) -> Decoded[Any]:
    headers = request.headers
    media_type, coding = headers.get("content-type"), headers.get("content-encoding")
    return await decode(form, await request.body(), media_type, coding, source)


def _answer(services: Services, decoded: Decoded[Any], result: IngestResult) -> Response:
    if decoded.refused:
        services.ingest.refused(decoded.refused)
    rejected = sorted([*decoded.rejected, *result.rejected], key=lambda rejection: rejection.index)
    if not result.accepted and not result.duplicates:
        errors = [{"index": one.index, "pointer": one.pointer, "detail": one.detail} for one in rejected]
        raise Refused(INVALID, "nothing was accepted: every item has a fault", errors=errors)
    return answer({"accepted": result.accepted, "duplicates": result.duplicates, "rejected": rejected})
