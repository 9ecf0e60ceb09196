"""Who is told by webhook, and what is still to be delivered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.core.event import Event


class Form(StrEnum):
    """How a delivery's body is written."""

    STANDARD = "standard"
    SLACK = "slack"
    TEAMS = "teams"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One receiver. secret is kept as text, for signing. types (): everything that is told.

    former_secret signs beside secret until former_until, so that a receiver can change over.
    """

    id: str
    name: str
    url: str
    form: Form
    types: tuple[str, ...]
    secret: str
    created_at: datetime
    gate: str | None = None
    former_secret: str | None = None
    former_until: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: str = ""
    revision: int = 1


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one receiver. attempts counts tries; next_at: when the next is due.

    id is the message's `webhook-id`: the same on every try, so that a receiver can tell repeats.
    """

    id: str
    webhook_id: str
    event_seq: int
    event_type: str
    urgent: bool
    payload: bytes
    created_at: datetime
    state: DeliveryState
    attempts: int
    next_at: datetime | None
    last_at: datetime | None = None
    last_status: int | None = None
    last_detail: str = ""


class WebhookStore(Protocol):
    """Receivers and the outbox. Rows of the outbox are written with the event they tell of."""

    async def add_webhook(self, webhook: Webhook, event: Event) -> None:
        """Add a receiver."""

    async def webhook(self, webhook_id: str) -> Webhook:
        """Return one. Raises NotFound."""

    async def webhooks(self) -> Sequence[Webhook]:
        """Return all, oldest first."""

    async def save_webhook(self, webhook: Webhook, event: Event, *, expected: int) -> None:
        """Replace one. Raises NotFound, or Conflict unless `expected` is its present revision."""

    async def delete_webhook(self, webhook_id: str, event: Event) -> None:
        """Delete a receiver with what is still to be delivered to it. Raises NotFound."""

    async def due(self, at: datetime, limit: int = 100) -> Sequence[Delivery]:
        """Return pending deliveries with next_at not after `at`, urgent ones first, then as they became due."""

    async def next_due_at(self) -> datetime | None:
        """Return when the next pending delivery is due, None when none is pending."""

    async def save_delivery(self, delivery: Delivery, disable: tuple[Webhook, Event] | None = None) -> None:
        """Replace a delivery's outcome; with `disable`, disable its receiver in the same transaction."""

    async def delivery(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Return one. Raises NotFound."""

    async def deliveries(
        self,
        webhook_id: str,
        *,
        state: DeliveryState | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Delivery]:
        """Return deliveries newest first by (created_at, id)."""

    async def retry(self, webhook_id: str, delivery_id: str, at: datetime) -> Delivery:
        """Make a delivery pending again, due now, with its tries counted on. Raises NotFound."""

    def on_new(self, wake: Callable[[], None]) -> None:
        """Call `wake`, from any thread, after new deliveries became durable."""

    async def prune_deliveries(self, before: datetime) -> int:
        """Delete ended deliveries created before that; return how many."""
