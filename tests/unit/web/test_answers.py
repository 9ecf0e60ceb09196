"""Pieces of pages that many look at: made once, and anew when their time is over."""

import asyncio

import pytest

from app.web.answers import KEPT, SharedAnswers


class Maker:
    """Counts how often it is asked; its answers are good for `seconds`."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.seconds, self.asked = seconds, 0

    async def __call__(self) -> tuple[bytes, float]:
        self.asked += 1
        await asyncio.sleep(0)
        return b"answer %d" % self.asked, self.seconds


async def test_who_asks_at_once_or_soon_after_shares_one_answer():
    shared, make = SharedAnswers(), Maker()
    first = await asyncio.gather(*(shared.once("a", make) for _ in range(5)))
    assert [*first, await shared.once("a", make)] == [b"answer 1"] * 6
    assert await shared.once("b", make) == b"answer 2"


async def test_an_answer_whose_time_is_over_is_made_anew():
    shared, make = SharedAnswers(), Maker(seconds=-1.0)
    assert [await shared.once("a", make), await shared.once("a", make)] == [b"answer 1", b"answer 2"]


async def test_a_fault_reaches_who_asked_and_is_not_kept():
    shared, make = SharedAnswers(), Maker()

    async def fail() -> tuple[bytes, float]:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await shared.once("a", fail)
    assert await shared.once("a", make) == b"answer 1"


async def test_who_goes_away_takes_no_answer_with_it():
    shared, make = SharedAnswers(), Maker()
    asking = asyncio.ensure_future(shared.once("a", make))
    await asyncio.sleep(0)
    asking.cancel()
    assert await shared.once("a", make) == b"answer 1"
    assert make.asked == 1


async def test_only_the_latest_are_kept():
    shared, make = SharedAnswers(), Maker()
    for number in range(KEPT + 1):
        await shared.once(number, make)
    await shared.once(0, make)
    assert make.asked == KEPT + 2
