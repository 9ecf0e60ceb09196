"""How OpenAPI describes campaigns' documents, which the core reads itself, and the gate of a campaign's open wave."""

from typing import Any

from pydantic import Field

from app.api.readiness_reference import ReadinessAnswer
from app.api.schemas import Problem, component, headers, problems
from app.core.campaign.campaign import CampaignState, ReleaseMode, TrafficClass
from app.core.campaign.handover import LONGEST_ID, MOST_PARTS, MOST_RECIPIENTS, TOOL_ID_RULE
from app.core.campaign.mix import MOST_QUEUES
from app.core.campaign.request import (
    DEFAULT_GATE,
    ID_RULE,
    MAX_AUDIENCE,
    MAX_CONTACTS_PER_1000,
    MAX_GAP_SECONDS,
    MAX_HOLDOUT_RATIO,
    MAX_ID,
    MAX_TEXT,
)
from app.core.forecast.learn import PRESETS_PER_1000
from app.core.gate.fields import listed

_PLAN_EXAMPLE: dict[str, Any] = {
    "id": "spring",
    "title": "Spring sale",
    "gate": DEFAULT_GATE,
    "audience": 500_000,
    "owner": "marketing",
    "kind": "offer",
    "contacts_per_1000": 12,
    "earliest_start": "2030-11-25T15:00:00Z",
    "give_up_at": "2030-11-26T02:00:00Z",
    "release": {"mode": "waves", "audience_per_wave": 25_000, "wave_gap_seconds": 900},
}


class CampaignGateAnswer(ReadinessAnswer):
    """May the next message of this campaign go now? `allow` is what is left of the open wave."""

    campaign_state: CampaignState
    wave: int | None = Field(description="number of the open wave; null while none is open")
    permit_id: str | None = Field(description="report what was sent under this permit; null while no wave is open")
    must_stop: bool = Field(description="true: send nothing more now")


def campaign_schemas() -> dict[str, Any]:
    """Return the schemas of campaigns' documents and of the gate's answer."""
    plan = _plan_properties()
    return {
        **_gate_schemas(),
        "CampaignPlan": {
            "type": "object",
            "title": "CampaignPlan",
            "description": "What is to be sent. A member that is null counts as absent.",
            "required": ["title", "audience"],
            "additionalProperties": False,
            "properties": plan,
            "examples": [_PLAN_EXAMPLE],
        },
        "CampaignChange": {
            "type": "object",
            "title": "CampaignChange",
            "description": "Members of the plan to change, as a JSON merge patch: null takes one away.",
            "additionalProperties": False,
            "properties": plan,
            "examples": [{"audience": 400_000, "release": {"wave_gap_seconds": 1_800}}],
        },
    }


def _gate_schemas() -> dict[str, Any]:
    reference = "#/components/schemas/{model}"
    answer = CampaignGateAnswer.model_json_schema(ref_template=reference)
    nested = answer.pop("$defs")
    problem = Problem.model_json_schema(ref_template=reference)
    members = ("type", "title", "status", "detail", "instance")
    return {
        **nested,
        "CampaignGateAnswer": answer,
        "CampaignGateProblem": answer
        | {
            "title": "CampaignGateProblem",
            "description": "No go: the same members as on 200, and those of a problem document.",
            "properties": answer["properties"] | {name: problem["properties"][name] for name in members},
            "required": [*answer["required"], *members],
        },
    }


def _plan_properties() -> dict[str, Any]:
    text = {"type": ["string", "null"], "maxLength": MAX_TEXT}
    at = {"type": ["string", "null"], "format": "date-time"}
    return {
        "id": {
            "type": ["string", "null"],
            "minLength": 1,
            "maxLength": MAX_ID,
            "pattern": "^[a-z0-9][a-z0-9-]*$",
            "description": f"{ID_RULE}; made from the title when left out",
        },
        "title": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT, "description": "what people call it"},
        "gate": text | {"default": DEFAULT_GATE, "description": "the gate it goes through"},
        "audience": {"type": "integer", "minimum": 1, "maximum": MAX_AUDIENCE, "description": "people it is sent to"},
        "owner": text | {"description": "who answers for it; default: the key's name"},
        "kind": text
        | {
            "description": "campaigns of one kind are learned from together; known from the start are "
            f"{listed(PRESETS_PER_1000)}",
            "examples": ["offer"],
        },
        "traffic_class": {
            "enum": [*(each.value for each in TrafficClass), None],
            "default": "promotional",
            "description": "why people get it; a policy may exempt classes",
        },
        "contacts_per_1000": {
            "type": ["number", "null"],
            "minimum": 0,
            "maximum": MAX_CONTACTS_PER_1000,
            "description": "contacts that 1,000 recipients are expected to cause",
        },
        "earliest_start": at | {"description": "default: as soon as it is scheduled"},
        "give_up_at": at | {"description": "deadline; nothing of it goes from then on"},
        "release": _release_schema(),
        "queue_mix": {
            "type": ["object", "null"],
            "minProperties": 1,
            "maxProperties": MOST_QUEUES,
            "additionalProperties": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            "description": "share of its contacts by queue, together 1; default: as campaigns of its kind did before",
        },
        "holdout_ratio": {
            "type": ["number", "null"],
            "minimum": 0,
            "maximum": MAX_HOLDOUT_RATIO,
            "default": 0,
            "description": "share of the audience, picked at random by its tool, that is sent nothing",
        },
        "sender": _sender_schema(),
    }


def _sender_schema() -> dict[str, Any]:
    tool_id = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID, "description": TOOL_ID_RULE}
    size = {"type": "integer", "minimum": 1, "maximum": MOST_RECIPIENTS}
    part = {
        "type": "object",
        "required": ["id"],
        "additionalProperties": False,
        "properties": {"id": tool_id, "recipients": size},
    }
    return {
        "type": ["object", "null"],
        "description": "the email tool that holdfire drives to send it; default: whoever sends it asks",
        "required": ["name", "campaigns"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "description": "as in [[senders]] of holdfire.toml"},
            "campaigns": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_PARTS,
                "items": {"anyOf": [tool_id, part]},
                "description": "the tool's own campaigns; of several each needs its size",
            },
        },
    }


def _release_schema() -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "additionalProperties": False,
        "description": "manual: when somebody starts it; when-ready: when its gate lets it; waves: in parts; "
        "by-tool: the email tool asks for its permits itself",
        "properties": {
            "mode": {"enum": [mode.value for mode in ReleaseMode], "default": "manual"},
            "audience_per_wave": {"type": ["integer", "null"], "minimum": 1, "description": "waves only"},
            "wave_gap_seconds": {
                "type": ["number", "null"],
                "minimum": 0,
                "maximum": MAX_GAP_SECONDS,
                "description": "waves only: from the opening of one to that of the next",
            },
        },
    }


_ANSWER_HEADERS = headers(
    {
        "Holdfire-Decision": "the decision",
        "Holdfire-Decision-Id": "under which it is in the log",
        "Cache-Control": "a go may be kept for 5 seconds, anything else not at all",
    }
)


def _no_go(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "headers": _ANSWER_HEADERS | headers({"Retry-After": "seconds after which asking again makes sense"}),
        "content": {"application/problem+json": {"schema": component("CampaignGateProblem")}},
    }


CAMPAIGN_GATE_PATH_ITEM: dict[str, Any] = {
    "get": {
        "tags": ["campaigns"],
        "operationId": "getCampaignGate",
        "summary": "May the next message of this campaign go now?",
        "description": (
            "For tools that ask before each message or batch. No side effects, answered from memory: 200 while a wave "
            "of the campaign is open and its gate says go, with `allow` left of it; 429 or 503 like readiness "
            "otherwise, also between waves. **Only 200, or 304 for the 200 you have, is a go.**"
        ),
        "security": [{"key": ["readiness"]}],
        "parameters": [
            {
                "name": "campaign_id",
                "in": "path",
                "required": True,
                "description": "the campaign's id",
                "schema": {"type": "string", "minLength": 1, "maxLength": 128},
                "example": "spring",
            },
            {
                "name": "If-None-Match",
                "in": "header",
                "description": "ETag of the go you have",
                "schema": {"type": "string"},
            },
        ],
        "responses": {
            "200": {
                "description": "Go: `allow` of the open wave may still be sent, under `permit_id`.",
                "headers": _ANSWER_HEADERS | headers({"ETag": "for If-None-Match"}),
                "content": {"application/json": {"schema": component("CampaignGateAnswer")}},
            },
            "304": {"description": "The go you have still stands.", "headers": _ANSWER_HEADERS},
            **{str(status): described for status, described in problems(404, 405, 422).items()},
            "429": _no_go("Hold: the gate holds, or no wave of the campaign is open."),
            "503": _no_go("It cannot be known (stale or missing data, no policy): hold."),
        },
    }
}
