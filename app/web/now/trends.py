"""The last half hour of each queue's backlog, from history and from what was seen since it was written."""

import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.floor.metric import Metric
from app.core.floor.view import FloorView
from app.services.history import History
from app.web.now.sparkline import Sparkline, sparkline

TREND = timedelta(minutes=30)
TREND_POINTS = 30
KEPT_CLOCK_SECONDS = 30.0
KEPT_WALL_SECONDS = 1.0
SEEN = 60
SEEN_EVERY_SECONDS = 15.0

Values = list[tuple[datetime, float | None]]


class Kept(NamedTuple):
    """A queue's last half hour as read from history, and when: by our clock and by the wall's stopwatch."""

    values: Values
    at: datetime
    read_at: float


class Trends:
    """Draws them. History is read at most once a second and twice a clock minute per queue."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._seen: dict[str, deque[tuple[datetime, float | None]]] = {}

    async def of(
        self, history: History, queue: str, view: FloorView, now: datetime, *, limit: float | None
    ) -> Sparkline:
        """Return a queue's trend up to now; limit: that of its backlog, where it has one."""
        past = await self._history(history, queue, now)
        written_until = past[-1][0] if past else now - TREND
        values = dict(past) | {at: value for at, value in self._newest(queue, view) if at >= written_until}
        return sparkline(list(values.items()), now - TREND, now, limit=limit)

    def _newest(self, queue: str, view: FloorView) -> Sequence[tuple[datetime, float | None]]:
        """Return what was seen lately, the present value last: history is written a few seconds behind it."""
        seen = self._seen.setdefault(queue, deque(maxlen=SEEN))
        reading = view.reading(queue, Metric.BACKLOG)
        if reading is None:
            return ()
        while seen and (reading.observed_at - seen[-1][0]).total_seconds() <= 0:
            seen.pop()
        shown = [*seen, (reading.observed_at, reading.value)]
        if not seen or (reading.observed_at - seen[-1][0]).total_seconds() >= SEEN_EVERY_SECONDS:
            seen.append(shown[-1])
        return shown

    async def _history(self, history: History, queue: str, now: datetime) -> Values:
        kept = self._kept.get(queue)
        if kept and not _outdated(kept, now):
            return kept.values
        series = await history.points(queue, Metric.BACKLOG, now - TREND, now, TREND_POINTS + 1)
        kept = self._kept[queue] = Kept([(point.at, point.value) for point in series.points], now, time.monotonic())
        return kept.values


def _outdated(kept: Kept, now: datetime) -> bool:
    aged = abs((now - kept.at).total_seconds())
    return aged > KEPT_CLOCK_SECONDS and time.monotonic() - kept.read_at > KEPT_WALL_SECONDS
