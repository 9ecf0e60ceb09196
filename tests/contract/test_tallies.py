"""Contacts that name a campaign are counted exactly once, whatever comes of them in whatever order, and for good."""

import itertools
import random
from typing import Any

import pytest

from app.ports.learning import Tally
from tests.support.builders import NOW, a_contact, after

NO_QUEUE: dict[str, Any] = {"queue": None}
QUEUED = a_contact("queued", NOW, channel="voice", campaign="spring")
ANSWERED = a_contact("answered", after(40))
COMPLETED = a_contact("completed", after(400), reason="complaint", channel="voice")


@pytest.fixture
def tallies(store):
    return store.tallies


async def tell(store, *events, position=1):
    """Let the stream and then the tallies hear of events."""
    await store.stream.append(events)
    await store.tallies.count(events, position, NOW)


async def counted(tallies, *campaigns):
    """Return (queue, channel, reason, seconds after NOW, contacts) of each tally."""
    found = await tallies.tallies(campaigns or ["spring"])
    return [(*each[1:4], (each.bucket_at - NOW).total_seconds(), each.contacts) for each in found]


async def test_a_contact_counts_where_and_when_it_queued(store, tallies):
    await tell(store, a_contact("queued", after(299), channel="voice", campaign="spring", reason="price"))
    assert await tallies.tallies(["spring"]) == [Tally("spring", "orders-voice", "voice", "price", NOW, 1)]
    assert await tallies.tallies(["summer"]) == []


async def test_a_reason_that_comes_later_moves_the_contact_and_doubles_nothing(store, tallies):
    await tell(store, QUEUED)
    assert await counted(tallies) == [("orders-voice", "voice", "", 0, 1)]
    await tell(store, ANSWERED, COMPLETED)
    assert await counted(tallies) == [("orders-voice", "voice", "complaint", 0, 1)]


@pytest.mark.parametrize("order", list(itertools.permutations([QUEUED, ANSWERED, COMPLETED])))
async def test_any_order_and_any_repetition_counts_the_same(store, tallies, order):
    for event in (*order, *order):
        await tell(store, event)
    assert await counted(tallies) == [("orders-voice", "voice", "complaint", 0, 1)]


async def test_a_campaign_that_only_the_wrap_up_names_counts_in_the_minutes_of_the_queueing(store, tallies):
    await store.stream.append([a_contact("queued", after(100), channel="chat")])
    await tell(store, a_contact("completed", after(1_000), campaign="spring", reason="price"))
    assert await counted(tallies) == [("orders-voice", "chat", "price", 0, 1)]


async def test_a_contact_that_has_not_queued_as_far_as_is_known_is_not_counted_yet(store, tallies):
    await tell(store, a_contact("completed", after(1_000), campaign="spring", reason="price"))
    assert await counted(tallies) == []
    assert await tallies.tagged_among(["c-1", "c-2"]) == {"c-1"}
    await tell(store, a_contact("queued", after(650)))
    assert await counted(tallies) == [("orders-voice", "", "price", 600, 1)]


async def test_a_contact_counts_once_for_each_campaign_it_names(store, tallies):
    await tell(store, QUEUED, a_contact("completed", after(9), campaign="summer", reason="price"))
    assert await counted(tallies, "spring", "summer") == [
        ("orders-voice", "voice", "", 0, 1),
        ("orders-voice", "voice", "price", 0, 1),
    ]


async def test_tallies_stay_when_the_raw_events_and_the_contacts_are_forgotten(store, tallies):
    await tell(store, QUEUED)
    await store.stream.prune(after(9))
    assert await tallies.forget_contacts(NOW) == 0
    await tell(store, COMPLETED)
    assert await counted(tallies) == [("orders-voice", "voice", "complaint", 0, 1)]
    assert await tallies.forget_contacts(after(1)) == 1
    assert await tallies.has_tagged() is False
    assert await counted(tallies) == [("orders-voice", "voice", "complaint", 0, 1)]


async def test_the_position_is_written_with_what_was_counted(store, tallies):
    assert (await tallies.position(), await tallies.has_tagged()) == (0, False)
    await tell(store, QUEUED, position=17)
    assert (await tallies.position(), await tallies.has_tagged()) == (17, True)
    await tallies.count([], 40, NOW)
    assert await tallies.position() == 40


async def test_what_could_not_be_counted_leaves_the_position_where_it_was(store, tallies):
    await tell(store, QUEUED, position=17)
    broken = a_contact("queued", NOW, "c-2", campaign="spring")._replace(**NO_QUEUE)
    with pytest.raises(Exception, match="rules refuse"):
        await tallies.count([a_contact("queued", NOW, "c-3", campaign="spring"), broken], 18, NOW)
    assert await tallies.position() == 17
    assert await counted(tallies) == [("orders-voice", "voice", "", 0, 1)]


async def test_many_contacts_in_batches_cut_anywhere_count_as_all_at_once(store, tallies):
    dice = random.Random(7)
    events = []
    for number in range(60):
        said: dict[str, Any] = {
            "campaign": dice.choice(["spring", "summer", None]),
            "channel": dice.choice(["voice", "chat"]),
        }
        events.append(a_contact("queued", after(20 * number), f"c-{number}", **said))
        late: dict[str, Any] = {
            "campaign": dice.choice([said["campaign"], None]),
            "reason": dice.choice(["price", None]),
        }
        events.append(a_contact("completed", after(20 * number + 90), f"c-{number}", **late))
    dice.shuffle(events)
    await store.stream.append(events)
    while events:
        cut = dice.randint(1, 9)
        await tallies.count(events[:cut], 1, NOW)
        if dice.random() < 0.3:
            cut = max(0, cut - 3)  # a crash: some are counted again
        events = events[cut:]
    in_all = await tallies.tallies(["spring", "summer"])
    await tallies.count([record.payload for record in await store.stream.read(0)], 1, NOW)
    assert await tallies.tallies(["spring", "summer"]) == in_all
    named = {r.payload.contact_id for r in await store.stream.read(0) if r.payload.campaign}
    assert sum(each.contacts for each in in_all) == len(named)
    assert all(each.contacts > 0 for each in in_all)
