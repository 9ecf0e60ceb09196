"""POST /sources/{name}/push: a contact center's system sends its events in its own form."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from app.api.auth import Ingester
from app.api.bodies import json_body
from app.api.deps import ServicesDep, answer
from app.api.problems import INVALID, TOO_LARGE, Refused
from app.api.schemas import Fault, Shape, problems, takes

LONGEST_BYTES = 256 << 10  # the largest event that EventBridge sends

EXAMPLES = {
    "amazon-connect": {
        "summary": "a contact event of Amazon Connect, as EventBridge sends it on",
        "value": {
            "detail-type": "Amazon Connect Contact Event",
            "source": "aws.connect",
            "time": "2026-11-21T15:04:05Z",
            "detail": {
                "eventType": "QUEUED",
                "contactId": "bbbbbbbb-0000-4000-8000-000000000009",
                "channel": "VOICE",
                "queueInfo": {
                    "queueArn": "arn:aws:connect:…:instance/…/queue/aaaaaaaa-0000-4000-8000-000000000001",
                    "enqueueTimestamp": "2026-11-21T15:04:05Z",
                },
            },
        },
    }
}
_SCHEMA = {"type": "object", "description": "as the source's system has it"}

SourceName = Annotated[str, Path(description="the source's name in holdfire.toml")]

router = APIRouter(tags=["ingest"])


class Pushed(Shape):
    """What became of a push, after the accepted events are durable."""

    accepted: int = Field(ge=0, description="new and durable now")
    duplicates: int = Field(ge=0, description="there already; sending them again did no harm")
    ignored: int = Field(ge=0, description="understood, and of no use here")
    rejected: list[Fault] = Field(
        description="one entry per fault of an event that was understood and is not acceptable"
    )


@router.post(
    "/sources/{name}/push",
    operation_id="pushToSource",
    summary="Send a vendor's own events to a configured source",
    responses={200: {"model": Pushed}, **problems(404, 409, 413, 415, 422)},
    openapi_extra=takes("application/json", schema=_SCHEMA, examples=EXAMPLES),
)
async def push(name: SourceName, request: Request, services: ServicesDep, _: Ingester) -> Response:
    """Takes what the source's system sends, of at most 256 KiB, and keeps of it what happened to contacts.

    Any order, at least once. Callers' names and numbers in it are never kept. Answers after the accepted events are
    durable; 422 when it makes no sense or none of its events is acceptable, 409 for a source that takes no pushes. 503:
    nothing is certain to be kept; send the same again.
    """
    body = await json_body(request)
    if len(body) > LONGEST_BYTES:
        raise Refused(TOO_LARGE, f"the body has {len(body):,} bytes; at most {LONGEST_BYTES:,} are read")
    (accepted, duplicates, rejected), ignored = await services.pushes.take(name, body)
    if rejected and not accepted and not duplicates:
        errors = [{"index": one.index, "pointer": one.pointer, "detail": one.detail} for one in rejected]
        raise Refused(INVALID, "nothing was accepted: every event has a fault", errors=errors)
    return answer({"accepted": accepted, "duplicates": duplicates, "ignored": ignored, "rejected": rejected})
