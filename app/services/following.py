"""What a replica does because there are others: it reads anew what they change, and does once what is done once."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from app.ports.replicas import Replicas

Job = Callable[[asyncio.Event], Awaitable[None]]


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
