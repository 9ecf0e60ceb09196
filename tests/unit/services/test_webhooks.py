from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Verifier

from app.clocks import ScaledClock
from app.core.event import Actor, EventType
from app.core.webhooks.address import Allowed
from app.errors import Conflict, Invalid
from app.ports.webhooks import DeliveryState, Form
from app.services.deliveries import Deliveries, Outcome
from app.services.destinations import Destinations
from app.services.webhooks import WebhookPlan, Webhooks, plan_of
from tests.support.builders import NOW
from tests.support.databases import a_store
from tests.support.memory import SteppedClock

ANN = Actor("k1", "Ann")
URL = "https://hooks.example.com/services/T0/secret"
OK, BUSY, GONE = Outcome(204, "HTTP 204"), Outcome(503, "HTTP 503"), Outcome(410, "HTTP 410")


class Names:
    """A resolver that tests set: what each host resolves to, and how often it was asked."""

    def __init__(self):
        self.hosts, self.asked = {"hooks.example.com": ["8.8.8.8"]}, 0

    async def __call__(self, host, port):  # noqa: ARG002
        self.asked += 1
        return self.hosts.get(host, [])


class House:
    """Webhooks and deliveries over a real store, with a clock and names that tests set."""

    def __init__(self, store, clock, **members):
        self.store, self.clock, self.names = store, clock, Names()
        self.counted: list[str] = []
        destinations = Destinations(self.names, Allowed.of(["10.1.0.0/16"]))
        self.webhooks = Webhooks(store.webhooks, destinations, store.gates.gates, clock)
        self.deliveries = Deliveries(
            store.webhooks, destinations, clock, counted=self.counted.append, jitter=lambda: 0.0, **members
        )

    async def make(self, **members):
        return await self.webhooks.create(WebhookPlan(**{"name": "tool", "url": URL} | members), ANN)

    async def tested(self, **members):
        """Return a new webhook and the test that waits for it."""
        webhook = await self.make(**members)
        return webhook, await self.webhooks.test(webhook.id, ANN)

    async def next(self):
        return (await self.deliveries.due()).deliveries[0]


@pytest.fixture
async def house(tmp_path):
    clock = SteppedClock(NOW)
    async with a_store(tmp_path, clock=clock) as store:
        yield House(store, clock)


def pointers(fault):
    return [problem.pointer for problem in fault.value.problems]


async def test_every_fault_of_a_webhook_is_said_at_once_with_its_pointer(house):
    with pytest.raises(Invalid) as fault:
        await house.make(name="", url="https://nowhere.example.com/", types=("decision.hold", "nonsense"), gate="none")
    assert pointers(fault) == ["/name", "/types/1", "/gate", "/url"]
    assert await house.webhooks.all() == []


async def test_a_type_that_is_never_told_cannot_be_subscribed_to(house):
    with pytest.raises(Invalid) as fault:
        await house.make(types=("permit.granted",))
    assert pointers(fault) == ["/types/0"]


async def test_a_name_that_leads_inside_is_refused_when_it_is_saved(house):
    inside: tuple[list[str], ...] = (
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:10.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        [],
    )
    for addresses in inside:
        house.names.hosts["hooks.example.com"] = addresses
        with pytest.raises(Invalid) as fault:
            await house.make()
        assert pointers(fault) == ["/url"]


async def test_a_change_is_checked_as_a_new_webhook_is(house):
    webhook = await house.make()
    house.names.hosts["hooks.example.com"] = ["127.0.0.1"]
    with pytest.raises(Invalid):
        await house.webhooks.change(webhook.id, plan_of(webhook), ANN, expected=1)


async def test_there_are_at_most_a_hundred(house):
    for _ in range(100):
        await house.make()
    with pytest.raises(Conflict, match="100"):
        await house.make()


async def test_a_delivery_is_signed_so_that_the_receivers_library_accepts_it(house):
    webhook, delivery = await house.tested()
    message = await house.deliveries.prepared(delivery)
    body = Verifier(webhook.secret).verify(message.body, dict(message.headers))
    assert body["type"] == "webhook.tested"
    assert message.headers["webhook-id"] == delivery.id
    assert message.destination.address == "8.8.8.8"


async def test_after_a_new_secret_both_verify_for_24_hours_and_then_only_the_new_one(house):
    old, delivery = await house.tested()
    new = await house.webhooks.rotate(old.id, ANN)
    message = await house.deliveries.prepared(delivery)
    for webhook in (old, new):
        Verifier(webhook.secret).verify(message.body, dict(message.headers))
    house.clock.move(86_400)
    message = await house.deliveries.prepared(delivery)
    assert message.headers["webhook-signature"].count("v1,") == 1
    Verifier(new.secret).verify(message.body, dict(message.headers))


async def test_a_signature_is_dated_by_the_wall_though_the_clock_runs_fast(tmp_path):
    clock = ScaledClock(NOW, 60)
    async with a_store(tmp_path, clock=clock) as store:
        house = House(store, clock)
        _, delivery = await house.tested()
        message = await house.deliveries.prepared(delivery)
        assert abs(int(message.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
        assert house.deliveries.wall_seconds_until(clock.now() + timedelta(seconds=60)) == pytest.approx(1, abs=0.1)


async def test_a_retry_after_is_so_long_on_the_wall_though_the_clock_runs_fast(tmp_path):
    clock = ScaledClock(NOW, 60)
    async with a_store(tmp_path, clock=clock) as store:
        house = House(store, clock)
        webhook = await house.make()
        delivery = await house.webhooks.test(webhook.id, ANN)
        await house.deliveries.settle(delivery, Outcome(503, "HTTP 503", 0.5))
        again = await house.store.webhooks.delivery(webhook.id, delivery.id)
        assert (again.next_at - again.last_at).total_seconds() == pytest.approx(30)


async def test_a_name_that_turned_inside_since_it_was_saved_is_not_sent_to(house):
    _, delivery = await house.tested()
    house.names.hosts["hooks.example.com"] = ["127.0.0.1"]
    with pytest.raises(Invalid, match="loopback"):
        await house.deliveries.prepared(delivery)


async def test_a_name_is_resolved_once_per_try_so_that_the_checked_address_is_the_one_used(house):
    _, delivery = await house.tested()
    asked = house.names.asked
    await house.deliveries.prepared(delivery)
    assert house.names.asked == asked + 1


async def test_any_2xx_delivers(house):
    for status in (200, 204, 299):
        webhook, delivery = await house.tested()
        assert await house.deliveries.settle(delivery, Outcome(status, "")) is DeliveryState.DELIVERED
        assert (await house.store.webhooks.delivery(webhook.id, delivery.id)).next_at is None
    assert (await house.deliveries.due()).waiting == 0


async def test_anything_else_is_tried_again(house):
    for status in (None, 199, 301, 302, 307, 400, 401, 404, 429, 500, 503):
        _, delivery = await house.tested()
        assert await house.deliveries.settle(delivery, Outcome(status, "no")) is DeliveryState.PENDING
    assert set(house.counted) == {"retried"}


async def test_an_urgent_delivery_goes_through_its_whole_schedule_and_then_fails(house):
    webhook, delivery = await house.tested()
    assert delivery.urgent
    at = []
    while (due := await house.deliveries.due()).waiting:
        if due.deliveries:
            at.append((house.clock.now() - NOW).total_seconds())
            assert due.deliveries[0].id == delivery.id
            await house.deliveries.settle(due.deliveries[0], BUSY)
        else:
            house.clock.move((due.next_at - house.clock.now()).total_seconds())
    assert at[:7] == [0, 1, 3, 7, 15, 20, 320]
    assert len(at) == 14
    ended = await house.store.webhooks.delivery(webhook.id, delivery.id)
    assert (ended.state, ended.attempts, ended.last_status) == (DeliveryState.FAILED, 14, 503)
    assert house.counted == ["retried"] * 13 + ["failed"]


async def test_a_failed_delivery_can_be_sent_again_by_hand_and_fails_again_if_it_must(house):
    webhook, delivery = await house.tested()
    for _ in range(14):
        house.clock.move(200_000)
        await house.deliveries.settle(await house.next(), BUSY)
    await house.webhooks.retry(webhook.id, delivery.id)
    assert await house.deliveries.settle(await house.next(), BUSY) is DeliveryState.FAILED
    await house.webhooks.retry(webhook.id, delivery.id)
    again = await house.next()
    assert (again.id, again.attempts) == (delivery.id, 15)
    assert await house.deliveries.settle(again, OK) is DeliveryState.DELIVERED


async def test_410_disables_the_webhook_and_writes_who_did_it_and_why(house):
    webhook, delivery = await house.tested()
    await house.webhooks.test(webhook.id, ANN)
    assert await house.deliveries.settle(delivery, GONE) is DeliveryState.FAILED
    gone = await house.webhooks.get(webhook.id)
    assert (gone.disabled_at, gone.disabled_reason) == (NOW, "its receiver answered 410 Gone")
    states = {each.state for each in await house.webhooks.deliveries(webhook.id)}
    assert states == {DeliveryState.FAILED}
    enabled = await house.webhooks.change(gone.id, replace(plan_of(gone), enabled=True), ANN, expected=2)
    assert (enabled.disabled_at, enabled.disabled_reason, enabled.revision) == (None, "", 3)


async def test_what_is_withdrawn_or_deleted_while_on_its_way_is_not_put_back(house):
    webhook, delivery = await house.tested()
    await house.webhooks.delete(webhook.id, ANN)
    assert await house.deliveries.settle(delivery, BUSY) is DeliveryState.WITHDRAWN
    assert await house.deliveries.settle(delivery, GONE) is DeliveryState.WITHDRAWN
    assert (await house.deliveries.due()).waiting == 0


async def test_what_chat_tools_hide_in_their_url_is_not_in_the_message_about_the_webhook(house):
    webhook, delivery = await house.tested(form=Form.STANDARD)
    assert b"secret" not in delivery.payload
    assert b"hooks.example.com" in delivery.payload
    assert webhook.secret.encode() not in delivery.payload
    assert delivery.event_type == EventType.WEBHOOK_TESTED


async def test_an_allowed_network_can_be_sent_to(house):
    house.names.hosts["hooks.example.com"] = ["10.1.2.3"]
    _, delivery = await house.tested()
    assert (await house.deliveries.prepared(delivery)).destination.address == "10.1.2.3"
