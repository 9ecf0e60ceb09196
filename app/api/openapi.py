"""The OpenAPI 3.1 document: FastAPI's, with our problems, the bodies that routes read themselves, and readiness."""

from datetime import datetime
from typing import Any, get_type_hints

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app import __version__
from app.api.briefings import AcknowledgementGiven, BriefingGiven
from app.api.calendar import CalendarTokenGiven
from app.api.campaign_gate import PATH as CAMPAIGN_GATE_PATH
from app.api.campaign_reference import CAMPAIGN_GATE_PATH_ITEM, campaign_schemas
from app.api.campaign_shapes import StepGiven
from app.api.gates import GateGiven
from app.api.health import not_ready_schema
from app.api.keys import KeyChange, KeyGiven
from app.api.overrides import OverrideGiven
from app.api.permits_reference import RevocationGiven, permit_schemas
from app.api.queues import QueueTargetsGiven
from app.api.readiness_reference import READINESS_PATH_ITEM, readiness_schemas
from app.api.schemas import Problem
from app.api.webhook_shapes import WebhookChange, WebhookGiven
from app.core.campaign.campaign import TrafficClass
from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.fields import LARGEST, LONGEST_WINDOW_SECONDS, NAME_LENGTH
from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.observation import Observation
from app.core.gate.policy import LONGEST_NOTICE_MINUTES, LONGEST_OVERRIDE_MINUTES, default_policy_document

Schema = dict[str, Any]

DESCRIPTION = """\
holdfire answers whether a send may go **now**: 200 is a go for what was asked, everything else is not.

* Instants are RFC 3339 with a zone and answered in UTC; durations are seconds, ratios 0 to 1.
* Every error is `application/problem+json` (RFC 9457); match on `type`, read `errors`, quote `request_id`.
* Lists that grow come in pages: pass `next_cursor` as `cursor`, or follow the `Link` header.
* Keys go into the `Authorization` header, never into a URL. Each operation names the scope it needs; `admin` has all.
"""
TAGS = [
    {"name": "readiness", "description": "May this send go now?"},
    {"name": "ingest", "description": "What happens on the floor, told by the systems that know."},
    {"name": "floor", "description": "Every queue as it is now."},
    {"name": "queues", "description": "What people set per queue."},
    {"name": "history", "description": "What was."},
    {"name": "gates", "description": "Named decisions over sets of queues."},
    {"name": "policies", "description": "A gate's rules, versioned."},
    {"name": "overrides", "description": "A gate's answer, set by hand for a time and a reason."},
    {"name": "permits", "description": "Headroom, reserved: so many may go, until then, unless told to stop."},
    {"name": "campaigns", "description": "What is to be sent, its briefing, and its release in waves."},
    {"name": "calendar", "description": "Campaigns in people's own calendars."},
    {"name": "decisions", "description": "Every change of a gate and every answer given, with its reasons."},
    {"name": "events", "description": "Everything that happened: who, what, when, why."},
    {"name": "webhooks", "description": "Who is told, and what was delivered."},
    {"name": "keys", "description": "Who may ask and tell."},
    {"name": "sources", "description": "How those who bring data are doing."},
    {"name": "health", "description": "For orchestrators and load balancers."},
]
_MODELS = (
    Problem,
    GateGiven,
    KeyChange,
    KeyGiven,
    OverrideGiven,
    StepGiven,
    QueueTargetsGiven,
    BriefingGiven,
    AcknowledgementGiven,
    CalendarTokenGiven,
    WebhookGiven,
    WebhookChange,
    RevocationGiven,
)
_REPLACED = ("HTTPValidationError", "ValidationError")


def install_openapi(app: FastAPI) -> None:
    """Make `app.openapi()`, and with it /openapi.json and /docs, give our document."""

    def openapi() -> Schema:
        if not app.openapi_schema:
            app.openapi_schema = document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def document(app: FastAPI) -> Schema:
    """Return the whole document of an app."""
    whole = get_openapi(
        title="holdfire",
        version=__version__,
        summary="The send gate between marketing and the contact center.",
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
        servers=[{"url": "/"}],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    schemas = whole["components"]["schemas"]
    for name in _REPLACED:
        schemas.pop(name, None)
    for model in _MODELS:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    schemas |= {
        "Observation": observation_schema(),
        "ContactEvent": contact_schema(),
        "PolicyDocument": policy_schema(),
        "NotReady": not_ready_schema(),
        **readiness_schemas(),
        **permit_schemas(),
        **campaign_schemas(),
    }
    whole["paths"] = {
        "/api/v1/readiness": READINESS_PATH_ITEM,
        **whole["paths"],
        CAMPAIGN_GATE_PATH: CAMPAIGN_GATE_PATH_ITEM,
    }
    _replace_validation_errors(whole["paths"])
    return whole


def _replace_validation_errors(paths: Schema) -> None:
    """Describe FastAPI's own 422 as what we really answer."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in paths.values():
        for operation in operations.values():
            refused = operation["responses"].get("422") if isinstance(operation, dict) else None
            if refused and "HTTPValidationError" in str(refused):
                refused |= {"description": "The input was refused", "content": problem}


def observation_schema() -> Schema:
    """Return the schema of an observation, from the core's own record."""
    hints = get_type_hints(Observation)
    properties = {name: _observation_field(name, hint) for name, hint in hints.items()}
    properties["observed_at"] |= {"description": "the source's time, any offset; at most 5 min ahead of ours"}
    properties["source"] |= {"description": "who measured; default: the key's name"}
    properties["window_seconds"] |= {
        "exclusiveMinimum": 0,
        "maximum": LONGEST_WINDOW_SECONDS,
        "description": "the span, ending at observed_at, that averages, counts and sums are over",
    }
    return {
        "type": "object",
        "title": "Observation",
        "description": "One source's measurement of one queue at one instant. Absent means not reported, never zero.",
        "required": ["queue", "observed_at"],
        "additionalProperties": False,
        "properties": properties,
    }


def _observation_field(name: str, hint: Any) -> Schema:
    if hint is datetime:
        return {"type": "string", "format": "date-time"}
    if hint in (str, str | None):
        return _name(nullable=hint == str | None)
    kind = "integer" if hint == int | None else "number"
    schema: Schema = {"type": [kind, "null"], "minimum": 0, "maximum": 1 if name.endswith("_ratio") else LARGEST}
    if name in set(Metric):
        schema["description"] = DEFINITIONS[Metric(name)].meaning
    return schema


def contact_schema() -> Schema:
    """Return the schema of a contact event, from the core's own record."""
    hints = get_type_hints(ContactEvent)
    properties = {name: _name(nullable=hint == str | None) for name, hint in hints.items()}
    properties["contact_id"] |= {"description": "one stay of one customer in one queue; never a name or a number"}
    properties["event"] = {"type": "string", "enum": list(ContactEventKind)}
    properties["at"] = {"type": "string", "format": "date-time"}
    return {
        "type": "object",
        "title": "ContactEvent",
        "description": "One thing that happened to one contact. Names and numbers of callers are never accepted.",
        "required": ["contact_id", "queue", "event", "at", "source"],
        "additionalProperties": False,
        "properties": properties,
    }


def _name(*, nullable: bool) -> Schema:
    return {"type": ["string", "null"] if nullable else "string", "minLength": 1, "maxLength": NAME_LENGTH}


def policy_schema() -> Schema:
    """Return the schema of a policy document in outline; saving says exactly what is wrong with one."""
    return {
        "type": "object",
        "title": "PolicyDocument",
        "description": "Which queues a gate watches, its rules with a limit to hold and one to resume; send windows.",
        "required": ["queues", "rules"],
        "properties": {
            "queues": {"type": "array", "minItems": 1, "items": {"type": "string"}, "description": "names or patterns"},
            "time_zone": {"type": "string", "examples": ["America/Chicago"]},
            "mode": {"enum": ["enforce", "shadow"]},
            "stale_after_seconds": {"type": "number", "exclusiveMinimum": 0},
            "rules": {"type": "array", "items": _rule_schema()},
            "send_windows": {"type": "array", "items": {"type": "object"}},
            "max_audience_per_wave": {"type": "integer", "minimum": 1},
            "max_audience_per_hour": {"type": "integer", "minimum": 1},
            "notice_minutes": {"type": "number", "minimum": 0, "maximum": LONGEST_NOTICE_MINUTES},
            "briefing": {"enum": ["required", "optional"]},
            "exempt_traffic_classes": {"type": "array", "minItems": 1, "items": {"enum": list(TrafficClass)}},
            "max_override_minutes": {"type": "number", "minimum": 1, "maximum": LONGEST_OVERRIDE_MINUTES},
        },
        "examples": [default_policy_document()],
    }


def _rule_schema() -> Schema:
    numbers = ("hold_above", "resume_below", "hold_below", "resume_above", "hold_for_seconds", "resume_for_seconds")
    return {
        "type": "object",
        "required": ["metric"],
        "properties": {
            "metric": {"enum": list(Metric)},
            **{name: {"type": "number"} for name in numbers},
            "window_seconds": {"type": "number", "exclusiveMinimum": 0},
            "min_samples": {"type": "integer", "minimum": 0},
            "on_missing": {"enum": ["unknown", "ignore"]},
        },
    }
