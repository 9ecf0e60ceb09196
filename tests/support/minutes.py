"""Minutes of history for tests: told cell by cell, laid out as a backtest reads them, and as a floor that can be asked.

The floor is written for plainness: it goes back through the cells anew for every reading, and shares nothing with the
arrays but what a minute says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from app.core.backtest.history import FloorHistory, MetricMinutes, QueueMinutes
from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.view import Reading

START = datetime(2026, 11, 23, 6, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)


class Cell(NamedTuple):
    """What one minute says of one metric: a reading, or contacts with their sum, or (neither) nothing."""

    last: float | None = None
    weight: int = 0
    total: float = 0.0


NOTHING = Cell()


@dataclass
class ToldQueue:
    """One queue: its cells by metric, one list of equal length each, and whether it spoke in each minute at all."""

    cells: Mapping[Metric, Sequence[Cell]]
    spoke: Sequence[bool] = ()
    retired_at: datetime | None = None

    def heard(self, minute: int) -> bool:
        told = any(cells[minute] != NOTHING for cells in self.cells.values())
        return told or bool(self.spoke and self.spoke[minute])


def a_history(queues: Mapping[str, ToldQueue], minutes: int, start: datetime = START) -> FloorHistory:
    """Return the cells as arrays."""
    return FloorHistory(start, minutes, [_queue(name, told, minutes) for name, told in sorted(queues.items())])


def _queue(name: str, told: ToldQueue, minutes: int) -> QueueMinutes:
    heard = np.array([told.heard(minute) for minute in range(minutes)], bool)
    metrics = {metric: _metric(cells) for metric, cells in told.cells.items() if any(c != NOTHING for c in cells)}
    return QueueMinutes(name, int(np.argmax(heard)) if heard.any() else minutes, heard, metrics, told.retired_at)


def _metric(cells: Sequence[Cell]) -> MetricMinutes:
    has_last = any(cell.last is not None for cell in cells)
    has_counts = any(cell.weight for cell in cells)
    return MetricMinutes(
        since=next(minute for minute, cell in enumerate(cells) if cell != NOTHING),
        last=np.array([np.nan if cell.last is None else cell.last for cell in cells]) if has_last else None,
        weight=np.array([cell.weight for cell in cells], np.int64) if has_counts else None,
        total=np.array([round(cell.total * 1e6) for cell in cells], np.int64) if has_counts else None,
    )


@dataclass
class MinuteFloor:
    """A FloorView that knows the minutes up to the one that ends at `at`, and nothing of what is between them."""

    queues_told: Mapping[str, ToldQueue]
    minute: int
    start: datetime = START
    default_window_seconds: float = field(default=300.0)

    @property
    def at(self) -> datetime:
        return self._end(self.minute)

    def queues(self) -> Sequence[str]:
        return sorted(name for name, told in self.queues_told.items() if self._is_on_floor(told))

    def last_heard_at(self, queue: str) -> datetime | None:
        newest = self._newest_heard(self.queues_told[queue])
        return None if newest is None else self._end(newest)

    def reading(self, queue: str, metric: Metric, window_seconds: float | None = None) -> Reading | None:
        told = self.queues_told[queue]
        cells = told.cells.get(metric, ())[: self.minute + 1]
        heard = self._newest_heard(told)
        spoken = [minute for minute, cell in enumerate(cells) if cell != NOTHING]
        if not spoken or heard is None:
            return None
        ready_made = [minute for minute in spoken if cells[minute].last is not None]
        counted = [minute for minute in spoken if cells[minute].weight]
        if ready_made and (not counted or ready_made[-1] >= counted[-1]):
            return self._reading(metric, cells[ready_made[-1]].last, ready_made[-1], None)
        if not DEFINITIONS[metric].windowed:
            return None
        window = -(-round(window_seconds or self.default_window_seconds) // 60)
        inside = [cell for cell in cells[max(0, self.minute + 1 - window) :] if cell.weight]
        samples = sum(cell.weight for cell in inside)
        micros = sum(round(cell.total * 1e6) for cell in inside)
        return self._reading(metric, micros / (samples * 1_000_000) if samples else None, heard, samples)

    def _reading(self, metric: Metric, value: float | None, minute: int, samples: int | None) -> Reading:
        return Reading(metric, value, DEFINITIONS[metric].unit, None, "told", self._end(minute), samples, "told")

    def _newest_heard(self, told: ToldQueue) -> int | None:
        return next((minute for minute in range(self.minute, -1, -1) if told.heard(minute)), None)

    def _is_on_floor(self, told: ToldQueue) -> bool:
        newest = self._newest_heard(told)
        if newest is None:
            return False
        retired = told.retired_at
        return retired is None or self.at < retired or self._end(newest) - MINUTE >= retired

    def _end(self, minute: int) -> datetime:
        return self.start + (minute + 1) * MINUTE
