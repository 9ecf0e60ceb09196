"""Looks at one sender's campaigns every second or so, and at once when a permit of theirs changes."""

import asyncio
from contextlib import suppress

from app.ports.senders import Sender
from app.services.driving import Driving
from workers.senders.registry import Configured


class SenderWorker:
    """Drives one configured sender until stopped; then what runs there is paused, for nobody would see it."""

    def __init__(self, driving: Driving, configured: Configured) -> None:
        self.name = f"sender {configured.name}"
        self._sender: Sender = configured.make()
        self._look_seconds = configured.look_seconds
        self._driver = driving.driver(configured.name, configured.kind, self._sender, configured.look_seconds)

    async def run(self, stop: asyncio.Event) -> None:
        """Drive until `stop` is set."""
        try:
            loop = asyncio.get_running_loop()
            while not stop.is_set():
                next_at = loop.time() + self._look_seconds
                await self._driver.look(self._look_seconds)
                await self._pause(stop, next_at - loop.time())
        finally:
            await self._driver.rest()
            await self._sender.close()

    async def _pause(self, stop: asyncio.Event, seconds: float) -> None:
        """Return when it is time for the next look, when a permit changes, or when it is time to stop."""
        tasks = [asyncio.ensure_future(wait) for wait in (self._driver.woken(), stop.wait())]
        try:
            await asyncio.wait(tasks, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
