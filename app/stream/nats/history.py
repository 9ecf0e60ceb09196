"""What the stream needs of the database: the records that NATS keeps no more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from app.ports.stream import StreamRecord


class History(Protocol):
    """The records that were written down, as app.stream.sql has them."""

    async def read(self, after: int, limit: int = 10_000) -> Sequence[StreamRecord]:
        """Return up to `limit` records with a position above `after`, in order."""

    async def position_before(self, at: datetime) -> int:
        """Return the highest position below everything received at or after `at`."""

    async def prune(self, before: datetime) -> int:
        """Delete records received before `before`; return how many."""

    async def close(self) -> None:
        """Let go of what is held."""
