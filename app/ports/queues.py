"""Where people's targets for queues are kept."""

from collections.abc import Mapping
from typing import Protocol

from app.core.event import Event
from app.core.floor.targets import QueueTargets


class QueueStore(Protocol):
    """What people told us about queues: targets, and which are retired. An event gets its `before` from the row."""

    async def targets(self) -> Mapping[str, QueueTargets]:
        """Return the targets of every queue that has its own."""

    async def save_targets(self, queue: str, targets: QueueTargets, event: Event) -> None:
        """Add or replace a queue's targets; the same again is no change and no event."""
