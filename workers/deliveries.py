"""Takes what is due out of the outbox and delivers it: urgent ones first, each receiver in its own time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from app.errors import Conflict, HoldfireError, Invalid, NotFound
from app.ports.webhooks import Delivery, Due, Lane
from app.services.deliveries import Deliveries, Message, Outcome, unsent
from workers.posting import Poster

AT_ONCE = 20
LONGEST_SLEEP_SECONDS = 60.0
PRUNE_SECONDS = 3600.0
REWRITE_SECONDS = 1.0
GRACE_SECONDS = 3.0

log = logging.getLogger(__name__)


class DeliveryWorker:
    """Delivers until stopped. Of each receiver at most one urgent and one other delivery are on their way at a time.

    A quarter of the places is kept for webhooks' urgent ones, so that slow receivers of the others cannot hold up a
    stop; those who wait for a permit, of whom there may be a thousand, have at most half.
    """

    name = "deliveries"

    def __init__(
        self,
        deliveries: Deliveries,
        *,
        post: Callable[[Message], Awaitable[Outcome]] | None = None,
        at_once: int = AT_ONCE,
    ) -> None:
        self._deliveries, self._at_once = deliveries, at_once
        self._post = post or Poster().post
        self._busy: dict[Lane, asyncio.Task[None]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; what is on its way then has a moment to end."""
        stopping = asyncio.create_task(stop.wait())
        pruning = asyncio.create_task(self._prune(stop))
        try:
            while not stop.is_set():
                due = await self._deliveries.due(self._busy)
                self._start(due, stop)
                await self._rest(due, {stopping, pruning})
                for task in [task for task in (pruning, *self._busy.values()) if task.done()]:
                    task.result()
                self._busy = {lane: task for lane, task in self._busy.items() if not task.done()}
        finally:
            stopping.cancel()
            pruning.cancel()
            await self._end()

    def _start(self, due: Due, stop: asyncio.Event) -> None:
        for delivery in due.deliveries:
            lane = Lane(delivery.receiver_id, delivery.urgent)
            if self._has_room(lane):
                self._busy[lane] = asyncio.create_task(self._deliver(delivery, stop))

    def _has_room(self, lane: Lane) -> bool:
        if len(self._busy) >= self._at_once:
            return False
        if lane.may_stop:
            return True
        others = sum(not busy.may_stop for busy in self._busy)
        askers = sum(busy.is_asker for busy in self._busy)
        return others < max(1, self._at_once * 3 // 4) and not (lane.is_asker and askers >= max(1, self._at_once // 2))

    async def _rest(self, due: Due, until: set[asyncio.Task[None] | asyncio.Task[bool]]) -> None:
        """Return when something may have become due: by time, by a new row, or because a lane is free again."""
        seconds = LONGEST_SLEEP_SECONDS
        if due.next_at is not None:
            seconds = min(seconds, self._deliveries.wall_seconds_until(due.next_at))
        new = asyncio.create_task(self._deliveries.new())
        try:
            await asyncio.wait(
                {new, *until, *self._busy.values()}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            new.cancel()

    async def _deliver(self, delivery: Delivery, stop: asyncio.Event) -> None:
        try:
            outcome = await self._post(await self._deliveries.prepared(delivery))
        except (Conflict, Invalid, NotFound) as fault:
            outcome = unsent(fault)
        except Exception as fault:  # it must not take everybody else's stops down with it
            log.exception("delivery_not_made", extra={"delivery": delivery.id, "receiver": delivery.receiver_id})
            outcome = Outcome(None, f"not sent: {type(fault).__name__}; the log has the cause")
        await self._settle(delivery, outcome, stop)

    async def _settle(self, delivery: Delivery, outcome: Outcome, stop: asyncio.Event) -> None:
        """Write the outcome down, again and again while that cannot be had: else it would be sent again at once."""
        while True:
            try:
                state = await self._deliveries.settle(delivery, outcome)
            except HoldfireError as fault:
                log.warning("delivery_not_settled", extra={"delivery": delivery.id, "error": str(fault)})
                if stop.is_set():
                    return
                await asyncio.sleep(REWRITE_SECONDS)
            else:
                break
        if not outcome.is_success:
            log.warning(
                "delivery_failed",
                extra={
                    "delivery": delivery.id,
                    "receiver": delivery.receiver_id,
                    "type": delivery.event_type,
                    "attempt": delivery.attempts + 1,
                    "state": state,
                    "detail": outcome.detail,
                },
            )

    async def _prune(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._deliveries.prune()
            except HoldfireError as fault:
                log.warning("deliveries_not_pruned", extra={"error": str(fault)})
            await asyncio.sleep(PRUNE_SECONDS)

    async def _end(self) -> None:
        if not self._busy:
            return
        _, late = await asyncio.wait(self._busy.values(), timeout=GRACE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)
        self._busy = {}
