"""What a replica does because there are others: it reads anew what they change, and does once what is done once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping

from app.errors import HoldfireError
from app.ports.replicas import Replicas

log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0

Job = Callable[[asyncio.Event], Awaitable[None]]


class Soon:
    """Reads something anew without being waited for, again until it could: what may take long, and hurries nobody."""

    def __init__(self, read: Callable[[], Awaitable[None]], again_seconds: float = AGAIN_SECONDS) -> None:
        self._read, self._again_seconds = read, again_seconds
        self._is_changed = False
        self._reading: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        """Let it be read once more."""
        self._is_changed = True
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_all(), name="following-soon")

    async def _read_all(self) -> None:
        while self._is_changed:
            self._is_changed = False
            try:
                await self._read()
            except (HoldfireError, OSError) as fault:
                log.warning("change_not_read", extra={"error": str(fault)})
                self._is_changed = True
                await asyncio.sleep(self._again_seconds)


class Following:
    """Reads anew what was changed. reads: by name, what reads it; evaluate: lets it count."""

    def __init__(self, reads: Mapping[str, Callable[[], Awaitable[None]]], evaluate: Callable[[], None]) -> None:
        self._reads, self._evaluate = reads, evaluate

    async def take_in(self, names: Collection[str]) -> None:
        """Read what these names stand for, and let answers follow it. Names of newer versions mean nothing here."""
        for name, read in self._reads.items():
            if name in names:
                await read()
        self._evaluate()


async def while_leading(replicas: Replicas, stop: asyncio.Event, job: Job) -> None:
    """Run a job whenever this process leads, until `stop` is set; what it raises is raised here."""
    stopping = asyncio.create_task(stop.wait())
    try:
        while await _comes_first(replicas.led(), stopping):
            over = asyncio.Event()
            working = asyncio.ensure_future(job(over))
            lost = asyncio.ensure_future(replicas.not_led())
            await asyncio.wait({working, lost, stopping}, return_when=asyncio.FIRST_COMPLETED)
            over.set()
            lost.cancel()
            await working
    finally:
        stopping.cancel()


async def _comes_first(event: Awaitable[None], stopping: asyncio.Task[bool]) -> bool:
    """Return whether something came before the stop."""
    waiting = asyncio.ensure_future(event)
    await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    return not stopping.done()
