"""Receivers and the outbox; what is put out comes from append_events, as in every store's own changes."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.event import Actor, Event, EventType
from app.core.webhooks.schedule import FAST_TRIES
from app.errors import Conflict, NotFound
from app.ports.webhooks import DeliveryState, Form, Lane, Webhook
from app.store.events import append_events
from tests.support.builders import NOW, after
from tests.support.databases import a_store

ANN = Actor("k1", "Ann")


@pytest.fixture
def webhooks(store):
    return store.webhooks


def a_webhook(name="a", **members):
    plain = Webhook(f"whk_{name}", name, "https://hooks.example.com/x", Form.STANDARD, (), "whsec_c2VjcmV0", NOW)
    return replace(plain, **members)


def an_event(kind, subject="gate/default", *, at=NOW, gate="default", campaign=None):
    return Event(kind, at, ANN, subject, "because", gate, campaign)


def made(webhook):
    return an_event(EventType.WEBHOOK_CREATED, f"webhook/{webhook.id}", gate=None)


async def add(store, *names, **members):
    added = [a_webhook(name, **members) for name in names]
    for webhook in added:
        await store.webhooks.add_webhook(webhook, made(webhook))
    return added


async def tell(store, *events):
    return await store.database.write(lambda connection: append_events(connection, events))


async def waiting(store, receiver="whk_a", state=DeliveryState.PENDING):
    return [each.event_type for each in await store.webhooks.deliveries(receiver, state=state)]


async def due(store, at=NOW, busy=()):
    return [(each.receiver_id, each.event_type) for each in (await store.webhooks.due(at, busy)).deliveries]


async def failed(store, delivery, *, tries=1, seconds=60.0):
    later = replace(delivery, attempts=tries, next_at=after(seconds), last_at=NOW, last_status=500, last_detail="HTTP")
    assert await store.webhooks.save_delivery(later)


async def test_a_webhook_is_read_back_as_it_was_added(webhooks, store):
    whole = a_webhook(
        form=Form.SLACK,
        types=("permit.paused",),
        gate="default",
        former_secret="whsec_b2xk",
        former_until=after(60),
        disabled_at=after(1),
        disabled_reason="gone",
        revision=3,
    )
    await webhooks.add_webhook(whole, made(whole))
    await add(store, "b", created_at=after(-1))
    assert await webhooks.webhook("whk_a") == whole
    assert [each.id for each in await webhooks.webhooks()] == ["whk_b", "whk_a"]


async def test_what_is_not_there_is_not_found(webhooks):
    for call in (
        webhooks.webhook("whk_x"),
        webhooks.save_webhook(a_webhook("x"), made(a_webhook("x")), expected=1),
        webhooks.delete_webhook("whk_x", made(a_webhook("x"))),
        webhooks.test_webhook("whk_x", made(a_webhook("x"))),
        webhooks.delivery("whk_x", "msg_x"),
        webhooks.retry("whk_x", "msg_x", NOW),
    ):
        with pytest.raises(NotFound):
            await call


async def test_of_changes_at_the_same_time_exactly_one_succeeds(webhooks, store):
    (webhook,) = await add(store, "a")
    changes = (
        webhooks.save_webhook(replace(webhook, name=f"n{n}", revision=2), made(webhook), expected=1) for n in range(5)
    )
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 4


async def test_an_event_is_put_out_once_per_receiver_that_wants_it(webhooks, store):
    await add(store, "a", "b")
    await add(store, "other_type", types=("decision.send",))
    await add(store, "other_gate", gate="other")
    await add(store, "off", disabled_at=NOW, disabled_reason="off")
    (written,) = await tell(store, an_event(EventType.DECISION_HOLD))
    found = (await webhooks.due(NOW)).deliveries
    assert [each.receiver_id for each in found] == ["whk_a", "whk_b"]
    assert {(each.event_seq, each.event_type, each.urgent, each.attempts, each.next_at) for each in found} == {
        (written.seq, "decision.hold", True, 0, NOW)
    }
    assert len({each.id for each in found}) == 2
    assert found[0].payload == (await webhooks.delivery("whk_a", found[0].id)).payload


async def test_what_nobody_is_told_of_is_not_put_out(store):
    await add(store, "a")
    await tell(store, an_event(EventType.PERMIT_GRANTED))
    assert await waiting(store) == []


async def test_a_change_that_fails_puts_nothing_out(store):
    await add(store, "a")

    def change(connection):
        append_events(connection, [an_event(EventType.DECISION_HOLD)])
        raise Conflict("after all not")

    with pytest.raises(Conflict):
        await store.database.write(change)
    assert await waiting(store) == []


async def test_what_was_put_out_is_still_there_after_reopening(store, kind, tmp_path):
    await add(store, "a")
    await tell(store, an_event(EventType.DECISION_HOLD))
    before = await store.webhooks.due(NOW)
    await store.close()
    async with a_store(tmp_path, kind) as again:
        assert await again.webhooks.due(NOW) == before


async def test_urgent_ones_go_first_and_each_lane_gives_one(store):
    await add(store, "a", "b")
    await tell(store, an_event(EventType.POLICY_SAVED), an_event(EventType.OVERRIDE_CREATED))
    await tell(store, an_event(EventType.FEED_STALE), an_event(EventType.DECISION_UNKNOWN))
    assert await due(store) == [
        ("whk_a", "feed.stale"),
        ("whk_b", "feed.stale"),
        ("whk_a", "policy.saved"),
        ("whk_b", "policy.saved"),
    ]
    busy = [Lane("whk_a", urgent=True), Lane("whk_b", urgent=False)]
    assert await due(store, busy=busy) == [("whk_b", "feed.stale"), ("whk_a", "policy.saved")]
    assert (await store.webhooks.due(NOW, busy)).waiting == 8


async def test_later_urgent_ones_wait_behind_one_in_its_fast_tries_and_no_longer(webhooks, store):
    await add(store, "a")
    await tell(store, an_event(EventType.FEED_STALE), an_event(EventType.DECISION_UNKNOWN))
    first = (await webhooks.due(NOW)).deliveries[0]
    await failed(store, first, seconds=2)
    assert await webhooks.due(NOW) == ([], after(2), 2)
    assert await due(store, after(2)) == [("whk_a", "feed.stale")]
    await failed(store, first, tries=FAST_TRIES, seconds=300)
    assert await due(store) == [("whk_a", "decision.unknown")]


async def test_a_failing_delivery_of_another_kind_holds_nothing_up(webhooks, store):
    await add(store, "a")
    await tell(store, an_event(EventType.POLICY_SAVED), an_event(EventType.OVERRIDE_CREATED))
    await failed(store, (await webhooks.due(NOW)).deliveries[0], seconds=5)
    assert await due(store) == [("whk_a", "override.created")]
    assert await due(store, after(5)) == [("whk_a", "override.created")]


async def test_nothing_is_due_before_its_time_and_the_next_instant_is_known(webhooks, store):
    await add(store, "a")
    assert await webhooks.due(NOW) == ([], None, 0)
    await tell(store, an_event(EventType.POLICY_SAVED, at=after(10)))
    assert await webhooks.due(NOW) == ([], after(10), 1)
    assert await webhooks.due(NOW, [Lane("whk_a", urgent=False)]) == ([], None, 1)


@pytest.mark.parametrize(
    ("goes", "stop"),
    [
        (EventType.DECISION_SEND, EventType.DECISION_HOLD),
        (EventType.DECISION_THROTTLE, EventType.DECISION_UNKNOWN),
        (EventType.PERMIT_RESUMED, EventType.PERMIT_PAUSED),
        (EventType.PERMIT_RESUMED, EventType.PERMIT_REVOKED),
        (EventType.WAVE_OPENED, EventType.CAMPAIGN_PAUSED),
        (EventType.WAVE_OPENED, EventType.WAVE_COMPLETED),
        (EventType.CAMPAIGN_RESUMED, EventType.CAMPAIGN_CANCELLED),
    ],
)
async def test_a_stop_withdraws_what_still_waits_to_say_the_opposite(webhooks, store, goes, stop):
    await add(store, "a")
    await tell(store, an_event(goes, "it", campaign="spring"), an_event(goes, "another", campaign="autumn"))
    tried = (await webhooks.due(NOW)).deliveries[0]
    await tell(store, an_event(stop, "it", campaign="spring"))
    assert await waiting(store, state=DeliveryState.WITHDRAWN) == [goes]
    assert sorted(await waiting(store)) == sorted([goes, stop])
    assert not await webhooks.save_delivery(replace(tried, attempts=1, next_at=after(5)))
    with pytest.raises(Conflict, match="no longer true"):
        await webhooks.retry("whk_a", tried.id, NOW)


@pytest.mark.parametrize(
    ("goes", "stop"),
    [(EventType.DECISION_SEND, EventType.DECISION_HOLD), (EventType.WAVE_OPENED, EventType.WAVE_COMPLETED)],
)
@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.DELIVERED])
async def test_what_is_no_longer_true_is_not_sent_again_by_hand(webhooks, store, goes, stop, state):
    await add(store, "a")
    await tell(store, an_event(goes, "it", campaign="spring"))
    (tried,) = (await webhooks.due(NOW)).deliveries
    await webhooks.save_delivery(replace(tried, state=state, next_at=None))
    await tell(store, an_event(stop, "another", campaign="autumn"))
    assert (await webhooks.retry("whk_a", tried.id, NOW)).state is DeliveryState.PENDING
    await webhooks.save_delivery(replace(tried, state=state, next_at=None))
    await tell(store, an_event(stop, "it", campaign="spring"))
    with pytest.raises(Conflict, match=f"says {stop}; what delivery .* is no longer true"):
        await webhooks.retry("whk_a", tried.id, NOW)


async def test_of_events_in_one_transaction_the_last_word_about_each_subject_is_put_out(store):
    await add(store, "a")
    await tell(store, *(an_event(EventType.PERMIT_RESUMED, f"permit/{name}") for name in "abc"))
    first = [("permit.paused", "permit/a"), ("permit.resumed", "permit/d"), ("permit.paused", "permit/d")]
    then = [("permit.paused", "permit/b"), ("permit.resumed", "permit/b")]
    await tell(store, *(an_event(EventType(kind), subject) for kind, subject in first + then))
    pending = await store.webhooks.deliveries("whk_a", state=DeliveryState.PENDING)
    assert sorted((each.event_type, each.subject) for each in pending) == [
        ("permit.paused", "permit/a"),
        ("permit.paused", "permit/b"),
        ("permit.paused", "permit/d"),
        ("permit.resumed", "permit/b"),
        ("permit.resumed", "permit/c"),
    ]
    assert await waiting(store, state=DeliveryState.WITHDRAWN) == ["permit.resumed"] * 2


async def test_a_stop_withdraws_nothing_when_its_change_fails(store):
    await add(store, "a")
    await tell(store, an_event(EventType.PERMIT_RESUMED, "permit/p"))

    def change(connection):
        append_events(connection, [an_event(EventType.PERMIT_PAUSED, "permit/p")])
        raise Conflict("after all not")

    with pytest.raises(Conflict):
        await store.database.write(change)
    assert await waiting(store) == ["permit.resumed"]


async def test_a_receiver_that_is_gone_is_disabled_with_its_event_and_what_waits_for_it_fails(webhooks, store):
    (webhook,) = await add(store, "a")
    await tell(store, an_event(EventType.DECISION_HOLD), an_event(EventType.POLICY_SAVED))
    first = (await webhooks.due(NOW)).deliveries[0]
    gone = replace(first, state=DeliveryState.FAILED, attempts=1, next_at=None, last_status=410, last_detail="gone")
    off = replace(webhook, disabled_at=NOW, disabled_reason="410 Gone", revision=2)
    event = an_event(EventType.WEBHOOK_DISABLED, "webhook/whk_a")
    assert await webhooks.save_delivery(gone, (off, event))
    assert await webhooks.webhook("whk_a") == off
    assert sorted(await waiting(store, state=DeliveryState.FAILED)) == ["decision.hold", "policy.saved"]
    await tell(store, an_event(EventType.DECISION_HOLD))
    assert await waiting(store) == []
    with pytest.raises(Conflict, match="enable it first"):
        await webhooks.retry("whk_a", first.id, NOW)
    with pytest.raises(Conflict, match="enable it first"):
        await webhooks.test_webhook("whk_a", an_event(EventType.WEBHOOK_TESTED, "webhook/whk_a"))


async def test_an_outcome_and_its_disabling_are_written_together_or_not_at_all(webhooks, store):
    (webhook,) = await add(store, "a")
    await tell(store, an_event(EventType.DECISION_HOLD))
    first = (await webhooks.due(NOW)).deliveries[0]
    stale = replace(webhook, disabled_at=NOW, disabled_reason="410 Gone", revision=7)
    with pytest.raises(Conflict):
        await webhooks.save_delivery(replace(first, state=DeliveryState.FAILED, next_at=None), (stale, made(webhook)))
    assert await webhooks.delivery("whk_a", first.id) == first


async def test_a_deleted_webhook_takes_its_deliveries_with_it(webhooks, store):
    await add(store, "a", "b")
    await tell(store, an_event(EventType.DECISION_HOLD))
    await webhooks.delete_webhook("whk_a", an_event(EventType.WEBHOOK_DELETED, "webhook/whk_a"))
    assert await due(store) == [("whk_b", "decision.hold")]


async def test_a_test_goes_to_one_receiver_and_its_delivery_is_named(webhooks, store):
    await add(store, "a", "b", types=("decision.send",), gate="other")
    delivery_id = await webhooks.test_webhook("whk_b", an_event(EventType.WEBHOOK_TESTED, "webhook/whk_b"))
    (delivery,) = (await webhooks.due(NOW)).deliveries
    assert (delivery.receiver_id, delivery.id) == ("whk_b", delivery_id)


async def test_a_failed_delivery_is_tried_again_under_its_id_with_its_tries_counted_on(webhooks, store):
    await add(store, "a")
    await tell(store, an_event(EventType.DECISION_HOLD))
    first = (await webhooks.due(NOW)).deliveries[0]
    await webhooks.save_delivery(replace(first, state=DeliveryState.FAILED, attempts=14, next_at=None))
    assert await due(store) == []
    again = await webhooks.retry("whk_a", first.id, after(9))
    assert (again.id, again.attempts, again.next_at) == (first.id, 14, after(9))
    assert (await webhooks.due(after(9))).deliveries == [again]


async def test_deliveries_come_newest_first_in_pages(webhooks, store):
    await add(store, "a")
    await tell(store, *(an_event(EventType.POLICY_SAVED, at=after(second)) for second in (1, 2, 2, 3)))
    first = await webhooks.deliveries("whk_a", limit=2)
    second = await webhooks.deliveries("whk_a", before=(first[-1].created_at, first[-1].id), limit=9)
    assert [each.created_at for each in [*first, *second]] == [after(3), after(2), after(2), after(1)]
    assert len({each.id for each in [*first, *second]}) == 4


async def test_only_what_ended_is_pruned(webhooks, store):
    await add(store, "a")
    await tell(store, *(an_event(EventType.POLICY_SAVED, at=after(second)) for second in (1, 2, 3)))
    for each in (await webhooks.deliveries("whk_a"))[1:]:
        await webhooks.save_delivery(replace(each, state=DeliveryState.DELIVERED, next_at=None))
    await tell(store, an_event(EventType.POLICY_SAVED))
    assert await webhooks.prune_deliveries(NOW + timedelta(seconds=2)) == 1
    assert len(await webhooks.deliveries("whk_a")) == 3


async def test_who_waits_for_new_deliveries_is_woken_once_they_are_durable(webhooks, store):
    loop = asyncio.get_running_loop()
    woken: asyncio.Queue[None] = asyncio.Queue()
    webhooks.on_new(lambda: loop.call_soon_threadsafe(woken.put_nowait, None))
    await add(store, "a")
    await tell(store, an_event(EventType.PERMIT_GRANTED))
    await tell(store, an_event(EventType.DECISION_HOLD))
    await asyncio.wait_for(woken.get(), 5)
    assert await due(store) == [("whk_a", "decision.hold")]
    assert woken.empty()
