"""The hub: brings each change to everyone who watches, at most ten times a second, at least every five seconds.

A frame is encoded, and where its view says so packed, once per topic (a gate, seen through one view) and handed to all
its seats. A seat holds one frame, the latest: who reads slowly misses frames, never sees old ones, and costs no memory.
Who stops reading is dropped by the socket's own send timeout. Seats are served a few at a time, so that thousands of
them make nobody else wait.
"""

import asyncio
import gzip
import logging
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec
from starlette.types import Message

from app.live.frames import fingerprint, head, snapshot
from app.services.container import Services
from app.services.live_view import LiveView
from app.services.permit_answers import permit_shape
from app.services.published import GateState, Published
from app.services.shapes import Shape
from app.services.standing import standing

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
MIN_INTERVAL_SECONDS = 0.1
MAX_PERMITS = 50  # a frame stays small; GET /api/v1/permits has them all
SEATS_AT_ONCE = 32
PACKING_LEVEL = 1  # HTML shrinks to a sixth already; more effort costs more than it saves


async def _plain_members(services: Services, state: GateState, published: Published) -> Shape:
    """Return the members of the public snapshot frame."""
    permits = [
        permit_shape(permit, must_stop=services.permits.must_stop(permit))
        for permit in services.permits.in_flight(state.gate, MAX_PERMITS)
    ]
    return snapshot(state, published, services.evaluator.floor.targets, services.clock.now(), permits)


PLAIN = LiveView(_plain_members)


class Seat:
    """One watcher's place: holds the latest frame until it is taken, and says when there is something to take."""

    __slots__ = ("_frame", "_tell", "closed")

    def __init__(self) -> None:
        self._frame: Message | None = None
        self._tell: Callable[[], None] | None = None
        self.closed = False

    def offer(self, frame: Message) -> None:
        """Put a frame; one that was not taken yet is replaced."""
        self._frame = frame
        if self._tell is not None:
            self._tell()

    def close(self) -> None:
        """Tell the watcher that the server is going."""
        self.closed = True
        if self._tell is not None:
            self._tell()

    def on_news(self, tell: Callable[[], None] | None) -> None:
        """Have `tell` called, now if there is news already, and from now on; None: nobody wants to hear any more."""
        self._tell = tell
        if tell is not None and (self.closed or self._frame is not None):
            tell()

    def take(self) -> Message | None:
        """Return the latest frame, None if there is none, or once the seat is closed."""
        frame, self._frame = self._frame, None
        return None if self.closed else frame


@dataclass(slots=True)
class Topic:
    """One gate seen through one view, its watchers, and what they were shown last."""

    gate: str
    view: LiveView
    seats: set[Seat] = field(default_factory=set)
    shown: Hashable = None
    shown_at: float = 0.0


class First(NamedTuple):
    """The frame that those were given who came last, what it shows, and when it was made."""

    shows: Hashable
    made_at: float
    frame: Message


class Hub:
    """Subscribes to the evaluator and keeps all seats supplied."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._topics: dict[tuple[str, LiveView], Topic] = {}
        self._firsts: dict[tuple[str, LiveView], First] = {}
        self._seq = 0
        self._news = asyncio.Event()
        self._closed = False

    @property
    def connections(self) -> int:
        """The number of watchers."""
        return sum(len(topic.seats) for topic in self._topics.values())

    async def join(self, gate: str, view: LiveView = PLAIN) -> tuple[Topic, Seat] | None:
        """Return a seat that already holds a first frame; None for a gate that is not there."""
        published, state = self._standing(gate)
        if state is None:
            return None
        seat = Seat()
        seat.offer(await self._first_frame(view, state, published))
        topic = self._topics.setdefault((gate, view), Topic(gate, view))
        topic.seats.add(seat)
        if self._closed:
            seat.close()
        return topic, seat

    def leave(self, topic: Topic, seat: Seat) -> None:
        """Give a seat back."""
        topic.seats.discard(seat)
        if not topic.seats:
            self._topics.pop((topic.gate, topic.view), None)
            self._firsts.pop((topic.gate, topic.view), None)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve all seats until `stop`; then tell every watcher to come back later."""
        unsubscribe = self._services.evaluator.subscribe(lambda _: self._news.set())
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                await self._wait_for_news(stopping)
                started = time.monotonic()
                for topic in list(self._topics.values()):
                    await self._serve(topic)
                pause = MIN_INTERVAL_SECONDS - (time.monotonic() - started)
                await asyncio.wait([stopping], timeout=max(0.0, pause))
        finally:
            unsubscribe()
            stopping.cancel()
            self._close()

    async def _wait_for_news(self, stopping: "asyncio.Task[Literal[True]]") -> None:
        """Return when something was published, or after a second: a silent evaluator has to become visible, too."""
        news = asyncio.create_task(self._news.wait())
        await asyncio.wait([news, stopping], timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()
        self._news.clear()

    async def _serve(self, topic: Topic) -> None:
        published, state = self._standing(topic.gate)
        if state is None:  # the gate was deleted while watched
            _close_all(topic)
            return
        noted = self._services.notes.changes(topic.gate)
        shown, now = (fingerprint(state, published), noted), time.monotonic()
        if shown == topic.shown and now - topic.shown_at < HEARTBEAT_SECONDS:
            return
        try:
            frame = await self._frame(topic.view, state, published)
        except Exception:  # without frames the watchers go visibly dead, and the other topics live on
            log.exception("frame_not_made", extra={"gate": topic.gate})
            return
        topic.shown, topic.shown_at = shown, now
        for place, seat in enumerate(list(topic.seats), start=1):
            seat.offer(frame)
            if place % SEATS_AT_ONCE == 0:
                await asyncio.sleep(0)  # what was just offered is sent, and others are answered, before the next

    def _standing(self, gate: str) -> tuple[Published, GateState | None]:
        published = self._services.evaluator.published
        return published, standing(published, gate, self._services.clock.now(), time.monotonic())

    async def _first_frame(self, view: LiveView, state: GateState, published: Published) -> Message:
        """Return a frame for who has just come; those who come at once, as after a restart, are given the same."""
        key, noted = (state.gate, view), self._services.notes.changes(state.gate)
        first, now = self._firsts.get(key), time.monotonic()
        if first is None or first.shows != (published.seq, noted) or now - first.made_at >= MIN_INTERVAL_SECONDS:
            frame = await self._frame(view, state, published)
            first = self._firsts[key] = First((published.seq, noted), now, frame)
        return first.frame

    async def _frame(self, view: LiveView, state: GateState, published: Published) -> Message:
        """Return the message that every watcher of a topic is sent as it is."""
        members = await view.members(self._services, state, published)
        self._seq += 1
        body = msgspec.json.encode(head(state, self._seq, self._services.clock.now()) | members)
        if view.packed:
            return {"type": "websocket.send", "bytes": gzip.compress(body, PACKING_LEVEL, mtime=0)}
        return {"type": "websocket.send", "text": body.decode()}

    def _close(self) -> None:
        self._closed = True
        for topic in self._topics.values():
            _close_all(topic)


def _close_all(topic: Topic) -> None:
    for seat in topic.seats:
        seat.close()
