"""Webhooks and their deliveries as their settings show them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.event import MEANINGS
from app.core.webhooks.subscription import TOLD
from app.core.webhooks.url import redacted
from app.ports.webhooks import Delivery, DeliveryState, Form, Webhook
from app.web.format import NONE
from app.web.moments import Moment, clock, full

PATH = "/settings/webhooks"
COLUMNS = ("id", "name", "url", "form", "types", "gate", "enabled", "created_at", "disabled_at", "disabled_reason")
DELIVERY_COLUMNS = (
    *("id", "event_seq", "type", "subject", "urgent", "state", "attempts", "created_at", "next_at", "last_at"),
    *("last_status", "last_detail"),
)
FORMS = {
    Form.STANDARD: "signed JSON, for programs",
    Form.SLACK: "a message, for Slack",
    Form.TEAMS: "a message, for Teams",
}
STATES = {
    DeliveryState.PENDING: ("throttle", "waiting"),
    DeliveryState.DELIVERED: ("send", "delivered"),
    DeliveryState.FAILED: ("hold", "failed"),
    DeliveryState.WITHDRAWN: ("neutral", "withdrawn"),
}


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """One receiver. url: scheme and host alone, because chat tools put their secret into the rest."""

    id: str
    name: str
    href: str
    url: str
    form: str
    told: str
    gate: str
    mark: str
    word: str
    is_enabled: bool
    why: str
    made: Moment
    former_until: Moment | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One message on its way, or how it ended. said: what the receiver answered last."""

    id: str
    event_seq: int
    type: str
    subject: str
    mark: str
    word: str
    at: Moment
    attempts: int
    next: Moment | None
    said: str
    may_retry: bool


@dataclass(frozen=True, slots=True)
class TypeGroup:
    """Event types with the same noun, each with what it means."""

    noun: str
    types: tuple[tuple[str, str], ...]


def webhook_row(webhook: Webhook, zone: ZoneInfo, now: datetime) -> WebhookRow:
    """Return a receiver as it is listed."""
    is_enabled = webhook.disabled_at is None
    until = webhook.former_until
    return WebhookRow(
        id=webhook.id,
        name=webhook.name,
        href=f"{PATH}/{webhook.id}",
        url=redacted(webhook.url),
        form=FORMS[webhook.form],
        told=told(webhook.types),
        gate=webhook.gate or "every gate",
        mark="send" if is_enabled else "neutral",
        word="on" if is_enabled else "off",
        is_enabled=is_enabled,
        why="" if is_enabled else webhook.disabled_reason,
        made=clock(webhook.created_at, zone, now),
        former_until=full(until, zone) if until and until > now else None,
    )


def told(types: Sequence[str]) -> str:
    """Return what a receiver is told, short."""
    if not types:
        return "everything that is told"
    shown = ", ".join(types[:3])
    return shown if len(types) <= 3 else f"{shown} and {len(types) - 3} more"  # noqa: PLR2004


def delivery_row(delivery: Delivery, zone: ZoneInfo, now: datetime, *, is_enabled: bool) -> DeliveryRow:
    """Return a delivery as it is listed; what was withdrawn is out of date, and is never sent again."""
    mark, word = STATES[delivery.state]
    return DeliveryRow(
        id=delivery.id,
        event_seq=delivery.event_seq,
        type=delivery.event_type,
        subject=delivery.subject,
        mark=mark,
        word=word,
        at=clock(delivery.created_at, zone, now),
        attempts=delivery.attempts,
        next=clock(delivery.next_at, zone, now) if delivery.next_at and word == "waiting" else None,
        said=_said(delivery),
        may_retry=is_enabled and delivery.state in {DeliveryState.FAILED, DeliveryState.DELIVERED},
    )


def _said(delivery: Delivery) -> str:
    status = "" if delivery.last_status is None else f"HTTP {delivery.last_status}"
    if status and delivery.last_detail and not delivery.last_detail.startswith(status):
        return f"{status} · {delivery.last_detail}"
    return delivery.last_detail or status or NONE


def type_groups() -> list[TypeGroup]:
    """Return all event types that are told, by their noun, in the order in which the reference has them."""
    nouns = dict.fromkeys(kind.value.partition(".")[0] for kind in TOLD)
    return [
        TypeGroup(noun, tuple((kind.value, MEANINGS[kind].text) for kind in TOLD if kind.value.startswith(f"{noun}.")))
        for noun in nouns
    ]


def cells(webhook: Webhook) -> Sequence[object]:
    """Return a receiver for a file, in the order of COLUMNS, without its secrets."""
    return (
        *(webhook.id, webhook.name, redacted(webhook.url), webhook.form.value, list(webhook.types), webhook.gate),
        *(webhook.disabled_at is None, webhook.created_at, webhook.disabled_at, webhook.disabled_reason or None),
    )


def delivery_cells(each: Delivery) -> Sequence[object]:
    """Return a delivery for a file, in the order of DELIVERY_COLUMNS, without its body."""
    return (
        *(each.id, each.event_seq, each.event_type, each.subject, each.urgent, each.state.value, each.attempts),
        *(each.created_at, each.next_at, each.last_at, each.last_status, each.last_detail or None),
    )
