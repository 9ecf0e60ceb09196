"""The OpenAPI 3.1 document: FastAPI's, with our problems, the bodies that routes read themselves, and readiness."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app import __version__
from app.api.backtest_shapes import BacktestGiven
from app.api.briefings import AcknowledgementGiven, BriefingGiven
from app.api.calendar import CalendarTokenGiven
from app.api.campaign_gate import PATH as CAMPAIGN_GATE_PATH
from app.api.campaign_reference import CAMPAIGN_GATE_PATH_ITEM, campaign_schemas
from app.api.campaign_shapes import StepGiven
from app.api.displays import DisplayGiven
from app.api.gates import GateGiven
from app.api.health import not_ready_schema
from app.api.input_schemas import contact_schema, observation_schema, policy_schema
from app.api.keys import KeyChange, KeyGiven
from app.api.notes import NoteGiven
from app.api.overrides import OverrideGiven
from app.api.permits_reference import RevocationGiven, permit_schemas
from app.api.queues import QueueTargetsGiven
from app.api.readiness_reference import READINESS_PATH_ITEM, readiness_schemas
from app.api.schemas import Problem
from app.api.staffing_shapes import staffing_schemas
from app.api.users import InvitationGiven, UserChange
from app.api.values import ValueGiven
from app.api.webhook_shapes import WebhookChange, WebhookGiven

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
    {"name": "staffing", "description": "Who will be there: schedules and opening hours."},
    {"name": "history", "description": "What was."},
    {"name": "gates", "description": "Named decisions over sets of queues."},
    {"name": "policies", "description": "A gate's rules, versioned."},
    {"name": "overrides", "description": "A gate's answer, set by hand for a time and a reason."},
    {"name": "permits", "description": "Headroom, reserved: so many may go, until then, unless told to stop."},
    {"name": "campaigns", "description": "What is to be sent, its briefing, and its release in waves."},
    {"name": "calendar", "description": "Campaigns in people's own calendars."},
    {"name": "displays", "description": "Screens on the wall, each with a token of its own."},
    {"name": "outlook", "description": "What a send would do to the floor, and how it can be sent safely."},
    {"name": "decisions", "description": "Every change of a gate and every answer given, with its reasons."},
    {"name": "events", "description": "Everything that happened: who, what, when, why."},
    {"name": "notes", "description": "What people and programs want everybody to know about a day."},
    {"name": "webhooks", "description": "Who is told, and what was delivered."},
    {"name": "keys", "description": "Which programs may ask and tell."},
    {"name": "users", "description": "Which people may sign in, and as what."},
    {"name": "sources", "description": "How those who bring data are doing."},
    {"name": "senders", "description": "How the email tools that holdfire drives are doing."},
    {"name": "health", "description": "For orchestrators and load balancers."},
]
MODELS = (
    Problem,
    GateGiven,
    KeyChange,
    KeyGiven,
    InvitationGiven,
    UserChange,
    OverrideGiven,
    NoteGiven,
    StepGiven,
    BacktestGiven,
    QueueTargetsGiven,
    BriefingGiven,
    AcknowledgementGiven,
    CalendarTokenGiven,
    DisplayGiven,
    WebhookGiven,
    WebhookChange,
    RevocationGiven,
    ValueGiven,
)
_CAME = {
    "201": "It was made.",
    "202": "It was taken, and is being done.",
    "204": "It is done; there is nothing to show.",
}
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
    for model in MODELS:
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
        **staffing_schemas(),
    }
    whole["paths"] = {
        "/api/v1/readiness": READINESS_PATH_ITEM,
        **whole["paths"],
        CAMPAIGN_GATE_PATH: CAMPAIGN_GATE_PATH_ITEM,
    }
    _replace_validation_errors(whole["paths"])
    _say_what_came_of_it(whole["paths"])
    return whole


def _say_what_came_of_it(paths: Schema) -> None:
    """Put a sentence where FastAPI only says that the response was successful."""
    for operations in paths.values():
        for method, operation in operations.items():
            for status, described in operation["responses"].items():
                if described["description"] == "Successful Response":
                    described["description"] = _CAME.get(status) or (
                        "It was found." if method == "get" else "It is done."
                    )


def _replace_validation_errors(paths: Schema) -> None:
    """Describe FastAPI's own 422 as what we really answer."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in paths.values():
        for operation in operations.values():
            refused = operation["responses"].get("422") if isinstance(operation, dict) else None
            if refused and "HTTPValidationError" in str(refused):
                refused |= {"description": "The input was refused", "content": problem}
