"""Starts the workers, starts them again when they fall, and stops them."""

import asyncio
import logging
import random
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence

from app.errors import HoldfireError, Invalid
from app.services.container import Services
from app.settings import Settings
from workers.deliveries import DeliveryWorker
from workers.packing import PackingWorker
from workers.retention import RetentionWorker
from workers.senders import registry as tools
from workers.senders.worker import SenderWorker
from workers.sources import registry
from workers.sources.worker import Surroundings, Worker, pause
from workers.systems.plain import readable_secrets

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
SOUND_SECONDS = 60.0  # a worker that ran for so long was well: its next fall counts as the first again
GRACE_SECONDS = 5.0
PLACES = 8
MOST_CAUSES = 12

_MOST_DOUBLINGS = 16

log = logging.getLogger(__name__)


def backoff(attempt: int, jitter: float) -> float:
    """Return the seconds to wait before start number attempt + 1 (attempt 0: after the first fall), at most 60.

    Doubles from 0.5. jitter, 0..1, takes up to half of it away, so that many workers do not come back at once.
    """
    whole = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(attempt, _MOST_DOUBLINGS))
    return float(whole * (1 - jitter / 2))


def _said(fault: Exception) -> str:
    """Return a fall as health and logs may show it: what Python says of a value may quote a caller's number."""
    kind = type(fault).__name__
    return f"{kind}: {fault}" if isinstance(fault, HoldfireError | OSError) else f"{kind}: the log says where"


def _where(fault: BaseException) -> list[str]:
    """Return the places that a fall came through, innermost first, in what it was caused by, too; no values."""
    places: list[str] = []
    for cause in _causes(fault):
        walked = traceback.walk_tb(cause.__traceback__)
        through = [f"{frame.f_globals.get('__name__')}:{line}" for frame, line in walked]
        places.append(" < ".join([type(cause).__name__, *reversed(through[-PLACES:])]))
    return places


def _causes(fault: BaseException) -> Iterator[BaseException]:
    """Yield a fault, those it is made of, and what it was caused by, at most a dozen."""
    waiting: list[BaseException] = [fault]
    for _ in range(MOST_CAUSES):
        if not waiting:
            return
        each = waiting.pop(0)
        yield each
        waiting.extend(each.exceptions if isinstance(each, BaseExceptionGroup) else ())
        if cause := each.__cause__ or (None if each.__suppress_context__ else each.__context__):
            waiting.append(cause)


class Supervisor:
    """Runs workers side by side until told to stop. One that falls is started again; the others do not notice."""

    def __init__(
        self,
        workers: Sequence[Worker],
        *,
        failed: Callable[[str, str], None] = lambda _name, _error: None,
        jitter: Callable[[], float] = random.random,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._workers, self._failed, self._jitter, self._grace = tuple(workers), failed, jitter, grace_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Return once `stop` is set and every worker has ended; those still at work after the grace are cancelled.

        Raises Invalid, and ends all workers, when one says that its configuration can never work.
        """
        waiting = asyncio.create_task(stop.wait())
        running = {asyncio.create_task(self._keep(worker, stop), name=worker.name) for worker in self._workers}
        tasks = frozenset(running)
        try:
            while not waiting.done():
                done, _ = await asyncio.wait({waiting, *running}, return_when=asyncio.FIRST_COMPLETED)
                running -= done
                for task in done:
                    task.result()
        finally:
            stop.set()
            waiting.cancel()
            await self._end(tasks)

    async def _keep(self, worker: Worker, stop: asyncio.Event) -> None:
        """Run one worker until it is done or `stop` is set, with pauses between its falls."""
        falls = 0
        while not stop.is_set():
            started = time.monotonic()
            try:
                await worker.run(stop)
            except Invalid:
                raise
            except Exception as fault:  # noqa: BLE001 - whatever it is, the worker is started again
                said = _said(fault)
                log.error("worker_failed", extra={"worker": worker.name, "why": said, "where": _where(fault)})  # noqa: TRY400 - a traceback quotes
                self._failed(worker.name, said)
            else:
                return
            falls = 0 if time.monotonic() - started >= SOUND_SECONDS else falls
            await pause(backoff(falls, self._jitter()), stop)
            falls += 1

    async def _end(self, tasks: frozenset[asyncio.Task[None]]) -> None:
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=self._grace)
        for task in late:
            log.warning("worker_cancelled", extra={"worker": task.get_name(), "grace_seconds": self._grace})
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


Crew = Callable[[Surroundings, Sequence[Worker]], Supervisor]


def crew_for(settings: Settings) -> Crew:
    """Return what makes the supervisor of these settings' sources and of other workers.

    Raises Invalid for a bad [[sources]] table.
    """
    factories = registry.configured(settings.sources)

    def crew(around: Surroundings, others: Sequence[Worker]) -> Supervisor:
        for said in readable_secrets(settings):
            log.warning("secret_readable", extra={"setting": said})
        sources = [factory(around) for factory in factories.values()]
        names = {worker.name for worker in sources}

        def failed(name: str, error: str) -> None:
            if name in names:
                around.sources.failed(name, error, around.clock.now())

        return Supervisor([*sources, *others], failed=failed)

    return crew


def background_for(settings: Settings) -> Callable[[Services, asyncio.Event], Awaitable[None]]:
    """Return what runs all workers of these settings beside an application.

    Raises Invalid for a bad [[sources]] or [[senders]] table. Nothing is opened before it is called with the services
    and the event that stops it.
    """
    crew, senders = crew_for(settings), tools.configured(settings.senders)

    async def background(services: Services, stop: asyncio.Event) -> None:
        around = Surroundings(services.ingest, services.sources, services.clock)
        others: list[Worker] = [
            RetentionWorker(services.retention),
            PackingWorker(services.packing),
            DeliveryWorker(services.deliveries),
            *(SenderWorker(services.driving, configured) for configured in senders.values()),
        ]
        await crew(around, others).run(stop)

    return background
