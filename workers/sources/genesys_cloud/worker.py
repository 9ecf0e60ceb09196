"""Follows an organisation in Genesys Cloud: messages of channels where they come, the observations query where not."""

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from workers.sources.genesys_cloud.client import RENEW_SECONDS, Client
from workers.sources.genesys_cloud.config import TOPICS_PER_CHANNEL, Access, Wanted, access_of, wanted_of
from workers.sources.genesys_cloud.held import Held
from workers.sources.genesys_cloud.translate import Kind, of_message
from workers.sources.lot import Lot
from workers.sources.polling import Poller, pause_after
from workers.sources.worker import Factory, SourceWorker, Surroundings, deliver_surely, pause, unless_stopped
from workers.systems.faults import SourceFault
from workers.systems.table import Table

DEADLINE_SECONDS = 60.0
CHANNEL_SECONDS = 23 * 3600.0  # a channel lives for 24 hours
SILENCE_SECONDS = 75.0  # a heartbeat comes every 30 s
SOUND_SECONDS = 60.0
BETWEEN_CHANNELS_SECONDS = 1.0
SHORTEST_SESSION_SECONDS = 10.0

_KIND = "genesys-cloud"
_QUIET = logging.getLogger(f"{__name__}.channel")
_QUIET.setLevel(logging.INFO)  # below that the library writes down whole messages
_SOCKET: Mapping[str, Any] = {"max_size": 1 << 20, "close_timeout": 1, "proxy": None, "logger": _QUIET}


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of {type="genesys-cloud", region, client_id, client_secret, queues, ...}.

    Raises Invalid.
    """
    stream, silence = table.flag("stream", default=True), table.seconds("silence_seconds", SILENCE_SECONDS, 0.1, 600)
    return partial(
        _worker,
        name=name,
        access=access_of(table),
        wanted=wanted_of(table),
        silence_seconds=silence if stream else None,
    )


def _worker(
    around: Surroundings, *, name: str, access: Access, wanted: Wanted, silence_seconds: float | None
) -> SourceWorker:
    asking = GenesysCloud(name, Client(access, around.clock), wanted)
    if silence_seconds is not None:
        return Follower(around, name, asking, silence_seconds)
    return Poller(
        around,
        name=name,
        kind=_KIND,
        asking=asking,
        interval_seconds=wanted.interval_seconds,
        deadline_seconds=DEADLINE_SECONDS,
    )


class GenesysCloud:
    """One organisation and what is known of its queues."""

    def __init__(self, name: str, client: Client, wanted: Wanted) -> None:
        self.client, self.wanted = client, wanted
        self.held = Held(wanted.queues, wanted.media, wanted.least_contacts)
        self._name = name

    async def read(self, asked_at: datetime) -> Lot:
        """Ask how all queues stand, and return it. Raises SourceFault."""
        self.held.asked()
        self.held.resync(await self.client.facts(list(self.wanted.queues)))
        return self.known(asked_at)

    def known(self, now: datetime) -> Lot:
        """Return what is known already."""
        return Lot(self.held.observations(self._name, now, self.client.ahead))

    async def close(self) -> None:
        """Let go of connections."""
        await self.client.close()


class Follower:
    """Tells every interval_seconds how the queues stand.

    While all channels are alive that is what is held, set right by a query every resync_seconds; a channel that says
    nothing new says that nothing has changed. While one is not, each time begins with a query.
    """

    def __init__(self, around: Surroundings, name: str, asking: GenesysCloud, silence_seconds: float) -> None:
        self.name = name
        self._around, self._asking, self._silence = around, asking, silence_seconds
        queues = list(asking.wanted.queues)
        starts = range(0, len(queues), TOPICS_PER_CHANNEL)
        self._portions = [queues[start : start + TOPICS_PER_CHANNEL] for start in starts]
        self._alive: set[int] = set()
        self._resync_at = 0.0
        self._opened = 0
        self._why = "connecting"

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop` is set."""
        self._around.sources.working(self.name, _KIND, "connecting", self._around.clock.now())
        try:
            async with asyncio.TaskGroup() as group:
                for place, queues in enumerate(self._portions):
                    group.create_task(self._listen(place, queues, stop))
                await self._tell(stop)
        finally:
            await self._asking.close()

    async def sample(self) -> Lot:
        """Return what one query gives, and let go. Raises SourceFault."""
        try:
            return await self._asking.read(self._around.clock.now())
        finally:
            await self._asking.close()

    async def _tell(self, stop: asyncio.Event) -> None:
        faults, interval = 0, self._asking.wanted.interval_seconds
        while not stop.is_set():
            wait = interval
            try:
                lot = await unless_stopped(self._lot(), stop)
            except SourceFault as fault:
                faults += 1
                self._around.sources.failed(self.name, str(fault), self._around.clock.now())
                wait = pause_after(fault, faults, interval, random.random())  # noqa: S311 - spreads retries
            else:
                faults = 0
                if lot is not None:
                    await self._send(lot, stop)
            await pause(wait, stop)

    async def _lot(self) -> Lot:
        """Return how the queues stand: what is held, or what a query says where that is due. Raises SourceFault."""
        now = self._around.clock.now()
        if len(self._alive) == len(self._portions) and time.monotonic() < self._resync_at:
            return self._asking.known(now)
        due, opened = time.monotonic() + self._asking.wanted.resync_seconds, self._opened
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                lot = await self._asking.read(now)
        except TimeoutError:
            raise SourceFault(f"the query was not answered within {DEADLINE_SECONDS:g} s") from None
        if opened == self._opened:  # else a channel was opened while it was asked, which nobody can say what it missed
            self._resync_at = due
        return lot

    async def _send(self, lot: Lot, stop: asyncio.Event) -> None:
        await deliver_surely(self._around.ingest, lot.payloads, stop)
        alive, now = len(self._alive) == len(self._portions), self._around.clock.now()
        status = "working" if alive else f"works by queries: {self._why}"
        if not lot.payloads:
            status = "answers, and says nothing of these queues"
        self._around.sources.clock(self.name, self._asking.client.ahead.total_seconds())
        details = {"channels": len(self._portions), "channels_alive": len(self._alive)}
        self._around.sources.working(self.name, _KIND, status, now, **details)

    async def _listen(self, place: int, queues: Sequence[str], stop: asyncio.Event) -> None:
        """Keep one channel open until `stop` is set; after faults again, after pauses that grow."""
        faults = 0
        while not stop.is_set():
            began, wait = time.monotonic(), BETWEEN_CHANNELS_SECONDS
            try:
                await unless_stopped(self._session(place, queues), stop)
            except SourceFault as fault:
                faults = 1 if time.monotonic() - began > SOUND_SECONDS else faults + 1
                self._why = str(fault)
                wait = pause_after(fault, faults, BETWEEN_CHANNELS_SECONDS, random.random())  # noqa: S311 - the same
            finally:
                self._alive.discard(place)
            await pause(wait, stop)

    async def _session(self, place: int, queues: Sequence[str]) -> None:
        """Follow one channel until it, or our token, is nearly over. Raises SourceFault."""
        channel = await self._asking.client.channel(queues)
        left = min(CHANNEL_SECONDS, self._asking.client.seconds_left() - RENEW_SECONDS)
        until = time.monotonic() + max(left, SHORTEST_SESSION_SECONDS)
        try:
            async with connect(channel.uri, **_SOCKET) as socket:
                self._alive.add(place)
                self._opened += 1
                self._resync_at = 0.0  # messages tell changes only: of what, a query must say first
                await self._follow(socket, until)
        except (WebSocketException, OSError) as fault:
            raise SourceFault(f"a notification channel is not to be had ({type(fault).__name__})") from None

    async def _follow(self, socket: ClientConnection, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(min(left, self._silence)):
                    text = await socket.recv()
            except TimeoutError:
                if time.monotonic() >= until:
                    return
                raise SourceFault(f"a notification channel gave no sign of life for {self._silence:g} s") from None
            message = of_message(text)
            if message.kind is Kind.CLOSING:
                return
            self._asking.held.apply(message.facts)
