"""Floors for tests of the gate: a view made of plain readings, and readings made of plain numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.view import Reading

# A Monday.
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def a_reading(
    metric: Metric = Metric.BACKLOG,
    value: float | None = 0.0,
    *,
    observed_at: datetime = NOON,
    window_seconds: float | None = None,
    samples: int | None = None,
    source: str = "acd-1",
) -> Reading:
    """Return a reading with the metric's own unit."""
    unit = DEFINITIONS[metric].unit
    return Reading(metric, value, unit, window_seconds, source, observed_at, samples, metric.value)


@dataclass
class StaticFloor:
    """A FloorView of readings that are put in by hand.

    A reading asked for with a window is the one stored for that window, else the one stored without: so a test names
    windows only where they matter. A queue is on the floor from the first `put`, and by `add_queue` without any data.
    """

    at: datetime = NOON
    readings: dict[tuple[str, Metric, float | None], Reading] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def add_queue(self, queue: str) -> "StaticFloor":
        self.names.add(queue)
        return self

    def put(self, queue: str, *readings: Reading, window_seconds: float | None = None) -> "StaticFloor":
        """Set readings of a queue; window_seconds: only for those who ask for this window."""
        self.names.add(queue)
        for reading in readings:
            self.readings[queue, reading.metric, window_seconds] = reading
        return self

    def queues(self) -> Sequence[str]:
        return sorted(self.names)

    def reading(self, queue: str, metric: Metric, window_seconds: float | None = None) -> Reading | None:
        asked = self.readings.get((queue, metric, window_seconds))
        return asked if asked is not None else self.readings.get((queue, metric, None))

    def last_heard_at(self, queue: str) -> datetime | None:
        return max((r.observed_at for (name, _, _), r in self.readings.items() if name == queue), default=None)


def backlog_floor(waiting: float | None, *, at: datetime = NOON, age_seconds: float = 0.0) -> StaticFloor:
    """Return a floor with one queue, "orders", that reports only its backlog; None: it reports nothing."""
    floor = StaticFloor(at).add_queue("orders")
    if waiting is not None:
        floor.put("orders", a_reading(Metric.BACKLOG, waiting, observed_at=at - timedelta(seconds=age_seconds)))
    return floor


def seconds_from(start: datetime, count: int) -> Iterable[datetime]:
    """Yield `count` instants, one per second, from `start` on."""
    return (start + timedelta(seconds=second) for second in range(count))
