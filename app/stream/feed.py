"""What waits for one reader of the tail: the groups committed in this process, in order, up to a bound."""

import asyncio
from collections import deque
from collections.abc import Sequence

from app.ports.stream import StreamRecord
from app.stream.group import Written


class Feed:
    """Committed groups waiting for one reader. Used on the event loop only.

    `behind` is true when the feed cannot continue the reader's position: at the start, after the reader fell more
    than `bound` records behind, and when another process has written. The reader then reads from the database.
    """

    def __init__(self, bound: int) -> None:
        self.behind = True
        self._bound = bound
        self._groups: deque[Written] = deque()
        self._held = 0
        self._arrived = asyncio.Event()

    def offer(self, group: Written) -> None:
        """Add the newest group; drop all when that is more than the reader may lag."""
        self._groups.append(group)
        self._held += len(group.records)
        if self._held > self._bound:
            self._drop()
        self._arrived.set()

    def hint(self) -> None:
        """Let the reader look into the database: another process has written."""
        self.behind = True
        self._arrived.set()

    def wake(self) -> None:
        """End a wait for the next group."""
        self._arrived.set()

    def take(self, position: int) -> Sequence[StreamRecord]:
        """Return the next records above `position`, none when nothing waits or `behind` has become true."""
        while self._groups:
            base, records, _ = self._groups[0]
            if base > position:
                self.behind = True
                return ()
            self._groups.popleft()
            self._held -= len(records)
            if base + len(records) > position:
                return records[position - base :]
        return ()

    async def arrival(self, seconds: float) -> bool:
        """Wait for a group, at most that long; return whether one came."""
        if not self._groups:
            self._arrived.clear()
            try:
                async with asyncio.timeout(seconds):  # wait_for would lose a cancellation that comes with a group
                    await self._arrived.wait()
            except TimeoutError:
                return False
        return True

    def _drop(self) -> None:
        self._groups.clear()
        self._held = 0
        self.behind = True
