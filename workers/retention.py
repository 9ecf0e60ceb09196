"""Prunes what is older than the settings say, once an hour."""

import asyncio
import logging

from app.services.retention import Retention
from workers.sources.worker import pause

EVERY_SECONDS = 3600.0

log = logging.getLogger(__name__)


class RetentionWorker:
    """Prunes when started and every hour from then on. A failed round is the supervisor's to repeat."""

    name = "retention"

    def __init__(self, retention: Retention, every_seconds: float = EVERY_SECONDS) -> None:
        self._retention, self._every = retention, every_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Prune until `stop` is set."""
        while not stop.is_set():
            pruned = await self._retention.prune()
            if any(pruned):
                log.info("pruned", extra=pruned._asdict())
            await pause(self._every, stop)
