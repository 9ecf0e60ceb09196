"""What of the past is looked at: a queue, how far back, what is drawn behind it and what is left out. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.core.floor.metric import Metric

DRAWN = (Metric.SPEED_TO_ANSWER_SECONDS, Metric.BACKLOG, Metric.SERVICE_LEVEL_RATIO, Metric.HANDLE_TIME_SECONDS)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Behind(StrEnum):
    """An earlier day, drawn thin behind the present one."""

    YESTERDAY = "yesterday"
    LAST_WEEK = "last-week"

    @property
    def days(self) -> int:
        """How many days ago it was."""
        return 1 if self is Behind.YESTERDAY else 7


class Layer(StrEnum):
    """What is drawn over the lines and can be left out."""

    HELD = "held"
    SENDS = "sends"
    NOTES = "notes"
    DEPLOYS = "deploys"
    CHANGES = "changes"
    GAPS = "gaps"
    OUTLOOK = "outlook"


class Range(NamedTuple):
    """How far back: in how many seconds a point, and after how many seconds of the clock it is drawn anew.

    behind: the days that can be drawn behind it. looks_ahead: the outlook is wide enough in it to be seen.
    """

    title: str
    length: timedelta
    step_seconds: int
    refresh_seconds: float
    behind: Sequence[Behind] = ()
    looks_ahead: bool = False


BOTH = (Behind.YESTERDAY, Behind.LAST_WEEK)
RANGES = {
    "3h": Range("3 h", 3 * HOUR, 60, 10.0, BOTH, looks_ahead=True),
    "24h": Range("24 h", DAY, 300, 60.0, BOTH, looks_ahead=True),
    "7d": Range("7 d", 7 * DAY, 3_600, 300.0, (Behind.LAST_WEEK,)),
    "30d": Range("30 d", 30 * DAY, 7_200, 600.0),
    "1y": Range("1 y", 365 * DAY, 86_400, 600.0),
}
DEFAULT_RANGE = "3h"
DEFAULT_BEHIND = "last-week"


@dataclass(frozen=True, slots=True)
class Choice:
    """What is looked at, of one queue. Of `behind` only what its range can show is drawn."""

    queue: str
    range: str = DEFAULT_RANGE
    behind: frozenset[Behind] = frozenset({Behind.LAST_WEEK})
    hidden: frozenset[Layer] = frozenset()

    @property
    def chosen(self) -> Range:
        """The range itself."""
        return RANGES[self.range]

    def shows(self, layer: Layer) -> bool:
        """Return whether a layer is drawn."""
        return layer not in self.hidden

    def begins(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Return where the span starts: on a whole step, so that points stay where they are while time passes.

        Days begin with the whole hour in which the center's day does.
        """
        start = now - self.chosen.length
        if self.chosen.step_seconds == DAY.total_seconds():
            start = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(now.tzinfo)
        step = min(self.chosen.step_seconds, int(HOUR.total_seconds()))
        return start - timedelta(seconds=start.timestamp() % step)


def read_choice(queue: str, range_: str, behind: str | None, hide: str) -> Choice:
    """Return the choice that a URL names; what does not exist is left out. behind None: the URL does not say."""
    return Choice(
        queue,
        range_ if range_ in RANGES else DEFAULT_RANGE,
        frozenset(Behind(each) for each in _listed(DEFAULT_BEHIND if behind is None else behind) if each in BOTH),
        frozenset(Layer(each) for each in _listed(hide) if each in tuple(Layer)),
    )


def _listed(text: str) -> Iterable[str]:
    return [each.strip() for each in text.split(",")]
