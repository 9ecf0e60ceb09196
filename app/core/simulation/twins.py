"""One simulated day, twice: the same customers, agents and campaign, but for when its emails leave. Values only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.simulation.daybook import FiveMinutes, Wave


@dataclass(frozen=True, slots=True)
class Day:
    """One of the two, so far. queue: of the queue that is looked at; center: of all queues together."""

    queue: Sequence[FiveMinutes]
    center: Sequence[FiveMinutes]
    waves: Sequence[Wave]

    def peak(self, since: datetime) -> FiveMinutes | None:
        """Return the five minutes, of those that begin at `since` or later, with the slowest answers; None without."""
        after = [each for each in self.queue if each.until > since and each.speed_to_answer_seconds is not None]
        return max(after, key=lambda each: each.speed_to_answer_seconds or 0.0, default=None)

    def gave_up(self, since: datetime) -> int:
        """Return how many customers of all queues gave up since then."""
        return sum(each.abandoned for each in self.center if each.until > since)

    @property
    def mailed(self) -> int:
        """How many people were mailed so far."""
        return sum(wave.people for wave in self.waves)


@dataclass(frozen=True, slots=True)
class Twins:
    """Both days. at_once: the whole audience is mailed at planned_at; gated: as the gate lets it go.

    until: up to when both are told. start and end: of the day that is shown. queue: its title. All aware UTC.
    """

    at_once: Day
    gated: Day
    queue: str
    audience: int
    planned_at: datetime
    start: datetime
    until: datetime
    end: datetime
    zone: ZoneInfo

    @property
    def is_over(self) -> bool:
        """Tell whether the day has come to its end: nothing changes any more."""
        return self.until >= self.end
