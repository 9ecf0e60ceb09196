import asyncio

import pytest

from app.stream.feed import Feed


@pytest.mark.parametrize("turns", range(5))
async def test_a_reader_that_is_cancelled_just_as_a_group_comes_does_end(turns):
    feed = Feed(bound=10)

    async def follow():
        while True:
            await feed.arrival(60)

    reader = asyncio.create_task(follow())
    await asyncio.sleep(0.01)
    feed.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    reader.cancel()
    done, _ = await asyncio.wait([reader], timeout=20)
    ended = bool(done) and reader.cancelled()
    while not reader.done():
        reader.cancel()
        await asyncio.wait([reader], timeout=0.1)
    assert ended
