"""Shapes that several resources share, and how answers are described in OpenAPI."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.api.problems import KINDS, MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]
INSTANT: JsonDict = {"format": "date-time"}
_TITLES = {kind.status: kind.title for kind in reversed(KINDS)} | {503: "It cannot be served, or written down, now"}
_HEADERS = {
    401: {"WWW-Authenticate": "how to authenticate"},
    403: {"WWW-Authenticate": "the scope that is missing"},
    503: {"Retry-After": "seconds after which to try again"},
}


class Shape(BaseModel):
    """Something the API answers. Nothing but the members named here is in it."""

    model_config = ConfigDict(extra="forbid", title=None)


class Given(BaseModel):
    """Something the API is sent: strict types, finite numbers, no unknown members."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Fault(BaseModel):
    """Where the input is wrong, and what is allowed. index: which of several items."""

    pointer: str = Field(description="RFC 6901 JSON pointer; into the item where there is an index")
    detail: str
    index: int | None = Field(default=None, description="the item's place in the body, from 0")


class Problem(BaseModel):
    """An error answer (RFC 9457)."""

    type: str = Field(
        description="stable URI reference that names the kind of error", examples=["/docs#problem-invalid"]
    )
    title: str
    status: int
    detail: str = Field(description="what was wrong this time, what is allowed, what to do")
    instance: str = Field(description="the path asked for")
    request_id: str | None = Field(description="also in the header X-Request-ID and in the log")
    errors: list[Fault] = Field(default_factory=list)


def text_at() -> Any:
    """Return the field of an instant: RFC 3339 UTC text."""
    return Field(json_schema_extra=INSTANT)


def problems(*statuses: int) -> Responses:
    """Describe the errors a route can answer; 401, 403 and 503 go without saying."""
    return {status: _problem(status) for status in (401, 403, *statuses, 503)}


def _problem(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": _TITLES[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in _HEADERS:
        described["headers"] = headers(_HEADERS[status])
    return described


def headers(descriptions: Mapping[str, str]) -> dict[str, Any]:
    """Describe response headers."""
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in descriptions.items()}


def takes(*media_types: str, schema: Mapping[str, Any], examples: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Describe a body that the route reads itself, for `openapi_extra`."""
    content = {
        media_type: {"schema": schema} | ({"examples": examples} if examples and media_type.endswith("/json") else {})
        for media_type in media_types
    }
    return {"requestBody": {"required": True, "content": content}}


def component(name: str) -> dict[str, str]:
    """Return a reference to a schema that app.api.openapi adds to the components."""
    return {"$ref": f"#/components/schemas/{name}"}
