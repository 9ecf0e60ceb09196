"""The account of a simulated day: what became of its customers, five minutes by five minutes, and what was sent.

Counted by the floor's own rollups, so that the figures mean what they mean everywhere else in holdfire: speed to
answer over the contacts answered in the five minutes, service level over those that came in them, abandonment by when
people gave up.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.floor.contact import ContactEvent
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from app.core.floor.state import Floor
from app.core.floor.targets import QueueTargets

FIVE_MINUTES = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(minutes=2)  # emails further apart belong to different waves

_Sums = tuple[float, float]  # numerator and denominator
_NOTHING: _Sums = (0.0, 0.0)


class FiveMinutes(NamedTuple):
    """What became of customers in the five minutes up to `until`; both averages are None where there was nobody."""

    until: datetime
    answered: int
    abandoned: int
    speed_to_answer_seconds: float | None
    service_level_ratio: float | None


class Wave(NamedTuple):
    """So many people were mailed from start to end, without a longer pause."""

    start: datetime
    end: datetime
    people: int


class DayBook:
    """Keeps the account of one floor from `start` (aware UTC, a whole five minutes) on."""

    def __init__(self, start: datetime, targets: Mapping[str, QueueTargets]) -> None:
        self._start, self._floor = start, Floor(targets)
        self._closed_until = start
        self._sums: defaultdict[tuple[str, Metric, datetime], _Sums] = defaultdict(lambda: _NOTHING)
        self._waves: list[Wave] = []

    def take(self, happened: Iterable[ContactEvent | Observation], now: datetime) -> None:
        """Take in what happened up to `now`, which never goes back."""
        for each in happened:
            if isinstance(each, ContactEvent):
                self._floor.apply(each)
        passed = (now - self._closed_until) // FIVE_MINUTES
        if passed > 0:
            self._closed_until += passed * FIVE_MINUTES
            self._floor.view(now)
            self._add_up()

    def mailed(self, people: int, at: datetime) -> None:
        """Note that emails went to so many people just before `at`."""
        last = self._waves[-1] if self._waves else None
        if last is not None and at - last.end <= LONGEST_PAUSE:
            self._waves[-1] = Wave(last.start, at, last.people + people)
        else:
            self._waves.append(Wave(at, at, people))

    @property
    def waves(self) -> tuple[Wave, ...]:
        """What was sent, in order of time."""
        return tuple(self._waves)

    def series(self, queues: Iterable[str]) -> tuple[FiveMinutes, ...]:
        """Return every whole five minutes since the start, of these queues together."""
        queues = tuple(queues)
        count = (self._closed_until - self._start) // FIVE_MINUTES
        return tuple(self._entry(queues, self._start + index * FIVE_MINUTES) for index in range(count))

    def _add_up(self) -> None:
        for gained in self._floor.drain_rollups():
            begin = self._start + (gained.bucket_at - self._start) // FIVE_MINUTES * FIVE_MINUTES
            key = (gained.queue, gained.metric, begin)
            total, weight = self._sums[key]
            self._sums[key] = total + gained.total, weight + gained.weight

    def _entry(self, queues: tuple[str, ...], begin: datetime) -> FiveMinutes:
        waited, answered = self._sum(queues, Metric.SPEED_TO_ANSWER_SECONDS, begin)
        in_time, offered = self._sum(queues, Metric.SERVICE_LEVEL_RATIO, begin)
        abandoned, _ = self._sum(queues, Metric.ABANDONMENT_RATIO, begin)
        return FiveMinutes(
            begin + FIVE_MINUTES,
            round(answered),
            round(abandoned),
            waited / answered if answered else None,
            in_time / offered if offered else None,
        )

    def _sum(self, queues: tuple[str, ...], metric: Metric, begin: datetime) -> _Sums:
        parts = [self._sums.get((queue, metric, begin), _NOTHING) for queue in queues]
        return sum(total for total, _ in parts), sum(weight for _, weight in parts)
