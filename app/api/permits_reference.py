"""How OpenAPI describes permits: what is sent, and answers that readiness shares."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from app.api.readiness_reference import READINESS_PATH_ITEM, ReadinessAnswer
from app.api.schemas import Given, Problem, Responses, Shape, component, headers, text_at
from app.core.floor.fields import NAME_LENGTH
from app.core.permit.permit import PermitState
from app.core.permit.request import (
    DEFAULT_GATE,
    DEFAULT_TTL_SECONDS,
    MAX_AUDIENCE,
    MAX_SENT,
    MAX_TTL_SECONDS,
    MAX_URL,
    MIN_TTL_SECONDS,
)

MAX_REASON = 500
_PERMIT_ID = "prm_019d4d1c2f40a1b2c3d4e5f6"


class PermitShape(Shape):
    """A permit: `allow` messages may go until `expires_at`, unless it must stop."""

    id: str = Field(examples=[_PERMIT_ID])
    gate: str
    campaign: str | None
    state: PermitState
    must_stop: bool = Field(description="send no more under it: it is not active, is over, or its gate is shut now")
    requested: int
    allow: int = Field(description="messages it allows in all")
    sent: int = Field(description="reported as sent so far")
    outstanding: int = Field(description="what it still counts as given away")
    granted_at: str | None = text_at()
    expires_at: str | None = text_at()
    changed_at: str | None = text_at()
    reason: str = Field(description="why it is as it is, where somebody or something changed it")
    decision_id: str
    asked_by: str = Field(description="id of the key it was given to")
    wave: int | None = Field(description="which wave of its campaign it is for")


class PermitPage(Shape):
    """A page of permits, newest first."""

    items: list[PermitShape]
    next_cursor: str | None = Field(description="null on the last page")


class PermitAnswerShape(ReadinessAnswer):
    """The readiness answer; on 200 with the permit, or with dry_run where nothing was reserved."""

    permit_id: str | None = Field(default=None, description="keep it: report, renew and release need it")
    permit_expires_at: str | None = Field(default=None, json_schema_extra={"format": "date-time"})
    dry_run: bool = Field(default=False, description="only said what would be granted; nothing was reserved")


class RevocationGiven(Given):
    """Why a permit is withdrawn."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "wrong price list"}]})

    reason: Annotated[
        str,
        Field(
            min_length=1, max_length=MAX_REASON, pattern=r"^[^\x00-\x1f\x7f]*$", description="why; its sender is told"
        ),
    ]


_TTL: dict[str, Any] = {
    "type": ["integer", "null"],
    "minimum": MIN_TTL_SECONDS,
    "maximum": MAX_TTL_SECONDS,
    "default": DEFAULT_TTL_SECONDS,
    "description": "how long the permit lives from now; what is not reported then is charged no longer",
}
_NAME: dict[str, Any] = {"type": ["string", "null"], "minLength": 1, "maxLength": NAME_LENGTH}
_FLAG: dict[str, Any] = {"type": ["boolean", "null"], "default": False}

TAKE: dict[str, Any] = {
    "type": "object",
    "required": ["audience"],
    "additionalProperties": False,
    "properties": {
        "gate": _NAME | {"default": DEFAULT_GATE, "description": "which gate"},
        "campaign": _NAME | {"description": "a campaign's id, or any name for the log"},
        "audience": {"type": "integer", "minimum": 1, "maximum": MAX_AUDIENCE, "description": "messages to be sent"},
        "accept_partial": _FLAG | {"description": "fewer will do: the sender obeys `allow`"},
        "ttl_seconds": _TTL,
        "dry_run": _FLAG | {"description": "say what would be granted; reserve nothing"},
        "callback_url": {
            "type": ["string", "null"],
            "format": "uri",
            "maxLength": MAX_URL,
            "description": "http or https: told the answer by POST once it can be given",
        },
    },
    "examples": [{"gate": DEFAULT_GATE, "campaign": "spring", "audience": 500_000, "accept_partial": True}],
}
TTL: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"ttl_seconds": _TTL},
    "examples": [{"ttl_seconds": 1_800}],
}
REPORT: dict[str, Any] = {
    "type": "object",
    "required": ["sent"],
    "additionalProperties": False,
    "properties": {
        "sent": {"type": "integer", "minimum": 0, "maximum": MAX_SENT, "description": "the total so far, not the step"}
    },
    "examples": [{"sent": 12_500}],
}

_RATE_HEADERS = {
    "RateLimit-Policy": "the gate's max_audience_per_hour, where it has one",
    "RateLimit": "what is left of it: r messages, more in t seconds",
}


def _answers() -> Responses:
    described = READINESS_PATH_ITEM["get"]["responses"]
    go = described["200"]
    example = go["content"]["application/json"]["example"]
    permit = {"permit_id": _PERMIT_ID, "permit_expires_at": "2026-11-21T16:04:05Z"}
    schema = {"schema": component("PermitAnswerShape"), "example": example | permit}
    limits = headers(_RATE_HEADERS)
    replayed = headers({"Idempotency-Replayed": "true for an answer given before under the same key"})
    return {
        200: {
            "description": "A permit for `allow` messages: the whole audience, or part of it with accept_partial.",
            "headers": go["headers"] | limits | replayed,
            "content": {"application/json": schema},
        },
        429: _refusal(described["429"], component("PermitProblem")),
        503: _refusal(described["503"], {"anyOf": [component("PermitProblem"), component("Problem")]}),
    }


def _refusal(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    content = described["content"]["application/problem+json"] | {"schema": schema}
    return described | {
        "headers": {"Retry-After": described["headers"]["Retry-After"]},
        "content": {"application/problem+json": content},
    }


ANSWERS: Responses = _answers()


def idempotency_parameters() -> list[dict[str, Any]]:
    """Describe the headers that carry an idempotency key."""
    schema = {"type": "string", "minLength": 1, "maxLength": 257}
    names = {
        "Idempotency-Key": 'the ask\'s own key, `"in quotes"` or bare; kept for 24 hours',
        "x-cio-idempotency-key": "the same, as Customer.io sends it",
    }
    return [
        {"name": name, "in": "header", "required": False, "description": text, "schema": schema}
        for name, text in names.items()
    ]


def permit_schemas() -> dict[str, Any]:
    """Return the schemas of answers to asks for a permit, with and without the problem members."""
    reference = "#/components/schemas/{model}"
    answer = PermitAnswerShape.model_json_schema(ref_template=reference)
    answer.pop("$defs")
    problem = Problem.model_json_schema(ref_template=reference)
    members = ("type", "title", "status", "detail", "instance")
    return {
        "PermitAnswerShape": answer,
        "PermitProblem": answer | {
            "title": "PermitProblem",
            "description": "No permit: the same members as on 200 without those of a permit, and a problem document's.",
            "properties": answer["properties"] | {name: problem["properties"][name] for name in members},
            "required": [*answer["required"], *members],
        },
    }  # fmt: skip
