"""Forgets what is older than the operator wants kept."""

from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from app.ports import Clock


class RawRecords(Protocol):
    """Of the stream, all that retention needs."""

    async def prune(self, before: datetime) -> int:
        """Delete raw records received before `before`; return how many."""


class Minutes(Protocol):
    """Of history, all that retention needs."""

    async def prune_rollups(self, minutes_before: datetime) -> int:
        """Delete 1-minute rollups older than that (1-hour ones stay); return how many."""


class Pruned(NamedTuple):
    """How many raw records and 1-minute rollups were deleted."""

    records: int
    minutes: int


class Retention:
    """Raw records are kept for raw_days after they came, 1-minute history for minutes_days; 1-hour history stays."""

    def __init__(
        self, stream: RawRecords, history: Minutes, clock: Clock, *, raw_days: float, minutes_days: float
    ) -> None:
        self._stream, self._history, self._clock = stream, history, clock
        self._raw, self._minutes = timedelta(days=raw_days), timedelta(days=minutes_days)

    async def prune(self) -> Pruned:
        """Delete what is too old by the clock, and say how much that was."""
        now = self._clock.now()
        records = await self._stream.prune(now - self._raw)
        return Pruned(records, await self._history.prune_rollups(now - self._minutes))
