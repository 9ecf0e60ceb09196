"""What routes are given: the services, the present publication, instants from the query, and how they answer."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Path, Query
from fastapi.requests import HTTPConnection
from pydantic import BeforeValidator, WithJsonSchema
from starlette.responses import Response

from app.core.floor.fields import NAME_LENGTH, name_fault
from app.services.container import Services

EARLIEST, LATEST = 1970, 9998  # outside these years arithmetic with offsets and steps would overflow
_SPACE_FOR_PLUS = re.compile(r" (?=\d\d:?\d\d$)")


async def services(connection: HTTPConnection) -> Services:  # async: FastAPI gives others a thread, for each request
    """Return the process's services; serves HTTP and WebSocket alike."""
    found: Services = connection.state.services
    return found


def answer(shape: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer as finished bytes; instants are in the shape as text already."""
    return Response(msgspec.json.encode(shape), status, dict(headers or {}), media_type="application/json")


def read_instant(value: Any) -> datetime:
    """Return the UTC instant of an RFC 3339 text with a zone. A + that the URL turned into a space is understood."""
    if not isinstance(value, str):
        raise ValueError("send RFC 3339 text with a zone, like 2026-11-21T15:04:05Z")  # noqa: TRY004  pydantic's way
    try:
        at = msgspec.convert(_SPACE_FOR_PLUS.sub("+", value), datetime)
    except (msgspec.ValidationError, UnicodeEncodeError):
        raise ValueError("is no RFC 3339 time; send one like 2026-11-21T15:04:05Z") from None
    if at.tzinfo is None:
        raise ValueError("has no time zone; append Z for UTC, or an offset such as +01:00")
    if not EARLIEST <= at.year <= LATEST:
        raise ValueError(f"lies outside the years {EARLIEST} to {LATEST}")
    return at.astimezone(UTC)


def read_name(value: Any) -> str:
    """Return a name of a queue or a gate. Raises ValueError with the core's own sentence."""
    if fault := name_fault(value):
        raise ValueError(fault)
    return str(value)


Instant = Annotated[datetime, BeforeValidator(read_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
Name = Annotated[
    str,
    BeforeValidator(read_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": NAME_LENGTH, "description": "printable"}),
]
ServicesDep = Annotated[Services, Depends(services)]
FromQuery = Annotated[Instant | None, Query(alias="from", description="start, included; RFC 3339 with a zone")]
ToQuery = Annotated[Instant | None, Query(alias="to", description="end, excluded; default: now")]
CursorQuery = Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before")]
LimitQuery = Annotated[int, Query(ge=1, le=500, description="items per page")]
GatePath = Annotated[Name, Path(description="the gate's name", examples=["default"])]
QueuePath = Annotated[Name, Path(description="the queue's name", examples=["orders-voice"])]
