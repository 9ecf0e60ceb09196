"""The mail that an outlook reckons with: all that still brings contacts to a gate's queues, whoever let it go."""

import pytest

from app.core.campaign.machine import CampaignStep
from app.core.event import Actor
from app.core.permit.request import PermitRequest
from app.ports.keys import ApiKey
from app.services.flows import Flows
from app.services.outlook_mail import OutlookMail, Watched
from tests.support.builders import NOW, an_observation
from tests.support.campaigning import draft, schedule
from tests.support.whole import a_whole

ANN = Actor("key1", "ann")
KEY = ApiKey("key1", "ann", frozenset({"permits"}), b"", NOW)
QUEUES = ("chat-orders", "chat-returns", "orders-voice", "returns-voice")
MINUTES = 24 * 60


@pytest.fixture
async def whole(tmp_path):
    """Yield one with a gate "default" over the voice queues, "orders" over those of orders, "chat" over the chats."""
    async with a_whole(tmp_path) as whole:
        await whole.tell(*(an_observation(queue, whole.clock.now(), backlog=0) for queue in QUEUES))
        for gate, queues in (("default", ["*-voice"]), ("orders", ["*orders*"]), ("chat", ["chat-*"])):
            if gate != "default":
                await whole.services.gates.create(gate)
            await whole.policy(gate, queues=queues, stale_after_seconds=86_400)
        yield whole


def mail(whole):
    store, services = whole.store, whole.services
    return OutlookMail(Flows(store.flows), services.learning, store.permits, services.campaigns)


def watched(whole, gate="default"):
    published, own = whole.services.evaluator.published, {"orders-voice": 30.0, "returns-voice": 10.0}
    gates, now = published.gates, whole.clock.now()
    return Watched(gates[gate], gates, tuple(published.view.queues()), own, MINUTES, now)


async def permitted(whole, gate, audience, campaign=None, **asked):
    answer = await whole.services.permits.take(KEY, PermitRequest(audience, gate, campaign, **asked))
    return answer.permit


async def found(whole):
    """Return by campaign the messages, by minute, and the shares of the default gate's queues."""
    sent = await mail(whole).sent_lately(watched(whole))
    return {each.campaign: (each.messages, dict(each.shares)) for each in sent}


async def test_mail_of_another_gate_counts_as_far_as_it_comes_to_this_ones_queues(whole):
    await permitted(whole, "orders", 900)
    await permitted(whole, "chat", 70)
    assert await found(whole) == {"": (((0.0, 900.0),), {"orders-voice": 1.0})}  # nothing is expected of its chat


async def test_a_campaign_of_another_gate_counts_where_it_says_that_its_contacts_come_here(whole):
    mix = {"chat-orders": 0.7, "returns-voice": 0.3}
    await draft(whole, gate="chat", queue_mix=mix)
    await schedule(whole)
    assert mail(whole).elsewhere(watched(whole)).contacts_per_1000 > 0
    await permitted(whole, "chat", 500, "spring")
    assert await found(whole) == {"spring": (((0.0, 500.0),), {"returns-voice": pytest.approx(0.3)})}


async def test_mail_of_a_gate_that_is_gone_counts_as_this_ones_own(whole):
    await permitted(whole, "chat", 70)
    assert await found(whole) == {}
    await whole.services.gates.delete("chat")
    await whole.evaluate()
    ((messages, shares),) = (await found(whole)).values()
    assert (messages, sum(shares.values())) == (((0.0, 70.0),), pytest.approx(1.0))


async def test_who_shares_no_queue_with_a_gate_takes_none_of_its_room(whole):
    chat = watched(whole, "chat")._replace(volumes={"chat-returns": 1.0})
    assert mail(whole).elsewhere(chat) is None
    assert mail(whole).elsewhere(watched(whole)).contacts_per_1000 == 10.0


async def test_what_went_under_a_long_permit_counts_from_when_it_was_reported(whole):
    permit = await permitted(whole, "default", 1_000, ttl_seconds=MINUTES * 60)
    await whole.evaluate(seconds=9 * 3600)
    await whole.services.permits.report(permit.id, 600, ANN)
    await whole.evaluate(seconds=3600)
    ((messages, _),) = (await found(whole)).values()
    assert messages == ((-60.0, 600.0), (0.0, 400.0))
    await whole.evaluate(seconds=20 * 3600)
    await whole.services.permits.follow()
    ((messages, _),) = (await found(whole)).values()
    assert messages == ((-6 * 60.0, 1_000.0),)  # what nobody accounted for may have gone at the very end


async def test_a_campaign_that_ended_days_ago_is_still_known_by_its_own_rate(whole):
    await draft(whole, contacts_per_1000=200)
    await schedule(whole)
    permit = await permitted(whole, "default", 800, "spring")
    await whole.services.permits.report(permit.id, 800, ANN)
    await whole.services.campaigns.take("spring", CampaignStep.CANCEL, ANN)
    await whole.evaluate(seconds=30 * 3600)
    await whole.services.releases.advance()
    assert whole.services.campaigns.known("spring") is None
    (sent,) = await mail(whole).sent_lately(watched(whole))
    assert (sent.campaign, sent.rate.mean, sent.messages) == ("spring", pytest.approx(200), ((-30 * 60.0, 800.0),))
