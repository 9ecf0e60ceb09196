"""Reading small JSON bodies: the same refusals as for ingest, with a pointer for each fault."""

from typing import Any, TypeVar

import msgspec
from fastapi import Request
from pydantic import BaseModel, ValidationError

from app.api.problems import INVALID, MEDIA, Refused, errors_of

Given = TypeVar("Given", bound=BaseModel)


async def read(request: Request, model: type[Given]) -> Given:
    """Return the request's JSON body as a model. Raises Refused: 415 for another form, 422 with pointers."""
    body = await json_body(request)
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as fault:
        raise Refused(INVALID, "the body was refused; nothing was changed", errors=errors_of(fault.errors())) from None


async def read_object(request: Request) -> dict[str, Any]:
    """Return the request's JSON body as it is, an object. Raises Refused: 415, or 422 for no sound JSON object."""
    body = await json_body(request)
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        why = "it is nested too deeply" if isinstance(fault, RecursionError) else str(fault)
        raise Refused(INVALID, f"the body is no JSON object: {why}") from None


async def json_body(request: Request) -> bytes:
    """Return the body as it came. Raises Refused: 415 for another form than plain JSON."""
    media_type = request.headers.get("content-type", "")
    if media_type.partition(";")[0].strip().lower() != "application/json":
        raise Refused(MEDIA, f"Content-Type {media_type or '(none)'} is not supported; send application/json")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused(
            MEDIA,
            f"Content-Encoding {request.headers['content-encoding']!r} is not supported; send it plain",
            headers={"Accept-Encoding": "identity"},
        )
    return await request.body()
