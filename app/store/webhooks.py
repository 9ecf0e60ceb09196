"""The WebhookStore port, on SQL: receivers here, what is to be delivered to them in app.store.deliveries."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from app.core.event import Event
from app.errors import Conflict, NotFound
from app.ports.webhooks import Delivery, DeliveryState, Due, Form, Lane, Webhook
from app.store import deliveries
from app.store.engine import Database
from app.store.events import append_events
from app.store.outbox import PUT_OUT
from app.store.webhook_tables import DELIVERIES, WEBHOOKS

_COLUMNS = tuple(WEBHOOKS.columns.keys())


class SqlWebhooks:
    """The WebhookStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_webhook(self, webhook: Webhook, event: Event) -> None:
        await self._database.write(lambda connection: _add(connection, webhook, event))

    async def webhook(self, webhook_id: str) -> Webhook:
        return await self._database.read(lambda connection: _webhook(connection, webhook_id))

    async def webhooks(self) -> Sequence[Webhook]:
        query = select(WEBHOOKS).order_by(WEBHOOKS.c.created_at, WEBHOOKS.c.id)
        return await self._database.read(lambda connection: [_of(row) for row in connection.execute(query)])

    async def save_webhook(self, webhook: Webhook, event: Event, *, expected: int) -> None:
        await self._database.write(lambda connection: _save(connection, webhook, event, expected))

    async def delete_webhook(self, webhook_id: str, event: Event) -> None:
        await self._database.write(lambda connection: _delete(connection, webhook_id, event))

    async def test_webhook(self, webhook_id: str, event: Event) -> str:
        return await self._database.write(lambda connection: _test(connection, webhook_id, event))

    async def due(self, at: datetime, busy: Collection[Lane] = ()) -> Due:
        return await self._database.read(lambda connection: deliveries.due(connection, at, busy))

    async def save_delivery(self, delivery: Delivery, disable: tuple[Webhook, Event] | None = None) -> bool:
        def save(connection: Connection) -> bool:
            saved = deliveries.settle(connection, delivery)
            if saved and disable is not None:
                _save(connection, *disable, disable[0].revision - 1)
            return saved

        return await self._database.write(save)

    async def delivery(self, receiver_id: str, delivery_id: str) -> Delivery:
        return await self._database.read(lambda connection: deliveries.find(connection, receiver_id, delivery_id))

    async def deliveries(
        self,
        receiver_id: str,
        *,
        state: DeliveryState | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Delivery]:
        return await self._database.read(
            lambda connection: deliveries.page(connection, receiver_id, state, before, limit)
        )

    async def retry(self, receiver_id: str, delivery_id: str, at: datetime) -> Delivery:
        def again(connection: Connection) -> Delivery:
            _refuse_disabled(_webhook(connection, receiver_id))
            return deliveries.again(connection, receiver_id, delivery_id, at)

        return await self._database.write(again)

    def on_new(self, wake: Callable[[], None]) -> None:
        self._database.after_commit(PUT_OUT, wake)

    async def prune_deliveries(self, before: datetime) -> int:
        return await self._database.write(lambda connection: deliveries.prune(connection, before))


def _add(connection: Connection, webhook: Webhook, event: Event) -> None:
    connection.execute(insert(WEBHOOKS).values(_values(webhook)))
    append_events(connection, [event])


def _save(connection: Connection, webhook: Webhook, event: Event, expected: int) -> None:
    present = _webhook(connection, webhook.id)
    if present.revision != expected:
        raise Conflict(f"webhook {webhook.id!r} is at revision {present.revision}, not {expected}; read it again")
    connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == webhook.id).values(_values(webhook)))
    if webhook.disabled_at is not None:
        deliveries.fail_pending(connection, webhook.id, f"the webhook is disabled: {webhook.disabled_reason}")
    append_events(connection, [event])


def _delete(connection: Connection, webhook_id: str, event: Event) -> None:
    _webhook(connection, webhook_id)
    connection.execute(delete(DELIVERIES).where(DELIVERIES.c.receiver_id == webhook_id))
    connection.execute(delete(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id))
    append_events(connection, [event])


def _test(connection: Connection, webhook_id: str, event: Event) -> str:
    _refuse_disabled(_webhook(connection, webhook_id))
    (written,) = append_events(connection, [event])
    put = select(DELIVERIES.c.id).where(
        DELIVERIES.c.receiver_id == webhook_id, DELIVERIES.c.event_seq == written.seq, DELIVERIES.c.urgent
    )
    return str(connection.execute(put).scalar_one())


def _refuse_disabled(webhook: Webhook) -> None:
    if webhook.disabled_at is not None:
        raise Conflict(f"webhook {webhook.id!r} is disabled ({webhook.disabled_reason}); enable it first")


def _webhook(connection: Connection, webhook_id: str) -> Webhook:
    row = connection.execute(select(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id)).first()
    if row is None:
        raise NotFound(f"there is no webhook {webhook_id!r}")
    return _of(row)


def _values(webhook: Webhook) -> dict[str, Any]:
    values = {name: getattr(webhook, name) for name in _COLUMNS}
    return values | {"form": webhook.form.value, "types": list(webhook.types)}


def _of(row: Row[Any]) -> Webhook:
    found = Webhook(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return replace(found, form=Form(row.form), types=tuple(row.types))
