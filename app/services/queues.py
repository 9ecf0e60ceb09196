"""What people set per queue: targets, titles, and that a queue is retired."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from app.core.event import HOLDFIRE, Actor, Event, EventType
from app.core.floor.fields import name_fault
from app.core.floor.targets import QueueTargets, problems
from app.core.problem import Problem
from app.errors import Invalid
from app.ports.clock import Clock
from app.ports.queues import QueueStore


class Queues:
    """The queues' own settings. on_change(all targets) runs after a change is durable."""

    def __init__(
        self,
        store: QueueStore,
        clock: Clock,
        on_change: Callable[[Mapping[str, QueueTargets]], None] = lambda _targets: None,
    ) -> None:
        self._store, self._clock, self._on_change = store, clock, on_change

    async def all(self) -> Mapping[str, QueueTargets]:
        """Return the targets of every queue that has its own; the others have the defaults."""
        return await self._store.targets()

    async def targets(self, queue: str) -> QueueTargets | None:
        """Return a queue's own targets, None when nobody has set any."""
        return (await self._store.targets()).get(queue)

    async def save(self, queue: str, targets: QueueTargets, actor: Actor = HOLDFIRE, reason: str = "") -> None:
        """Add or replace a queue's targets; data need not have come yet. Raises Invalid with a problem per fault."""
        _refuse_bad(queue, targets)
        event = Event(EventType.QUEUE_CHANGED, self._clock.now(), actor, f"queue/{queue}", reason)
        await self._store.save_targets(queue, targets, event)
        self._on_change(await self._store.targets())

    async def retire(self, queue: str, actor: Actor = HOLDFIRE) -> None:
        """Leave a queue out of everything from now on; data newer than now brings it back."""
        own = await self.targets(queue) or QueueTargets()
        await self.save(queue, replace(own, retired_at=self._clock.now()), actor, "retired")


def _refuse_bad(queue: str, targets: QueueTargets) -> None:
    fault = name_fault(queue)
    found = [*([Problem("/path/queue", fault)] if fault else []), *problems(targets)]
    if found:
        raise Invalid("the queue's settings were refused; nothing was changed", found)
