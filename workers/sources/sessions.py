"""Sessions with a system, one after the other: whenever one ends by a fault, the next comes after a longer pause."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from workers.sources.polling import pause_after
from workers.sources.worker import Surroundings, pause
from workers.systems.faults import SourceFault

RETRY_SECONDS = 1.0
SOUND_SECONDS = 60.0  # a session that lasted so long was well: its end counts as the first fault again

log = logging.getLogger(__name__)


async def keep_up(
    session: Callable[[], Awaitable[object]],
    around: Surroundings,
    name: str,
    stop: asyncio.Event,
    jitter: Callable[[], float] = random.random,
) -> None:
    """Hold one session after the other until `stop` is set, which each of them heeds; say faults in health.

    The first pause is a second, the longest a minute, where credentials are refused a quarter of an hour.
    """
    faults = 0
    while not stop.is_set():
        began = time.monotonic()
        try:
            await session()
        except SourceFault as fault:
            faults = 1 if time.monotonic() - began > SOUND_SECONDS else faults + 1
            if faults == 1:
                log.warning("source_fails", extra={"source": name, "why": str(fault)})
            around.sources.failed(name, str(fault), around.clock.now())
            await pause(pause_after(fault, faults, RETRY_SECONDS, jitter()), stop)
