"""How OpenAPI describes GET /api/v1/readiness, whose endpoint stands ahead of the router (app.api.readiness)."""

from typing import Any

from pydantic import Field

from app.api.gates import ReasonShape
from app.api.schemas import Problem, Shape, component, headers, problems, text_at
from app.core.gate.decision import Verdict
from app.core.gate.override import Effect
from app.core.gate.policy import Mode
from app.core.permit.request import MAX_AUDIENCE

_EXAMPLE: dict[str, Any] = {
    "decision": "hold",
    "proceed": False,
    "branchResult": "hold",
    "allow": 0,
    "requested": 500000,
    "retry_after_seconds": 300,
    "retry_at": "2026-11-21T15:09:05Z",
    "gate": "default",
    "campaign": "spring",
    "decision_id": "dec_019d4d1c2f40a1b2c3d4e5f6",
    "mode": "enforce",
    "state": "hold",
    "would_decide": None,
    "policy_version": 17,
    "since": "2026-11-21T15:01:30Z",
    "evaluated_at": "2026-11-21T15:04:05Z",
    "valid_until": "2026-11-21T15:06:05Z",
    "data_as_of": "2026-11-21T15:03:53Z",
    "data_age_seconds": 12.0,
    "summary": "orders-voice: backlog is 14 contacts, limit 10",
    "reasons": [
        {
            "code": "backlog_high",
            "metric": "backlog",
            "queue": "orders-voice",
            "observed": 14.0,
            "op": "<=",
            "limit": 10.0,
            "unit": "contacts",
            "window_seconds": None,
            "as_of": "2026-11-21T15:03:53Z",
            "since": "2026-11-21T15:01:30Z",
            "binding": True,
            "message": "orders-voice: backlog is 14 contacts, limit 10",
        }
    ],
    "override": None,
    "next_window": None,
}


class OverrideTold(Shape):
    """The override that took part in an answer."""

    id: str
    effect: Effect
    created_by: str
    comment: str
    ends_at: str = text_at()


class ReadinessAnswer(Shape):
    """May this send go now? `proceed` is true exactly when the status is 200, unless the key's profile has it else."""

    decision: Verdict = Field(description="what to do: send, throttle or hold")
    proceed: bool
    branch_result: str = Field(alias="branchResult", description="the decision, for no-code tools that branch on it")
    allow: int | None = Field(description="at most so many recipients may go now; null: no limit")
    requested: int | None = Field(description="the audience asked for")
    retry_after_seconds: int | None
    retry_at: str | None = text_at()
    gate: str
    campaign: str | None
    decision_id: str
    mode: Mode
    state: Verdict = Field(description="the gate's own state; unknown reads hold in `decision`")
    would_decide: Verdict | None = Field(description="in shadow mode: what it would say")
    policy_version: int
    since: str | None = text_at()
    evaluated_at: str | None = text_at()
    valid_until: str | None = text_at()
    data_as_of: str | None = text_at()
    data_age_seconds: float | None
    summary: str
    reasons: list[ReasonShape]
    override: OverrideTold | None = Field(description="what somebody said by hand, where it took part")
    next_window: dict[str, Any] | None


_ANSWER_HEADERS = headers(
    {
        "Holdfire-Decision": "the decision",
        "Holdfire-Decision-Id": "under which it is in the log",
        "Cache-Control": "no-store",
    }
)


def _go() -> dict[str, Any]:
    example = _EXAMPLE | {
        "decision": "send", "branchResult": "send", "state": "send", "proceed": True, "allow": 500000, "reasons": [],
        "retry_after_seconds": None, "retry_at": None, "summary": "Clear to send: 4 queues within limits.",
    }  # fmt: skip
    return {
        "description": "Go: the whole audience asked for may be sent, or `allow` of it with accept_partial.",
        "headers": _ANSWER_HEADERS,
        "content": {"application/json": {"schema": component("ReadinessAnswer"), "example": example}},
    }


def _no_go(description: str, example: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": description,
        "headers": _ANSWER_HEADERS | headers({"Retry-After": "seconds after which asking again makes sense"}),
        "content": {"application/problem+json": {"schema": component("ReadinessProblem"), "example": example}},
    }


def _hold() -> dict[str, Any]:
    example = _EXAMPLE | {
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "It may not go now",
        "status": 429,
        "detail": _EXAMPLE["summary"],
        "instance": f"/api/v1/decisions/{_EXAMPLE['decision_id']}",
    }
    return _no_go(
        "Hold, or only `allow` of the audience may go and accept_partial was not set. Or the key asks too often.",
        example,
    )


def _unknown() -> dict[str, Any]:
    message = "orders-voice: nothing was heard for 180 s, at most 120 s are allowed"
    reason = _EXAMPLE["reasons"][0] | {"code": "data_stale", "observed": 180.0, "limit": 120.0, "unit": "seconds"}
    example = _EXAMPLE | {
        "type": "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
        "title": "It cannot be known now",
        "status": 503,
        "detail": message,
        "instance": f"/api/v1/decisions/{_EXAMPLE['decision_id']}",
        "state": "unknown",
        "summary": message,
        "reasons": [reason | {"message": message}],
    }
    return _no_go(
        "It cannot be known (stale or missing data, no policy): hold. Reason codes begin with data_.", example
    )


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


_NAME = {"type": "string", "minLength": 1, "maxLength": 128}

READINESS_PATH_ITEM: dict[str, Any] = {
    "get": {
        "tags": ["readiness"],
        "operationId": "readinessCheck",
        "summary": "May this send go now?",
        "description": "From memory, without side effects. **200 is a go for what was asked; nothing else is.** "
        "Treat a timeout, and anything you do not understand, as hold.",
        "security": [{"key": ["readiness"]}],
        "parameters": [
            _parameter("gate", "which gate", _NAME | {"default": "default"}),
            _parameter("audience", "recipients of the send; without it: is the gate open at all?", {
                "type": "integer", "minimum": 1, "maximum": MAX_AUDIENCE, "examples": [500000]}),
            _parameter("campaign", "which campaign; a name that none has is only a label", _NAME),
            _parameter("accept_partial", "fewer will do: 200 for a part, and you send `allow` of them", {
                "type": "boolean", "default": False}),
        ],
        "responses": {
            "200": _go(),
            **{str(status): described for status, described in problems(404, 405, 422).items()},
            "429": _hold(),
            "503": _unknown(),
        },
    }
}  # fmt: skip


def readiness_schemas() -> dict[str, Any]:
    """Return the schemas of readiness answers, with and without the problem members."""
    reference = "#/components/schemas/{model}"
    answer = ReadinessAnswer.model_json_schema(ref_template=reference)
    nested = answer.pop("$defs")
    problem = Problem.model_json_schema(ref_template=reference)
    members = ("type", "title", "status", "detail", "instance")
    return {
        **nested,
        "ReadinessAnswer": answer,
        "ReadinessProblem": answer | {
            "title": "ReadinessProblem",
            "description": "No go: the same members as on 200, and those of a problem document.",
            "properties": answer["properties"] | {name: problem["properties"][name] for name in members},
            "required": [*answer["required"], *members],
        },
    }  # fmt: skip
