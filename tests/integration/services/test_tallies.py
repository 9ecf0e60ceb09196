"""The follower that counts contacts by campaign, over a real stream and a real database."""

import asyncio

import pytest

from app.clocks import DataClock
from app.services.tallies import WRITE_RECORDS, Tallies
from tests.support.builders import NOW, a_contact, after, an_observation
from tests.support.databases import a_store


@pytest.fixture
async def store(tmp_path):
    async with a_store(tmp_path) as opened:
        yield opened


async def a_follower(store) -> Tallies:
    tallies = Tallies(store.stream, store.tallies, DataClock(NOW))
    await tallies.load()
    return tallies


def tagged(number, **members):
    return a_contact("queued", after(number), f"c-{number}", campaign="spring", **members)


async def contacts(tallies, campaign="spring"):
    return sum(each.contacts for each in await tallies.of([campaign]))


async def test_it_counts_what_the_stream_has_and_goes_on_where_it_stood(store):
    await store.stream.append([tagged(1), an_observation(), a_contact(contact_id="other")])
    first = await a_follower(store)
    await first.catch_up()
    assert (await contacts(first), first.position) == (1, 3)
    await store.stream.append([tagged(2)])
    again = await a_follower(store)
    assert again.position == 3
    await again.catch_up()
    assert await contacts(again) == 2


async def test_what_was_heard_but_not_written_before_a_crash_is_heard_again_and_counted_once(store):
    await store.stream.append([tagged(1), tagged(2)])
    crashed = await a_follower(store)
    await crashed._hear(await store.stream.read(0))
    assert await store.tallies.position() == 0
    again = await a_follower(store)
    await again.catch_up()
    await crashed.write()
    assert await contacts(again) == 2


async def test_where_no_contact_names_a_campaign_nothing_is_written(store):
    tallies = await a_follower(store)
    await store.stream.append([a_contact("queued", after(n), f"c-{n}", reason="price") for n in range(50)])
    await tallies.catch_up()
    assert (tallies.position, await store.tallies.position()) == (50, 0)
    await store.stream.append([an_observation(observed_at=after(n)) for n in range(WRITE_RECORDS)])
    await tallies.catch_up()
    assert await store.tallies.position() == WRITE_RECORDS + 50


async def test_a_reason_said_in_the_wrap_up_moves_a_contact_that_named_its_campaign_before(store):
    tallies = await a_follower(store)
    await store.stream.append([tagged(1)])
    await tallies.catch_up()
    again = await a_follower(store)
    await store.stream.append([a_contact("completed", after(99), "c-1", reason="complaint")])
    await again.catch_up()
    assert [(each.reason, each.contacts) for each in await again.of(["spring"])] == [("complaint", 1)]


async def test_it_follows_a_running_stream_and_has_written_everything_when_it_ends(store):
    tallies, stop = await a_follower(store), asyncio.Event()
    running = asyncio.create_task(tallies.run(stop))
    for number in range(20):
        await store.stream.append([tagged(number)])
    while tallies.position < 20:  # noqa: ASYNC110  # nobody tells when a record was heard
        await asyncio.sleep(0)
    stop.set()
    await running
    assert await store.tallies.position() == 20
    assert await contacts(await a_follower(store)) == 20
