"""How OpenAPI describes what routes read themselves: observations, contact events and policies, from the core's own."""

from datetime import datetime
from typing import Any, get_type_hints

from app.core.campaign.campaign import TrafficClass
from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.fields import LARGEST, LONGEST_WINDOW_SECONDS, NAME_LENGTH
from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.observation import Observation
from app.core.gate.policy import LONGEST_NOTICE_MINUTES, LONGEST_OVERRIDE_MINUTES, default_policy_document

Schema = dict[str, Any]

_COUNTED = {
    "offered": "contacts that came in the window",
    "answered": "contacts answered in the window",
    "abandoned": "contacts that gave up in the window",
    "answered_within_target": "of those answered, how many within the target",
    "wait_seconds_sum": "summed wait of those answered",
    "handle_seconds_sum": "summed handle time of contacts handled in the window",
}
_OF_CONTACTS = {
    "contact_id": "one stay of one customer in one queue; never a name or a number",
    "queue": "where the contact waits, as its source names it",
    "source": "who says so",
    "channel": "how it arrived: voice, chat, email, …",
    "agent": "the agent's own identifier, where one has to do with it",
    "campaign": "the campaign that caused it, where known",
    "reason": "why it was made, in your own words; nothing of the caller",
}
_OF_POLICY = {
    "time_zone": "IANA name; send windows are in it",
    "mode": "shadow: decide and record, and hold nobody",
    "stale_after_seconds": "data that old is not used",
    "rules": "a limit to hold and one to resume, for a metric each",
    "send_windows": "local hours in which sends may go: days, from, to; without any: always",
    "max_audience_per_wave": "so many may be out at once",
    "max_audience_per_hour": "so many in an hour",
    "notice_minutes": "a campaign must have been announced that long",
    "briefing": "required: its briefing must be acknowledged",
    "exempt_traffic_classes": "such campaigns go whatever the gate says",
    "max_override_minutes": "no override may last longer",
}


def observation_schema() -> Schema:
    """Return the schema of an observation, from the core's own record."""
    hints = get_type_hints(Observation)
    properties = {name: _observation_field(name, hint) for name, hint in hints.items()}
    properties["queue"] |= {"description": "where contacts wait, as its source names it"}
    properties["channel"] |= {"description": "how contacts arrive: voice, chat, email, …"}
    for name, text in _COUNTED.items():
        properties[name] |= {"description": text}
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
    properties["event"] = {"type": "string", "enum": list(ContactEventKind), "description": "what happened"}
    properties["at"] = {"type": "string", "format": "date-time", "description": "when, by the source's clock"}
    for name, text in _OF_CONTACTS.items():
        properties[name] |= {"description": text}
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
    schema: Schema = {
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
    for name, text in _OF_POLICY.items():
        schema["properties"][name]["description"] = text
    return schema


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
