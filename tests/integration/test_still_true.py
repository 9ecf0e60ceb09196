"""A message that says go is looked at once more before it is sent: after a restart it may be old news."""

import pytest

from app.core.event import Actor, EventType
from app.errors import Invalid
from app.ports.webhooks import DeliveryState
from app.services.deliveries import unsent
from app.services.webhooks import WebhookPlan
from tests.integration.test_releases import Release
from tests.support.whole import a_whole

ANN = Actor("k1", "Ann")
URL = "http://8.8.8.8/told"


async def listen(whole, *types):
    return await whole.services.webhooks.create(WebhookPlan("tool", URL, types=types), ANN)


async def heads(whole):
    return (await whole.services.deliveries.due()).deliveries


async def test_a_wave_is_not_announced_after_a_restart_before_it_is_known_that_it_may_go(tmp_path):
    async with a_whole(tmp_path) as whole:
        before = Release(whole)
        await listen(whole, EventType.WAVE_OPENED)
        await before.begin()
        (opened,) = await heads(whole)
        assert (await whole.services.deliveries.prepared(opened)).body == opened.payload
    async with a_whole(tmp_path, now=before.whole.clock.now()) as whole:
        after = Release(whole)
        whole.clock.move(1)
        await whole.slam()
        (opened,) = await heads(whole)
        with pytest.raises(Invalid, match="must not be used now") as fault:
            await whole.services.deliveries.prepared(opened)
        assert await whole.services.deliveries.settle(opened, unsent(fault.value)) is DeliveryState.PENDING
        await after.slam(1)
        assert (await whole.store.webhooks.delivery(opened.receiver_id, opened.id)).state is DeliveryState.WITHDRAWN


async def test_a_gate_is_not_said_to_send_when_it_holds_now(tmp_path):
    async with a_whole(tmp_path) as whole:
        await listen(whole, EventType.DECISION_SEND)
        whole.clock.move(1)
        await whole.slam()
        whole.clock.move(600)
        await whole.quiet()
        await whole.evaluate(600)
        await whole.quiet()
        (told,) = await heads(whole)
        assert (await whole.services.deliveries.prepared(told)).body == told.payload
        whole.clock.move(3_600)
        with pytest.raises(Invalid, match="gate 'default' says unknown now"):
            await whole.services.deliveries.prepared(told)
