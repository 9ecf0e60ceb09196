"""What a replica reads anew because of others, and what it does only while it leads."""

import asyncio

import pytest

from app.errors import HoldfireError
from app.ports.replicas import OnlyOne
from app.services.agreement import asking, before_answering
from app.services.following import Following, Soon, while_leading


class Turns(OnlyOne):
    """One among several, which leads while it is told to."""

    def __init__(self) -> None:
        self._led, self._not_led = asyncio.Event(), asyncio.Event()
        self._not_led.set()

    def lead(self, *, leads: bool) -> None:
        begun, over = (self._led, self._not_led) if leads else (self._not_led, self._led)
        over.clear()
        begun.set()

    async def led(self) -> None:
        await self._led.wait()

    async def not_led(self) -> None:
        await self._not_led.wait()


class Job:
    """Notes when it begins and when it was told to end; it ends where it is let."""

    def __init__(self) -> None:
        self.noted: asyncio.Queue[str] = asyncio.Queue()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self, stop: asyncio.Event) -> None:
        self.noted.put_nowait("began")
        await stop.wait()
        await self.may_end.wait()
        self.noted.put_nowait("ended")

    async def next(self) -> str:
        return await asyncio.wait_for(self.noted.get(), 10)


async def test_a_job_runs_whenever_its_process_leads_and_never_twice_at_once():
    turns, job, stop = Turns(), Job(), asyncio.Event()
    running = asyncio.create_task(while_leading(turns, stop, job))
    turns.lead(leads=True)
    assert await job.next() == "began"
    job.may_end.clear()
    turns.lead(leads=False)
    turns.lead(leads=True)
    await asyncio.sleep(0.05)
    assert job.noted.empty()
    job.may_end.set()
    assert [await job.next(), await job.next()] == ["ended", "began"]
    stop.set()
    assert await job.next() == "ended"
    await asyncio.wait_for(running, 10)


async def test_who_never_leads_stops_without_having_begun():
    job, stop = Job(), asyncio.Event()
    running = asyncio.create_task(while_leading(Turns(), stop, job))
    stop.set()
    await asyncio.wait_for(running, 10)
    assert job.noted.empty()


async def test_what_a_job_raises_is_raised():
    async def broken(_: asyncio.Event) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await while_leading(OnlyOne(), asyncio.Event(), broken)


async def test_what_was_changed_is_read_in_order_and_counts_once_all_is_read():
    done: list[str] = []

    def reads(name: str):
        async def read() -> None:
            done.append(name)

        return read

    following = Following({name: reads(name) for name in ("campaigns", "keys")}, lambda: done.append("evaluated"))
    await following.take_in({"keys", "of a newer version", "campaigns"})
    assert done == ["campaigns", "keys", "evaluated"]


async def test_a_fault_in_reading_is_raised_and_nothing_counts():
    done: list[str] = []

    async def broken() -> None:
        raise OSError("broken")

    following = Following({"keys": broken}, lambda: done.append("evaluated"))
    with pytest.raises(OSError, match="broken"):
        await following.take_in({"keys"})
    assert done == []


async def test_who_asks_waits_for_the_last_change_at_the_end_and_others_for_each():
    waited: list[int] = []

    async def change(revision: int) -> None:
        async def known() -> None:
            waited.append(revision)

        await before_answering(revision, known)

    with asking() as somebody:
        await asyncio.gather(change(2), change(1))
        assert waited == []
        await somebody.settle()
        await somebody.settle()
    assert waited == [2]
    await change(3)
    await change(4)
    assert waited == [2, 3, 4]


async def test_what_hurries_nobody_is_read_without_being_waited_for_once_for_all_that_changed_meanwhile():
    may_read, begun = asyncio.Event(), asyncio.Queue[int]()
    count = 0

    async def read() -> None:
        nonlocal count
        count += 1
        begun.put_nowait(count)
        await may_read.wait()

    soon = Soon(read)
    await soon()
    assert await asyncio.wait_for(begun.get(), 10) == 1
    for _ in range(3):
        await soon()
    may_read.set()
    assert await asyncio.wait_for(begun.get(), 10) == 2
    await asyncio.sleep(0)
    assert begun.empty()


async def test_what_could_not_be_read_is_read_again_though_nothing_more_is_changed():
    tried = asyncio.Queue[None]()

    async def read() -> None:
        tried.put_nowait(None)
        if tried.qsize() < 3:
            raise HoldfireError("not now")
        done.set()

    done = asyncio.Event()
    await Soon(read, again_seconds=0.001)()
    await asyncio.wait_for(done.wait(), 10)
    assert tried.qsize() == 3
