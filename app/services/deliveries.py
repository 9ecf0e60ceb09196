"""Deliveries: what goes to receivers next, signed and checked, and what follows from how they answered.

At least once: a try is written down after the answer, so what a crash cuts off is sent again, under the same id.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from standardwebhooks import Webhook as Signer

from app import __version__
from app.core.event import HOLDFIRE, Event, EventType
from app.core.webhooks.schedule import next_wait_seconds
from app.errors import Conflict, Invalid, NotFound
from app.ports.callbacks import ASK_PREFIX
from app.ports.clock import Clock
from app.ports.webhooks import Delivery, DeliveryState, Due, Lane, Receiver, Webhook, WebhookStore
from app.services.destinations import Destination, Destinations
from app.services.webhooks import told

KEPT = timedelta(days=30)
GONE = 410
LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class Message:
    """One try, ready to be sent."""

    destination: Destination
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try ended. status None: no answer came. retry_after_seconds: what the receiver asked for, on the wall.

    is_final: there is no use in trying again.
    """

    status: int | None
    detail: str
    retry_after_seconds: float = 0.0
    is_final: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the receiver took it: any 2xx."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  the class of success


def wall_now() -> datetime:
    """Return the machine's own time, by which receivers check how old a signature is."""
    return datetime.now(UTC)


class Deliveries:
    """The outbox as its worker needs it.

    asker returns where the message to a waiting asker goes (services.callbacks); askers_destinations checks that, so
    that no asker's slow names hold up webhooks. why_not tells why a webhook's message must not go out now, None
    where it may (services.still_true). counted is told each try's outcome (delivered, retried, failed, withdrawn),
    waits how many deliveries are pending.
    """

    def __init__(
        self,
        store: WebhookStore,
        destinations: Destinations,
        clock: Clock,
        *,
        asker: Callable[[Delivery], Awaitable[Receiver]] | None = None,
        askers_destinations: Destinations | None = None,
        why_not: Callable[[Delivery], Awaitable[str | None]] | None = None,
        counted: Callable[[str], None] = lambda _outcome: None,
        waits: Callable[[int], None] = lambda _pending: None,
        jitter: Callable[[], float] = random.random,
        wall: Callable[[], datetime] = wall_now,
    ) -> None:
        self._store, self._destinations, self._clock = store, destinations, clock
        self._asker, self._askers_destinations = asker, askers_destinations or destinations
        self._why_not = why_not
        self._counted, self._waits, self._jitter, self._wall = counted, waits, jitter, wall
        self._new = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        store.on_new(self._wake)

    async def due(self, busy: Collection[Lane] = ()) -> Due:
        """Return what may be sent now, of lanes that are not busy."""
        self._loop = asyncio.get_running_loop()
        self._new.clear()
        due = await self._store.due(self._clock.now(), busy)
        self._waits(due.waiting)
        return due

    async def new(self) -> None:
        """Return once something was put out since the last look at what is due."""
        await self._new.wait()

    async def look_soon(self) -> None:
        """Look at what is due soon: another process may have put something out."""
        self._new.set()

    def _wake(self) -> None:
        """Called on the writer thread. Before the first look nobody waits, and a stopped loop needs no waking."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._new.set)

    def wall_seconds_until(self, at: datetime) -> float:
        """Return how long to wait for an instant of the clock; 0 when it is past."""
        return max(0.0, self._clock.wall_seconds((at - self._clock.now()).total_seconds()))

    async def prepared(self, delivery: Delivery) -> Message:
        """Return a try, signed, its destination checked now.

        Raises Invalid when it may not go there now, Conflict when it is out of date, NotFound.
        """
        receiver = await self._receiver(delivery)
        destinations = self._askers_destinations if _is_of_asker(delivery) else self._destinations
        destination = await destinations.of(receiver.url)
        return Message(destination, self._headers(delivery, receiver.secrets), delivery.payload)

    async def settle(self, delivery: Delivery, outcome: Outcome) -> DeliveryState:
        """Write down how a try ended and return where the delivery stands now. Raises NotDurable."""
        after = self._after(delivery, outcome)
        is_gone = outcome.status == GONE and not _is_of_asker(delivery)
        saved = await (self._disable(after) if is_gone else self._store.save_delivery(after))
        state = after.state if saved else DeliveryState.WITHDRAWN
        self._counted("retried" if state is DeliveryState.PENDING else state.value)
        return state

    async def prune(self) -> int:
        """Forget deliveries that ended, 30 days after they were put out; return how many."""
        return await self._store.prune_deliveries(self._clock.now() - KEPT)

    def _headers(self, delivery: Delivery, secrets: Sequence[str]) -> Mapping[str, str]:
        at, body = self._wall(), delivery.payload.decode()
        return {
            "content-type": "application/json; charset=utf-8",
            "user-agent": f"holdfire/{__version__}",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(Signer(secret).sign(delivery.id, at, body) for secret in secrets),
        }

    async def _receiver(self, delivery: Delivery) -> Receiver:
        if _is_of_asker(delivery) and self._asker is not None:
            return await self._asker(delivery)
        if self._why_not is not None and (reason := await self._why_not(delivery)) is not None:
            raise Invalid(f"it says go, and {reason}")
        webhook = await self._store.webhook(delivery.receiver_id)
        return Receiver(webhook.url, self._secrets(webhook))

    def _secrets(self, webhook: Webhook) -> Sequence[str]:
        former, until = webhook.former_secret, webhook.former_until
        if former is None or until is None or until <= self._clock.now():
            return [webhook.secret]
        return [webhook.secret, former]

    def _after(self, delivery: Delivery, outcome: Outcome) -> Delivery:
        now, tries = self._clock.now(), delivery.attempts + 1
        tried = replace(
            delivery,
            attempts=tries,
            next_at=None,
            last_at=now,
            last_status=outcome.status,
            last_detail=outcome.detail[:LONGEST_DETAIL],
        )
        if outcome.is_success:
            return replace(tried, state=DeliveryState.DELIVERED)
        wait = next_wait_seconds(
            tries,
            urgent=delivery.urgent,
            jitter=self._jitter(),
            asked_seconds=outcome.retry_after_seconds / self._clock.wall_seconds(1.0),
        )
        if wait is None or outcome.status == GONE or outcome.is_final:
            return replace(tried, state=DeliveryState.FAILED)
        return replace(tried, next_at=now + timedelta(seconds=wait))

    async def _disable(self, delivery: Delivery) -> bool:
        """Disable the receiver in the transaction that ends the delivery; again on top of a change made meanwhile."""
        while True:
            try:
                before = await self._store.webhook(delivery.receiver_id)
                return await self._store.save_delivery(delivery, self._disabled(before))
            except Conflict:
                continue
            except NotFound:
                return False

    def _disabled(self, before: Webhook) -> tuple[Webhook, Event] | None:
        if before.disabled_at is not None:
            return None
        now, reason = self._clock.now(), "its receiver answered 410 Gone"
        after = replace(before, disabled_at=now, disabled_reason=reason, revision=before.revision + 1)
        event = Event(
            EventType.WEBHOOK_DISABLED,
            now,
            HOLDFIRE,
            f"webhook/{before.id}",
            reason,
            before.gate,
            before=told(before),
            after=told(after),
        )
        return after, event


def unsent(fault: Invalid | NotFound | Conflict) -> Outcome:
    """Return the outcome of a try that could not be made; only what may not go there now may go later."""
    return Outcome(None, f"not sent: {fault}", is_final=not isinstance(fault, Invalid))


def _is_of_asker(delivery: Delivery) -> bool:
    return delivery.receiver_id.startswith(ASK_PREFIX)
