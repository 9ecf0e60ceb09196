"""Deliveries for people: a Slack message and a Teams card. Shape and word say how it stands, never a colour alone.

What users wrote (reasons, names) goes only where Slack and Teams read no mark-up: nobody can be called by name, and no
link can be hidden in it. Sources: docs.slack.dev "Formatting with rich text"; adaptivecards.io schema 1.4, TextRun.
"""

import json
from collections.abc import Mapping
from typing import Any

from app.core.event import MEANINGS, Event, EventType
from app.core.webhooks.standard import shortened

MARKS: Mapping[EventType, str] = {
    EventType.DECISION_SEND: "● SEND",
    EventType.DECISION_THROTTLE: "▲ THROTTLE",
    EventType.DECISION_HOLD: "■ HOLD",
    EventType.DECISION_UNKNOWN: "◇ UNKNOWN",
    EventType.PERMIT_PAUSED: "■ STOP",
    EventType.PERMIT_REVOKED: "■ STOP",
    EventType.CAMPAIGN_PAUSED: "■ PAUSED",
    EventType.CAMPAIGN_CANCELLED: "■ CANCELLED",
}
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
_CARD = "application/vnd.microsoft.card.adaptive"


def slack_body(seq: int, event: Event) -> bytes:
    """Return a message for a Slack incoming webhook; `text` is what a notification shows."""
    title = headline(event)
    fields = [_slack_text(f"{name}: {value}") for name, value in facts(event)]
    blocks: list[dict[str, Any]] = [{"type": "section", "text": _slack_text(title)}]
    if fields:
        blocks.append({"type": "section", "fields": fields})
    blocks.append({"type": "context", "elements": [_slack_text(footer(seq, event))]})
    return _encoded(
        {"text": _slack_escaped(f"{title}: {shortened(event.reason, 300) or event.subject}"), "blocks": blocks}
    )


def teams_body(seq: int, event: Event) -> bytes:
    """Return a message for a Teams workflow webhook: one Adaptive Card of version 1.4."""
    body = [_teams_text(headline(event), weight="Bolder", size="Medium")]
    body += [_teams_text(f"{name}: {value}") for name, value in facts(event)]
    body.append(_teams_text(footer(seq, event), isSubtle=True))
    card = {"$schema": _SCHEMA, "type": "AdaptiveCard", "version": "1.4", "body": body}
    return _encoded({"type": "message", "attachments": [{"contentType": _CARD, "content": card}]})


def headline(event: Event) -> str:
    """Return what happened, in a line."""
    meaning = MEANINGS[event.type].text
    mark = MARKS.get(event.type)
    return f"{mark}: {meaning}" if mark else f"{meaning[0].upper()}{meaning[1:]}"


def facts(event: Event) -> list[tuple[str, str]]:
    """Return what a reader wants to know next, in order; what an event does not have is left out."""
    named = (
        ("Gate", event.gate),
        ("Campaign", event.campaign),
        ("Subject", event.subject if event.subject != f"gate/{event.gate}" else None),
        ("Why", event.reason),
        ("Who", event.actor.name),
    )
    return [(name, shortened(value, 500)) for name, value in named if value]


def footer(seq: int, event: Event) -> str:
    """Return type, time and place in the book."""
    return f"{event.type} · {event.at:%Y-%m-%d %H:%M:%S} UTC · event {seq}"


def _slack_text(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _slack_escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams_text(text: str, **style: object) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _encoded(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
