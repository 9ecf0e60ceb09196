"""Packs finished days of history when started, and every hour from then on."""

import asyncio
import logging

from app.services.packing import Packing
from workers.sources.worker import pause

EVERY_SECONDS = 3600.0

log = logging.getLogger(__name__)


class PackingWorker:
    """Packs what there is to pack, then waits. A failed round is the supervisor's to repeat."""

    name = "packing"

    def __init__(self, packing: Packing, every_seconds: float = EVERY_SECONDS) -> None:
        self._packing, self._every = packing, every_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Pack until `stop` is set."""
        while not stop.is_set():
            packed = 0
            while not stop.is_set() and (some := await self._packing.pack_some()):
                packed += some
            if packed:
                log.info("packed", extra={"days": packed})
            await pause(self._every, stop)
