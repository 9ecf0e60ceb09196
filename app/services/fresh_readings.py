"""What a queue reports right now, as far as it is fresh: what an outlook starts from."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from app.core.floor.metric import Metric
from app.core.floor.view import FloorView, Reading
from app.core.gate.rules import MAX_AHEAD

USED = (
    *(Metric.BACKLOG, Metric.CONTACTS_IN_PROGRESS),
    *(Metric.AGENTS_STAFFED, Metric.AGENTS_BUSY, Metric.AGENTS_AVAILABLE),
)
"""The gauges that an outlook may start from."""


FEWEST_WAITING, SHORTEST_QUIET = 3, timedelta(minutes=10)


class NotKnown(Exception):
    """Something is not known that an outlook needs; str() is a sentence for people."""


@dataclass(frozen=True, slots=True)
class FreshReadings:
    """The readings of one queue that are not stale, nor from the future: what a rule trusts, too."""

    view: FloorView
    queue: str
    stale_after_seconds: float
    now: datetime

    def value(self, metric: Metric) -> float | None:
        """Return a gauge's fresh value, None without one."""
        reading = self._reading(metric)
        return None if reading is None else reading.value

    def oldest_at(self) -> datetime:
        """Return the instant of the oldest fresh gauge that an outlook may start from; now where there is none."""
        found = (self._reading(metric) for metric in USED)
        return min((reading.observed_at for reading in found if reading is not None), default=self.now)

    def waiting(self) -> int:
        """Return how many wait. Raises NotKnown where nobody says."""
        backlog = self.value(Metric.BACKLOG)
        if backlog is None:
            raise NotKnown(f"{self.queue}: nobody says how many are waiting; its backlog is missing or stale")
        return int(np.ceil(backlog))

    def came_within(self, began: datetime, ended: datetime) -> int:
        """Return how many wait, if the first of them came in this stretch of time, by the oldest wait reported; else 0.

        Fewer than 3, or a stretch of less than ten minutes, are not held against anybody's clock: 0.
        """
        waited, backlog = self._reading(Metric.OLDEST_WAIT_SECONDS), self.value(Metric.BACKLOG)
        if waited is None or waited.value is None or backlog is None or backlog < FEWEST_WAITING:
            return 0
        came_at = waited.observed_at - timedelta(seconds=waited.value)
        return int(backlog) if ended - began >= SHORTEST_QUIET and began <= came_at < ended else 0

    def busy(self, concurrency: float) -> int | None:
        """Return how many contacts are being handled, None where nobody says."""
        contacts = self.value(Metric.CONTACTS_IN_PROGRESS)
        if contacts is not None:
            return int(np.ceil(contacts))
        agents = self.value(Metric.AGENTS_BUSY)
        return None if agents is None else int(np.ceil(agents * concurrency))

    def present(self) -> float | None:
        """Return how many agents are here, None where nobody says."""
        staffed = self.value(Metric.AGENTS_STAFFED)
        if staffed is not None:
            return staffed
        busy, available = self.value(Metric.AGENTS_BUSY), self.value(Metric.AGENTS_AVAILABLE)
        return None if busy is None or available is None else busy + available

    def _reading(self, metric: Metric) -> Reading | None:
        reading = self.view.reading(self.queue, metric)
        if reading is None or reading.observed_at - self.now > MAX_AHEAD:
            return None
        if reading.age_seconds(self.now) >= self.stale_after_seconds:
            return None
        return reading if reading.value is not None and 0 <= reading.value < np.inf else None
