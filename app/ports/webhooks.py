"""Who is told by webhook, and what is still to be delivered."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from app.core.event import Event
from app.core.webhooks.form import Form as Form
from app.ports.callbacks import ASK_PREFIX

# Returns every address of a host and port, as the system's resolver reads it; none when it has none.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


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
    """Where a delivery stands. withdrawn: before it got through, something newer said the opposite."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one receiver. attempts counts tries; next_at: when the next is due.

    id is the message's `webhook-id`: the same on every try, so that a receiver can tell repeats. event_seq is the
    event's place in the book, 0 for the answer to a waiting permit request. subject and campaign are the event's.
    """

    id: str
    receiver_id: str
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
    subject: str = ""
    campaign: str | None = None


class Receiver(NamedTuple):
    """Where a delivery goes, and the secrets that sign it, the newest first."""

    url: str
    secrets: Sequence[str]


class Lane(NamedTuple):
    """One receiver's urgent deliveries, or its others: of each lane one is on its way at a time."""

    receiver_id: str
    urgent: bool

    @property
    def is_asker(self) -> bool:
        """Whether the receiver waits for a permit: it is told one thing, once."""
        return self.receiver_id.startswith(ASK_PREFIX)

    @property
    def may_stop(self) -> bool:
        """Whether what goes this way may tell somebody to stop."""
        return self.urgent and not self.is_asker


class Due(NamedTuple):
    """What may be sent now, and when the next of the lanes looked at is due (None: nothing of theirs is).

    waiting: how many deliveries are pending, busy lanes included.
    """

    deliveries: Sequence[Delivery]
    next_at: datetime | None
    waiting: int


class WebhookStore(Protocol):
    """Receivers and the outbox. Rows of the outbox are written with the event they tell of."""

    async def add_webhook(self, webhook: Webhook, event: Event) -> None:
        """Add a receiver."""

    async def webhook(self, webhook_id: str) -> Webhook:
        """Return one. Raises NotFound."""

    async def webhooks(self) -> Sequence[Webhook]:
        """Return all, oldest first."""

    async def save_webhook(self, webhook: Webhook, event: Event, *, expected: int) -> None:
        """Replace one; what waits for one that is disabled now has failed.

        Raises NotFound, or Conflict unless `expected` is its present revision.
        """

    async def delete_webhook(self, webhook_id: str, event: Event) -> None:
        """Delete a receiver with everything that was or is to be delivered to it. Raises NotFound."""

    async def test_webhook(self, webhook_id: str, event: Event) -> str:
        """Put out a test to one receiver and return the delivery's id. Raises NotFound, or Conflict when disabled."""

    async def due(self, at: datetime, busy: Collection[Lane] = ()) -> Due:
        """Return, of each lane that is not busy, the pending delivery that goes next if it is due at `at`.

        Webhooks' urgent ones come first, then those to waiting askers, of whom only the 20 due first are returned, then
        the others. In a lane the one that became due first goes next; but an urgent one waits while an
        earlier urgent one is still in its fast tries, so that a receiver hears them in order.
        """

    async def save_delivery(self, delivery: Delivery, disable: tuple[Webhook, Event] | None = None) -> bool:
        """Write down a try's outcome, unless the delivery is no longer pending (False: it was withdrawn meanwhile).

        With `disable` its receiver is replaced in the same transaction, and what else waits for it has failed.
        """

    async def delivery(self, receiver_id: str, delivery_id: str) -> Delivery:
        """Return one. Raises NotFound."""

    async def deliveries(
        self,
        receiver_id: str,
        *,
        state: DeliveryState | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Delivery]:
        """Return deliveries newest first by (created_at, id)."""

    async def retry(self, receiver_id: str, delivery_id: str, at: datetime) -> Delivery:
        """Make a delivery pending again, due now, with its tries counted on.

        Raises NotFound, or Conflict for one that was withdrawn.
        """

    def on_new(self, wake: Callable[[], None]) -> None:
        """Call `wake`, from any thread, after new deliveries became durable."""

    async def prune_deliveries(self, before: datetime) -> int:
        """Delete ended deliveries created before that; return how many."""
