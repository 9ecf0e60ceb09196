"""A line: who listens slowly is let go, who talks is counted, and what ends it decides the code, once."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from starlette.types import Message

from app.live import line as line_module
from app.live.hub import Seat
from app.live.line import CHATTER, MAX_MESSAGES, RESTART, SIGNED_OUT, TRY_LATER, Line

FIRST, SECOND = ({"type": "websocket.send", "text": text} for text in ("first", "second"))


class Peer:
    """The other side, and the task that serves it."""

    def __init__(self) -> None:
        self.seat, self.says = Seat(), asyncio.Queue[Message]()
        self.got = asyncio.Queue[Message]()
        self.takes = asyncio.Event()
        self.takes.set()
        self.may, self.dropped = True, list[str]()
        self.line: Line
        self.fault: Exception | None = None

    async def send(self, message: Any) -> None:
        await self.takes.wait()
        if self.fault is not None:
            raise self.fault
        self.got.put_nowait(message)

    async def serve(self) -> int | None:
        self.line = Line(self.seat, self.send, lambda: self.may, self.dropped.append)
        return await self.line.serve(self.says.get)

    def end(self, code: int) -> None:
        self.line.end(code)

    def sign_out(self) -> None:
        self.line.sign_out()

    async def code_after(self, *steps: Callable[[], object]) -> int | None:
        """Return the code with which it ends once the first frame has come and then each step was done."""
        async with asyncio.timeout(20):
            serving = asyncio.create_task(self.serve())
            self.seat.offer(FIRST)
            assert await self.got.get() is FIRST
            for step in steps:
                step()
            return await serving


@pytest.fixture
async def peer() -> Peer:
    return Peer()


async def test_each_frame_goes_out_and_one_that_waits_gives_way_to_the_next(peer: Peer):
    peer.seat.offer(FIRST)
    peer.seat.offer(SECOND)
    serving = asyncio.create_task(peer.serve())
    assert await peer.got.get() is SECOND
    peer.seat.offer(FIRST)
    assert await peer.got.get() is FIRST
    peer.says.put_nowait({"type": "websocket.disconnect"})
    assert await serving is None
    peer.seat.offer(SECOND)
    assert peer.got.empty()


async def test_a_seat_that_is_closed_says_come_back(peer: Peer):
    assert await peer.code_after(peer.seat.close) == RESTART


async def test_whose_session_is_over_is_signed_out_without_waiting_for_a_frame(peer: Peer):
    assert await peer.code_after(peer.sign_out) == SIGNED_OUT


async def test_the_first_that_ends_it_decides(peer: Peer):
    assert await peer.code_after(partial(peer.end, RESTART), peer.sign_out) == RESTART


async def test_whose_key_is_no_longer_good_gets_no_further_frame(peer: Peer):
    steps = (partial(setattr, peer, "may", False), partial(peer.seat.offer, SECOND))
    assert await peer.code_after(*steps) == SIGNED_OUT
    assert peer.got.empty()


async def test_who_talks_too_much_is_shown_the_door(peer: Peer):
    words = [partial(peer.says.put_nowait, {"type": "websocket.receive", "text": "hello"})] * MAX_MESSAGES
    assert await peer.code_after(*words) == CHATTER


async def test_who_takes_nothing_is_let_go_and_counted(peer: Peer, monkeypatch):
    monkeypatch.setattr(line_module, "SEND_TIMEOUT_SECONDS", 0.05)
    assert await peer.code_after(peer.takes.clear, partial(peer.seat.offer, SECOND)) == TRY_LATER
    assert peer.dropped == ["slow"]


@pytest.mark.parametrize(
    "fault", [OSError(), RuntimeError(), ValueError("a fault of ours")], ids=["left", "closed", "other"]
)
async def test_what_cannot_be_sent_ends_it(peer: Peer, fault: Exception):
    assert await peer.code_after(partial(setattr, peer, "fault", fault), partial(peer.seat.offer, SECOND)) is None


async def test_nothing_is_written_any_more_to_who_has_gone(peer: Peer):
    gone = partial(peer.says.put_nowait, {"type": "websocket.disconnect"})
    assert await peer.code_after(peer.takes.clear, partial(peer.seat.offer, SECOND), gone) is None
    peer.takes.set()
    await asyncio.sleep(0)
    assert peer.got.empty()


async def test_a_cancellation_from_outside_stays_one(peer: Peer):
    serving = asyncio.create_task(peer.serve())
    peer.seat.offer(FIRST)
    await peer.got.get()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
