import asyncio
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.observation import Observation
from app.errors import NotDurable
from app.ports.stream import Appended, Payload, StreamRecord
from tests.support.builders import NOW, a_contact, after, an_observation
from tests.support.databases import STREAMS, a_store

SOURCES = (f"source-{number}" for number in count())


@pytest.fixture(params=STREAMS)
def kind(request):
    return request.param


@pytest.fixture
def stream(store):
    return store.stream


def observations(number, source="acd-1"):
    return [an_observation(observed_at=after(n), source=source, backlog=n) for n in range(number)]


async def everything(stream, after_position=0):
    found: list[StreamRecord] = []
    while records := await stream.read(found[-1].position if found else after_position):
        found += records
    return found


async def taken(stream, number, after_position=0):
    """Return the first `number` records or more of the tail."""
    found: list[StreamRecord] = []
    async for records in stream.tail(after_position):
        found += records
        if len(found) >= number:
            return found
    raise AssertionError(f"the tail ended after {len(found)} records")


async def test_a_new_stream_is_empty(stream):
    assert await stream.read(0) == []
    assert await stream.position_before(NOW) == 0


async def test_what_was_appended_is_read_back_word_for_word(stream):
    full = Observation(
        "q ü", after(0.000001), "s", "voice", 1, 2.5, 3, 4, 5, 6, 7.5, 8.5, 0.9, 0.1, 0.5, 300.0, *range(6)
    )
    bare = an_observation(queue="bare")
    contact = ContactEvent("c", "q", ContactEventKind.TRANSFERRED, after(-1), "s", "voice", "a7", "spring", "later")
    assert await stream.append([full, contact, bare]) == Appended(3, 0)
    records = await stream.read(0)
    assert records == [StreamRecord(1, NOW, full), StreamRecord(2, NOW, contact), StreamRecord(3, NOW, bare)]
    assert [type(record.payload) for record in records] == [Observation, ContactEvent, Observation]
    assert isinstance(records[1].payload.event, ContactEventKind)
    assert records[0].payload.observed_at.tzinfo is not None


async def test_received_at_is_the_clocks_time_of_the_append(stream, clock):
    await stream.append([an_observation(observed_at=after(1))])
    clock.move_to(after(60))
    await stream.append([an_observation(observed_at=after(2))])
    assert [record.received_at for record in await stream.read(0)] == [NOW, after(60)]


async def test_the_same_observation_again_is_a_duplicate_whatever_it_says(stream):
    assert await stream.append([an_observation(backlog=1)]) == Appended(1, 0)
    assert await stream.append([an_observation(backlog=2)]) == Appended(0, 1)
    assert [record.payload.backlog for record in await stream.read(0)] == [1]


async def test_another_queue_source_or_instant_is_no_duplicate(stream):
    await stream.append([an_observation()])
    others = [an_observation(queue="other"), an_observation(source="other"), an_observation(observed_at=after(1))]
    assert await stream.append(others) == Appended(3, 0)


async def test_a_contact_has_each_event_once(stream):
    await stream.append([a_contact("queued"), a_contact("answered", after(5))])
    again = [
        a_contact("queued", after(9), queue="other"),
        a_contact("completed", after(9)),
        a_contact(contact_id="c-2"),
    ]
    assert await stream.append(again) == Appended(2, 1)


async def test_duplicates_inside_one_batch_count_once(stream):
    batch = [an_observation(backlog=1), a_contact(), an_observation(backlog=2), a_contact(), an_observation(queue="b")]
    assert await stream.append(batch) == Appended(3, 2)
    assert [record.payload for record in await stream.read(0)] == [batch[0], batch[1], batch[4]]


async def test_of_duplicates_in_one_batch_the_first_stands_whatever_their_fields(stream):
    await stream.append([an_observation(queue="old")])
    full = an_observation(backlog=1, agents_busy=3, agents_available=2)
    batch = [
        an_observation(queue="a", backlog=1, agents_busy=3, agents_available=2),
        an_observation(backlog=2),
        full,
        an_observation(queue="old", backlog=9),
        an_observation(queue="a", backlog=7),
    ]
    assert await stream.append(batch) == Appended(2, 3)
    records = await stream.read(1)
    assert [record.payload for record in records] == batch[:2]
    assert [record.position for record in records] == [2, 3]


async def test_an_empty_batch_changes_nothing(stream):
    assert await stream.append([]) == Appended(0, 0)
    assert await stream.read(0) == []


async def test_positions_follow_each_other_without_holes_even_after_duplicates(stream):
    first = observations(250)
    await stream.append(first)
    assert await stream.append([*first[100:], *observations(300), a_contact()]) == Appended(51, 400)
    records = await everything(stream)
    assert [record.position for record in records] == list(range(1, 302))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    requests=st.lists(
        st.lists(st.tuples(st.booleans(), st.integers(0, 7), st.integers(0, 3)), max_size=40), min_size=1, max_size=8
    )
)
async def test_concurrent_appends_accept_each_key_once_in_any_interleaving(stream, requests):
    source = next(SOURCES)
    base = (await everything(stream) or [StreamRecord(0, NOW, an_observation())])[-1].position

    def payload(is_contact, key, backlog):
        if is_contact:
            return a_contact(contact_id=f"{source}-{key}", reason=str(backlog))
        return an_observation(observed_at=after(key), source=source, backlog=backlog)

    batches = [[payload(*item) for item in request] for request in requests]
    answers = await asyncio.gather(*map(stream.append, batches))
    keys = {item[:2] for request in requests for item in request}
    assert sum(answer.accepted for answer in answers) == len(keys)
    assert [sum(answer) for answer in answers] == [len(batch) for batch in batches]
    records = await stream.read(base)
    assert [record.position for record in records] == list(range(base + 1, base + 1 + len(keys)))
    firsts: dict[tuple[bool, int], Payload] = {}
    for request, batch in zip(requests, batches, strict=True):
        for item, sent in zip(request, batch, strict=True):
            firsts.setdefault(item[:2], sent)
    assert [record.payload for record in records] == list(firsts.values())
    again = await asyncio.gather(*map(stream.append, batches))
    assert again == [Appended(0, len(batch)) for batch in batches]


async def test_read_returns_at_most_the_limit_and_goes_on_from_there(stream):
    mixed = [item for n in range(20) for item in (an_observation(observed_at=after(n)), a_contact(contact_id=f"c{n}"))]
    await stream.append(mixed)
    first = await stream.read(0, 7)
    second = await stream.read(7, 1000)
    assert [record.payload for record in [*first, *second]] == mixed
    assert len(first) == 7


async def test_position_before_leaves_out_nothing_received_since(stream, clock):
    await stream.append(observations(3, "a"))
    clock.move_to(after(100))
    await stream.append([*observations(2, "b"), a_contact()])
    assert await stream.position_before(NOW) == 0
    assert await stream.position_before(after(0.5)) == 3
    assert await stream.position_before(after(100)) == 3
    assert await stream.position_before(after(101)) == 6


async def test_the_tail_begins_with_what_was_there_and_goes_on_with_what_comes(stream):
    await stream.append(observations(5, "a"))
    reading = asyncio.create_task(taken(stream, 8, after_position=2))
    await stream.append(observations(5, "b"))
    records = await reading
    assert [record.position for record in records] == list(range(3, 11))


async def test_tails_see_every_record_once_and_in_order_under_load(stream):
    number, writers, size = 6_000, 12, 50
    readers = [asyncio.create_task(taken(stream, number)) for _ in range(3)]

    async def write(source):
        for batch in range(number // writers // size):
            items = [an_observation(observed_at=after(batch * size + n), source=source) for n in range(size)]
            await stream.append([*items, items[0]])

    await asyncio.gather(*(write(f"w{n}") for n in range(writers)))
    for reader in readers:
        records = await reader
        assert [record.position for record in records] == list(range(1, number + 1))
    assert await everything(stream) == await readers[0]


async def test_a_tail_started_while_others_write_misses_nothing(stream):
    async def write():
        for n in range(100):
            await stream.append([an_observation(observed_at=after(n))])

    writing = asyncio.create_task(write())
    readers = []
    while not writing.done():
        readers.append(asyncio.create_task(taken(stream, 100)))
        await stream.append([an_observation(queue=f"other-{len(readers)}")])
    last = (await everything(stream))[-1].position
    for reader in readers:
        records = await reader
        assert [record.position for record in records] == list(range(1, records[-1].position + 1))
        assert 100 <= records[-1].position <= last


async def test_prune_deletes_what_was_received_before_and_only_that(stream, clock):
    await stream.append([*observations(4500, "old"), a_contact()])
    clock.move_to(after(1000))
    await stream.append([*observations(3, "new"), a_contact(contact_id="c-2")])
    assert await stream.prune(after(1000)) == 4501
    assert await stream.prune(after(1000)) == 0
    assert [record.position for record in await everything(stream)] == [4502, 4503, 4504, 4505]


async def test_positions_are_never_given_out_twice_even_when_all_is_pruned(stream, kind, tmp_path, store):
    await stream.append(observations(3))
    assert await stream.prune(after(1)) == 3
    await store.close()
    async with a_store(tmp_path, kind) as again:
        await again.stream.append(observations(1, "later"))
        assert [record.position for record in await again.stream.read(0)] == [4]


async def test_appends_go_on_while_old_records_are_pruned(stream, clock):
    await stream.append(observations(9_000, "old"))
    clock.move_to(after(10))
    pruning = asyncio.create_task(stream.prune(after(1)))
    await stream.append([an_observation(source="new")])
    between = not pruning.done()
    assert await pruning == 9_000
    assert between
    assert [record.payload.source for record in await everything(stream)] == ["new"]


async def test_a_closed_stream_takes_nothing_and_ends_its_tails(stream, store):
    reading = asyncio.create_task(taken(stream, 10))
    accepted = asyncio.create_task(stream.append([an_observation()]))
    await asyncio.sleep(0)
    await store.close()
    await store.close()
    assert await accepted == Appended(1, 0)
    with pytest.raises(NotDurable, match="closed"):
        await stream.append([an_observation(queue="late")])
    with pytest.raises(AssertionError, match="the tail ended"):
        await reading


async def test_a_caller_that_goes_away_does_not_disturb_the_others(stream):
    gone = asyncio.create_task(stream.append([an_observation(queue="gone")]))
    staying = asyncio.create_task(stream.append([an_observation(queue="staying")]))
    await asyncio.sleep(0)
    gone.cancel()
    assert await staying == Appended(1, 0)
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_what_was_acknowledged_is_there_after_reopening(stream, store, kind, tmp_path):
    await stream.append([*observations(10), a_contact()])
    records = await stream.read(0)
    await store.close()
    async with a_store(tmp_path, kind) as again:
        assert await again.stream.read(0) == records
        assert await again.stream.append(observations(10)) == Appended(0, 10)


async def test_a_tail_sees_what_another_process_appends(stream, kind, tmp_path):
    async with a_store(tmp_path, kind) as other:
        tail = stream.tail(0)
        await stream.append([an_observation(source="here")])
        assert [record.payload.source for record in await anext(tail)] == ["here"]
        await other.stream.append([an_observation(source="there")])
        assert [(record.position, record.payload.source) for record in await anext(tail)] == [(2, "there")]
        await tail.aclose()


async def test_writers_of_two_processes_share_one_line_of_positions(stream, kind, tmp_path):
    async with a_store(tmp_path, kind) as other:
        batches = [observations(20, f"source-{number}") for number in range(20)]
        answers = await asyncio.gather(
            *(each.append(batch) for number, batch in enumerate(batches) for each in (stream, other.stream))
        )
    assert sum(answer.accepted for answer in answers) == 400
    assert [record.position for record in await everything(stream)] == list(range(1, 401))


async def test_records_of_long_ago_are_taken_as_well(stream):
    ages = [timedelta(days=days) for days in (0, 31, 62, 400, 5_000)]
    records = [an_observation(observed_at=NOW - age) for age in ages]
    assert (await stream.append([*records, records[0]])).accepted == 5
    assert [record.payload for record in await everything(stream)] == records


async def test_whole_months_go_when_all_in_them_is_old(stream, clock):
    long_ago = NOW - timedelta(days=70)
    await stream.append([an_observation(observed_at=long_ago), an_observation(observed_at=NOW - timedelta(days=40))])
    clock.move_to(after(1000))
    await stream.append([an_observation(observed_at=long_ago + timedelta(hours=1)), an_observation()])
    assert await stream.prune(after(1000)) == 2
    assert [record.position for record in await everything(stream)] == [3, 4]
    assert await stream.prune(after(2000)) == 2
    assert (await stream.append([an_observation(observed_at=long_ago + timedelta(hours=2))])).accepted == 1
