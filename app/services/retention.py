"""Forgets what is older than the operator wants kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from app.ports.clock import Clock
from app.ports.stream import StreamRecord


class RawRecords(Protocol):
    """Of the stream, all that retention needs."""

    async def position_before(self, at: datetime) -> int:
        """Return the highest position received before `at`; 0 when there is none."""

    async def read(self, after: int, limit: int = 10_000) -> Sequence[StreamRecord]:
        """Return up to `limit` records with a position above `after`, in order."""

    async def prune(self, before: datetime) -> int:
        """Delete raw records received before `before`; return how many."""


class Minutes(Protocol):
    """Of history, all that retention needs."""

    async def prune_rollups(self, minutes_before: datetime) -> int:
        """Delete 1-minute rollups older than that (1-hour ones stay); return how many."""


class KeptOutlooks(Protocol):
    """Of outlooks, all that retention needs."""

    async def prune_outlooks(self, before: datetime) -> int:
        """Delete outlooks made before that; return how many."""


class Pruned(NamedTuple):
    """How many raw records, 1-minute rollups and outlooks were deleted."""

    records: int
    minutes: int
    outlooks: int


class Retention:
    """Raw records and outlooks are kept for raw_days, 1-minute history for minutes_days; 1-hour history stays.

    Days are counted back from the newest record: what was replayed from years ago, or was the last to come before the
    sources fell silent, stays until something newer takes its place.
    """

    def __init__(
        self,
        stream: RawRecords,
        history: Minutes,
        outlooks: KeptOutlooks,
        clock: Clock,
        *,
        raw_days: float,
        minutes_days: float,
    ) -> None:
        self._stream, self._history, self._outlooks, self._clock = stream, history, outlooks, clock
        self._raw, self._minutes = timedelta(days=raw_days), timedelta(days=minutes_days)

    async def prune(self) -> Pruned:
        """Delete what is too old, and say how much that was."""
        newest_at = await self._newest_at()
        records = await self._stream.prune(newest_at - self._raw)
        minutes = await self._history.prune_rollups(newest_at - self._minutes)
        return Pruned(records, minutes, await self._outlooks.prune_outlooks(newest_at - self._raw))

    async def _newest_at(self) -> datetime:
        """Return when the newest record came, the present instant when there is none."""
        now = self._clock.now()
        position = await self._stream.position_before(now)
        newest = await self._stream.read(position - 1, limit=1) if position else ()
        return min(now, newest[0].received_at) if newest else now
