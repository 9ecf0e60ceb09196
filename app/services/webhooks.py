"""Webhooks: receivers made, changed, tested; deliveries listed and tried again. Sending is app.services.deliveries."""

import base64
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.event import Actor, Event, EventType
from app.core.problem import Problem
from app.core.webhooks.subscription import TOLD
from app.core.webhooks.url import redacted
from app.errors import Conflict, Invalid
from app.ports.clock import Clock
from app.ports.webhooks import Delivery, DeliveryState, Form, Webhook, WebhookStore
from app.services.destinations import Destinations

MAX_WEBHOOKS = 100
MAX_NAME = 100
SECRET_BYTES = 32
BOTH_SECRETS = timedelta(hours=24)
BY_HAND = "disabled by hand"
GateNames = Callable[[], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class WebhookPlan:
    """What a user says of a receiver. types (): everything that is told; gate None: of every gate."""

    name: str
    url: str
    form: Form = Form.STANDARD
    types: tuple[str, ...] = ()
    gate: str | None = None
    enabled: bool = True


class Webhooks:
    """Receivers and their deliveries."""

    def __init__(self, store: WebhookStore, destinations: Destinations, gates: GateNames, clock: Clock) -> None:
        self._store, self._destinations, self._gates, self._clock = store, destinations, gates, clock

    async def all(self) -> Sequence[Webhook]:
        """Return all, oldest first."""
        return await self._store.webhooks()

    async def get(self, webhook_id: str) -> Webhook:
        """Return one. Raises NotFound."""
        return await self._store.webhook(webhook_id)

    async def create(self, plan: WebhookPlan, by: Actor) -> Webhook:
        """Return a new receiver with its secret. Raises Invalid with a problem per fault, Conflict above 100."""
        await self._refuse_bad(plan)
        if len(await self._store.webhooks()) >= MAX_WEBHOOKS:
            raise Conflict(f"there are {MAX_WEBHOOKS} webhooks already; delete one that is not needed")
        now = self._clock.now()
        made = _planned(
            Webhook(f"whk_{secrets.token_hex(8)}", "", "", Form.STANDARD, (), new_secret(), created_at=now), plan, now
        )
        await self._store.add_webhook(made, self._event(EventType.WEBHOOK_CREATED, by, None, made))
        return made

    async def change(self, webhook_id: str, plan: WebhookPlan, by: Actor, *, expected: int) -> Webhook:
        """Return a receiver, changed. Disabling it ends what waits for it.

        Raises NotFound, Invalid, or Conflict unless `expected` is its present revision.
        """
        before = await self._store.webhook(webhook_id)
        await self._refuse_bad(plan)
        after = replace(_planned(before, plan, self._clock.now()), revision=expected + 1)
        event = self._event(EventType.WEBHOOK_CHANGED, by, before, after)
        await self._store.save_webhook(after, event, expected=expected)
        return after

    async def rotate(self, webhook_id: str, by: Actor) -> Webhook:
        """Return a receiver with a new secret; the one before signs beside it for 24 hours. Raises NotFound."""
        before = await self._store.webhook(webhook_id)
        after = replace(
            before,
            secret=new_secret(),
            former_secret=before.secret,
            former_until=self._clock.now() + BOTH_SECRETS,
            revision=before.revision + 1,
        )
        event = self._event(EventType.WEBHOOK_CHANGED, by, before, after, reason="its secret was replaced")
        await self._store.save_webhook(after, event, expected=before.revision)
        return after

    async def delete(self, webhook_id: str, by: Actor) -> None:
        """Delete a receiver with its deliveries. Raises NotFound."""
        before = await self._store.webhook(webhook_id)
        await self._store.delete_webhook(webhook_id, self._event(EventType.WEBHOOK_DELETED, by, before, None))

    async def test(self, webhook_id: str, by: Actor) -> Delivery:
        """Return a test that is on its way to one receiver. Raises NotFound, Conflict for a disabled one."""
        webhook = await self._store.webhook(webhook_id)
        event = self._event(EventType.WEBHOOK_TESTED, by, None, webhook, reason=f"{by.name} sends a test")
        return await self._store.delivery(webhook_id, await self._store.test_webhook(webhook_id, event))

    async def deliveries(
        self,
        webhook_id: str,
        *,
        state: DeliveryState | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Delivery]:
        """Return a receiver's deliveries, newest first. Raises NotFound for the receiver."""
        await self._store.webhook(webhook_id)
        return await self._store.deliveries(webhook_id, state=state, before=before, limit=limit)

    async def retry(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Return a delivery, due now. Raises NotFound, or Conflict: the receiver is disabled, or it was withdrawn."""
        return await self._store.retry(webhook_id, delivery_id, self._clock.now())

    async def _refuse_bad(self, plan: WebhookPlan) -> None:
        problems: list[Problem] = []
        if not 1 <= len(plan.name) <= MAX_NAME or not plan.name.isprintable():
            problems.append(Problem("/name", f"a webhook's name is 1 to {MAX_NAME} printable characters"))
        known = ", ".join(TOLD)
        problems += [
            Problem(f"/types/{index}", f"{kind!r} is not told by webhook; known are {known}")
            for index, kind in enumerate(plan.types)
            if kind not in TOLD
        ]
        if plan.gate is not None and plan.gate not in (gates := await self._gates()):
            problems.append(
                Problem("/gate", f"there is no gate {plan.gate!r}; known: {', '.join(gates) or 'none yet'}")
            )
        try:
            await self._destinations.of(plan.url)
        except Invalid as fault:
            problems += fault.problems
        if problems:
            raise Invalid("the webhook was refused; nothing was changed", problems)

    def _event(
        self, kind: EventType, by: Actor, before: Webhook | None, after: Webhook | None, *, reason: str = ""
    ) -> Event:
        named = after or before
        assert named is not None  # noqa: S101  # every change has at least one side
        return Event(
            type=kind,
            at=self._clock.now(),
            actor=by,
            subject=f"webhook/{named.id}",
            reason=reason,
            gate=named.gate,
            before=told(before),
            after=told(after),
        )


def plan_of(webhook: Webhook) -> WebhookPlan:
    """Return what its user said of a receiver."""
    enabled = webhook.disabled_at is None
    return WebhookPlan(webhook.name, webhook.url, webhook.form, webhook.types, webhook.gate, enabled)


def told(webhook: Webhook | None) -> Mapping[str, object] | None:
    """Return a receiver as the audit log keeps it: without secrets, which chat tools put into their URLs, too."""
    if webhook is None:
        return None
    return {
        "name": webhook.name,
        "url": redacted(webhook.url),
        "form": webhook.form.value,
        "types": list(webhook.types),
        "gate": webhook.gate,
        "disabled_reason": webhook.disabled_reason if webhook.disabled_at else None,
    }


def new_secret() -> str:
    """Return a fresh secret to sign with, as Standard Webhooks writes them."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def _planned(webhook: Webhook, plan: WebhookPlan, now: datetime) -> Webhook:
    said = replace(webhook, name=plan.name, url=plan.url, form=plan.form, types=plan.types, gate=plan.gate)
    if plan.enabled:
        return replace(said, disabled_at=None, disabled_reason="")
    return said if said.disabled_at is not None else replace(said, disabled_at=now, disabled_reason=BY_HAND)
