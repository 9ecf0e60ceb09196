"""What backtests need of the store: minutes of history as arrays, and finished days packed for reading them fast."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.backtest.history import FloorHistory
from app.core.floor.metric import Metric


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which minutes: of these metrics, of the queues that any pattern matches, `minutes` of them from `start` on.

    start is aware UTC on a whole minute.
    """

    patterns: tuple[str, ...]
    metrics: frozenset[Metric]
    start: datetime
    minutes: int


class MinuteReader(Protocol):
    """Reads history as arrays. It blocks while it reads, and is picklable: who computes elsewhere reads there."""

    def read(self, wanted: Wanted, progress: Callable[[float], None] = ...) -> FloorHistory:
        """Return the minutes; arrays that are the caller's to read only. progress is told the share done, 0..1.

        Each queue has the metrics asked for that it ever had, and is heard where these or its backlog say something;
        any other metric counts for that only where it has no backlog. Raises HoldfireError when it cannot be read.
        """


class MinutePacks(Protocol):
    """Packs days of minutes that are over, so that a year of them is read in a moment. What is not packed is read, too.

    A day that something is added to later is not packed any more, until it is packed again.
    """

    async def unpacked(self, before: datetime, limit: int) -> "Collection[PackableDay]":
        """Return up to `limit` days that could be packed and are not, all over before `before`, oldest first."""

    async def pack(self, day: "PackableDay") -> None:
        """Pack a day as it is now; again is no harm."""


@dataclass(frozen=True, slots=True)
class PackableDay:
    """One UTC day, counted from 1970, of one metric of one queue."""

    queue: str
    metric: str
    day: int
