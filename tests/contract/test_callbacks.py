import json
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.event import HOLDFIRE, Event, EventType
from app.core.permit.request import PermitRequest
from app.errors import NotFound
from app.ports.callbacks import WaitingAsk, WaitState
from app.ports.webhooks import Form, Lane, Webhook
from app.store.events import append_events
from tests.support.builders import NOW, after

ASKED = PermitRequest(1_000, "default", "spring", accept_partial=True, ttl_seconds=600, callback_url="https://h/x")


@pytest.fixture
def callbacks(store):
    return store.callbacks


def an_ask(name="a", **members):
    plain = WaitingAsk(f"prq_{name}", "key1", None, ASKED, "whsec_c2VjcmV0", NOW, after(600))
    return replace(plain, **members)


def granted(ask):
    return replace(ask, state=WaitState.GRANTED, ended_at=after(5), permit_id="prm_1", reason="it may go")


async def test_an_ask_is_read_back_as_it_was_added(callbacks):
    later, first = an_ask("b", created_at=after(1), idempotency_key="k"), an_ask()
    await callbacks.add_ask(later)
    await callbacks.add_ask(first)
    assert await callbacks.ask("prq_b") == later
    assert await callbacks.waiting() == [first, later]
    with pytest.raises(NotFound, match="'prq_x'"):
        await callbacks.ask("prq_x")


async def test_an_end_and_its_message_are_one_and_there_is_only_one(callbacks, store):
    ask = an_ask()
    await callbacks.add_ask(ask)
    assert await callbacks.end_ask(granted(ask), b'{"go":1}')
    gave_up = replace(ask, state=WaitState.GAVE_UP, ended_at=after(9))
    assert not await callbacks.end_ask(gave_up, b'{"go":0}')
    assert await callbacks.ask(ask.id) == granted(ask)
    assert await callbacks.waiting() == []
    (delivery,) = (await store.webhooks.due(after(5))).deliveries
    assert (delivery.receiver_id, delivery.event_type, delivery.urgent) == (ask.id, "decision.send", True)
    assert json.loads(delivery.payload) == {"go": 1}


async def test_an_end_that_nobody_is_told_of_puts_nothing_out(callbacks, store):
    await callbacks.add_ask(an_ask())
    assert await callbacks.end_ask(replace(an_ask(), state=WaitState.WITHDRAWN, ended_at=after(1)), None)
    assert (await store.webhooks.due(after(9))).waiting == 0


async def test_only_what_ended_is_pruned(callbacks):
    for ask in (an_ask("a"), an_ask("b"), an_ask("c", created_at=after(9))):
        await callbacks.add_ask(ask)
    for ask in (an_ask("b"), an_ask("c", created_at=after(9))):
        await callbacks.end_ask(granted(ask), None)
    assert await callbacks.prune_asks(NOW + timedelta(seconds=5)) == 1
    assert [ask.id for ask in await callbacks.waiting()] == ["prq_a"]
    assert (await callbacks.ask("prq_c")).state is WaitState.GRANTED


async def test_of_many_who_are_to_be_told_twenty_are_due_at_once_the_first_first_and_after_every_stop(callbacks, store):
    asks = [an_ask(f"{number:02}") for number in range(25)]
    for second, ask in enumerate(asks):
        await callbacks.add_ask(ask)
        await callbacks.end_ask(replace(granted(ask), ended_at=after(second)), b"{}")
    due = await store.webhooks.due(after(30))
    assert [each.receiver_id for each in due.deliveries] == [ask.id for ask in asks[:20]]
    assert due.waiting == 25
    rest = await store.webhooks.due(after(22), [Lane(ask.id, urgent=True) for ask in asks[:20]])
    assert [each.receiver_id for each in rest.deliveries] == [ask.id for ask in asks[20:23]]
    assert rest.next_at == after(23)
    webhook = Webhook("whk_a", "tool", "https://h/x", Form.STANDARD, (), "whsec_c2VjcmV0", NOW)
    told = Event(EventType.WEBHOOK_CREATED, NOW, HOLDFIRE, "webhook/whk_a")
    await store.webhooks.add_webhook(webhook, told)
    held = Event(EventType.DECISION_HOLD, NOW, HOLDFIRE, "gate/default", gate="default")
    saved = Event(EventType.POLICY_SAVED, NOW, HOLDFIRE, "gate/default", gate="default")
    await store.database.write(lambda connection: append_events(connection, [saved, held]))
    kinds = [each.event_type for each in (await store.webhooks.due(after(30))).deliveries]
    assert kinds == ["decision.hold", *["decision.send"] * 20, "policy.saved"]
