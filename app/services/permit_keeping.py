"""What happens to permits by itself: they expire, and are paused as soon as their gate lets nothing more go."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from app.core.event import HOLDFIRE, Event
from app.core.permit import steps
from app.core.permit.permit import Permit, PermitStep
from app.errors import HoldfireError
from app.ports.clock import Clock
from app.ports.permits import PermitStore
from app.services.answering import Answering
from app.services.permit_standing import why_stop
from app.services.permit_sums import PermitSums, Sender
from app.services.published import Published

log = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
MIN_SWEEP_WALL_SECONDS = 0.05
PRUNE_EVERY = timedelta(hours=1)
KEPT_FOR_REPEATS = timedelta(hours=24)


class PermitKeeper:
    """Ends what is over and pauses what must stop. What fails is logged and done again a second later.

    Nobody depends on it to be safe: an expired permit and one whose gate is shut read must_stop before it has come by.
    """

    def __init__(
        self,
        store: PermitStore,
        sums: Callable[[], PermitSums],
        answering: Answering,
        *,
        clock: Clock,
        on_change: Callable[[], None],
    ) -> None:
        self._store, self._sums, self._answering, self._clock = store, sums, answering, clock
        self._on_change = on_change
        self._pausing: dict[str, asyncio.Task[None]] = {}
        self._pruned_at = clock.now()

    def gate_changed(self, _published: Published | None = None) -> None:
        """Begin to pause the active permits of every gate and campaign that let nothing go as they stand now.

        For the evaluator's listeners: on the event loop, right after it published. One job per gate at a time.
        """
        shut: dict[str, dict[Sender, str]] = {}
        for sender in self._sums().active():
            if (reason := why_stop(self._answering, *sender)) is not None:
                shut.setdefault(sender[0], {})[sender] = reason
        for gate, reasons in shut.items():
            if gate not in self._pausing:
                self._pausing[gate] = asyncio.create_task(self._pause(gate, reasons), name=f"pause-{gate}")

    async def follow(self) -> None:
        """Expire what is over, pause what must stop, as of now; return once that is durable. Raises NotDurable."""
        now = self._clock.now()
        if self._sums().is_due(now):
            await self._store.expire_due(now)
            self._on_change()
        self.gate_changed()
        await self.settle()

    async def settle(self) -> None:
        """Return once no pause is being written down."""
        while self._pausing:
            await asyncio.wait(list(self._pausing.values()))

    async def run(self, stop: asyncio.Event) -> None:
        """Follow about once a second of the clock, and forget old answers every hour, until `stop` is set."""
        while not stop.is_set():
            await self._rest(stop)
            try:
                await self.follow()
                await self._prune()
            except (HoldfireError, OSError) as fault:
                log.warning("permits_not_followed", extra={"error": str(fault)})
        await self.settle()

    async def _rest(self, stop: asyncio.Event) -> None:
        least = asyncio.ensure_future(asyncio.sleep(MIN_SWEEP_WALL_SECONDS))
        sweep = asyncio.ensure_future(self._clock.sleep(SWEEP_SECONDS))
        stopped = asyncio.ensure_future(stop.wait())
        rested = asyncio.gather(least, sweep)
        waits: list[asyncio.Future[Any]] = [rested, stopped]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        rested.cancel()
        with suppress(asyncio.CancelledError):
            await rested

    async def _prune(self) -> None:
        now = self._clock.now()
        if abs(now - self._pruned_at) >= PRUNE_EVERY:
            await self._store.prune_repeats(now - KEPT_FOR_REPEATS)
            self._pruned_at = now

    async def _pause(self, gate: str, reasons: Mapping[Sender, str]) -> None:
        now = self._clock.now()

        def step(permit: Permit) -> tuple[Permit, tuple[Event, ...]] | None:
            reason = reasons.get((permit.gate, permit.campaign))
            if reason is None or not steps.is_for(permit, PermitStep.PAUSE, now):
                return None
            return steps.take(permit, PermitStep.PAUSE, HOLDFIRE, now, reason)

        try:
            if await self._store.change_live(gate, None, now, step):
                self._on_change()
        except (HoldfireError, OSError) as fault:
            log.warning("permits_not_paused", extra={"gate": gate, "error": str(fault)})
        finally:
            del self._pausing[gate]
