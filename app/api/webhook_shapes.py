"""What /webhooks is sent and answers."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.api.deps import Name
from app.api.schemas import Given, Shape, text_at
from app.core.webhooks.url import LONGEST_URL
from app.ports.webhooks import Delivery, DeliveryState, Form, Webhook
from app.services.shapes import instant
from app.services.webhooks import MAX_NAME

_TYPES = "event types to be told of; all that are told where empty"
_EXAMPLE: JsonDict = {
    "name": "campaign tool",
    "url": "https://hooks.example.com/holdfire",
    "types": ["permit.paused", "decision.hold"],
}
Text = Annotated[str, Field(min_length=1, max_length=MAX_NAME, description="what people call it")]
Url = Annotated[
    str, Field(min_length=1, max_length=LONGEST_URL, description="where to POST; public, or in allowed networks")
]
Types = Annotated[
    list[str],
    Field(max_length=100, default_factory=list, description=_TYPES),
]

FormGiven = Annotated[
    Form, Field(strict=False, description="standard: signed JSON for programs; slack, teams: a message for people")
]


class WebhookGiven(Given):
    """A new webhook. gate null: events of every gate."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: Text
    url: Url
    form: FormGiven = Form.STANDARD
    types: Types
    gate: Annotated[Name | None, Field(description="only what happens there; null: everywhere")] = None


class WebhookChange(Given):
    """What is to change of a webhook; members left out stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"types": ["permit.paused"], "enabled": True}]})

    name: Text = ""
    url: Url = ""
    form: FormGiven = Form.STANDARD
    types: Types
    gate: Annotated[Name | None, Field(description="only what happens there; null: everywhere")] = None
    enabled: Annotated[bool, Field(description="false: nothing is sent, and what waits is dropped")] = True


class WebhookShape(Shape):
    """A webhook without its secret."""

    id: str
    name: str
    url: str
    form: Form
    types: list[str] = Field(description=_TYPES)
    gate: str | None
    enabled: bool
    created_at: str = text_at()
    disabled_at: str | None = text_at()
    disabled_reason: str | None
    former_secret_until: str | None = Field(description="until then the secret before this one signs, too")
    revision: int


class NewWebhook(WebhookShape):
    """A webhook with its secret, this once."""

    secret: str = Field(description="verify deliveries with it; it cannot be shown again", examples=["whsec_…"])


class WebhookList(Shape):
    """All webhooks, oldest first."""

    items: list[WebhookShape]


class DeliveryShape(Shape):
    """A message on its way to a receiver, or how it ended."""

    id: str = Field(description="the message's `webhook-id`, the same on every try")
    event_seq: int = Field(description="the event's place in the audit log")
    type: str
    subject: str
    urgent: bool
    state: DeliveryState
    attempts: int
    created_at: str = text_at()
    next_at: str | None = text_at()
    last_at: str | None = text_at()
    last_status: int | None = Field(description="HTTP status of the last answer, null when none came")
    last_detail: str | None


class DeliveryPage(Shape):
    """A page of deliveries, newest first."""

    items: list[DeliveryShape]
    next_cursor: str | None = Field(description="null on the last page")


def webhook_shape(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook as it may be shown, without its secrets."""
    disabled = webhook.disabled_at is not None
    return {
        "id": webhook.id,
        "name": webhook.name,
        "url": webhook.url,
        "form": webhook.form,
        "types": webhook.types,
        "gate": webhook.gate,
        "enabled": not disabled,
        "created_at": instant(webhook.created_at),
        "disabled_at": instant(webhook.disabled_at),
        "disabled_reason": webhook.disabled_reason if disabled else None,
        "former_secret_until": instant(webhook.former_until),
        "revision": webhook.revision,
    }


def delivery_shape(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as it may be shown, without its body."""
    return {
        "id": delivery.id,
        "event_seq": delivery.event_seq,
        "type": delivery.event_type,
        "subject": delivery.subject,
        "urgent": delivery.urgent,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "created_at": instant(delivery.created_at),
        "next_at": instant(delivery.next_at),
        "last_at": instant(delivery.last_at),
        "last_status": delivery.last_status,
        "last_detail": delivery.last_detail or None,
    }
