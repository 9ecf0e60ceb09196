"""How many agents each queue will have: what the outlook is given, minute by minute, with where it is from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from app.core.floor.metric import Metric
from app.core.floor.targets import QueueTargets
from app.core.forecast.series import FloatArray
from app.core.staffing.hours import OpeningHours, open_minutes
from app.core.staffing.schedule import Interval, Span, agents_by_minute, weeks_before
from app.core.staffing.staffing import Asked, Planned, Staffing, staffing, usual_agents
from app.ports.history import HistoryPoint
from app.ports.staffing import GaugeHistory, ScheduleState, ScheduleStore
from app.services.opening_hours import Hours

WEEKS = 8
STEP_MINUTES = 15
FEWEST_DAYS_SEEN = 7  # a new team grows fast, and the first days tell nothing of what it will be
MOST_MINUTES = 14 * 24 * 60
BEHIND, AHEAD = timedelta(days=9), timedelta(days=16)
_NO_TARGETS = QueueTargets()


class _Kept(NamedTuple):
    """The intervals of one revision around now, so that they are read once and not every half minute."""

    revision: int
    span: Span
    intervals: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class _Usual:
    """What was usual, worked out once per quarter of an hour."""

    key: tuple[datetime, int]
    agents: FloatArray


class _MostSeen(NamedTuple):
    """The most agents seen, worked out once per hour; None: on too few days to tell."""

    hour: datetime
    agents: float | None


class Staffings:
    """Answers from memory, but for one short read of whether anything changed, also by other processes."""

    def __init__(
        self,
        schedules: ScheduleStore,
        hours: Hours,
        history: GaugeHistory,
        targets: Callable[[], Mapping[str, QueueTargets]],
    ) -> None:
        self._schedules, self._hours, self._history, self._targets = schedules, hours, history, targets
        self._kept: dict[str, _Kept] = {}
        self._usual: dict[str, _Usual] = {}
        self._most: dict[str, _MostSeen] = {}

    async def staffing(self, queue: str, start: datetime, minutes: int, present_agents: float | None) -> Staffing:
        """Return the agents of a queue for so many minutes from `start` on, 1 to 20,160.

        present_agents: how many are here at `start`, None where no fresh reading says so. Raises ValueError for
        minutes or a head-count outside what is allowed.
        """
        found, _ = await self.with_plan(queue, start, minutes, present_agents)
        return found

    async def with_plan(
        self, queue: str, start: datetime, minutes: int, present_agents: float | None
    ) -> tuple[Staffing, Planned]:
        """Return the same with what it was made from, which tells the minutes that nothing is known of."""
        if not 1 <= minutes <= MOST_MINUTES:
            raise ValueError(f"minutes={minutes} must be from 1 to {MOST_MINUTES:,}")
        state = (await self._schedules.states()).get(queue)
        hours = await self._hours.of(queue)
        targets = self._targets().get(queue, _NO_TARGETS)
        planned = await self._planned(queue, state, hours, start, minutes)
        is_open = open_minutes(hours, start, minutes)
        return staffing(Asked(queue, start, present_agents, is_open, targets.concurrency), planned), planned

    async def _planned(
        self, queue: str, state: ScheduleState | None, hours: OpeningHours | None, start: datetime, minutes: int
    ) -> Planned:
        scheduled = week_before = np.full(minutes, np.nan)
        most_seen = None
        zone_of_state = state.time_zone if state else "UTC"
        if state is not None and state.ends_at is not None:
            span = Span(start - BEHIND, start + max(AHEAD, timedelta(minutes=minutes)))
            intervals = await self._intervals(queue, state, span)
            scheduled = agents_by_minute(intervals, start, minutes)
            week_before = scheduled.copy()
            for first, last, began in weeks_before(start, minutes, zone_of_state):
                week_before[first:last] = agents_by_minute(intervals, began, last - first)
            most_seen = await self._most_seen(queue, start)
        usual = np.full(minutes, np.nan)
        if (np.isnan(scheduled) & np.isnan(week_before)).any():
            usual = await self._usual_agents(queue, hours.time_zone if hours else zone_of_state, start, minutes)
        return Planned(scheduled, week_before, usual, state.ends_at if state else None, most_seen)

    async def _intervals(self, queue: str, state: ScheduleState, span: Span) -> tuple[Interval, ...]:
        kept = self._kept.get(queue)
        if kept is None or kept.revision != state.revision or not _covers(kept.span, span):
            wider = Span(span.start - timedelta(days=1), span.end + timedelta(days=1))
            kept = _Kept(state.revision, wider, tuple(await self._schedules.intervals(queue, wider)))
            self._kept[queue] = kept
        return kept.intervals

    async def _most_seen(self, queue: str, now: datetime) -> float | None:
        """Return the most agents that were here at once in the last weeks; None with fewer than 7 days that tell."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        most = self._most.get(queue)
        if most is None or most.hour != hour:
            began, day = hour - timedelta(weeks=WEEKS), timedelta(days=1) // timedelta(seconds=1)
            days = await self._history.history(queue, Metric.AGENTS_STAFFED, began, hour, day)
            seen = [point.maximum for point in days if point.maximum]
            most = _MostSeen(hour, max(seen) if len(seen) >= FEWEST_DAYS_SEEN else None)
            self._most[queue] = most
        return most.agents

    async def _usual_agents(self, queue: str, time_zone: str, start: datetime, minutes: int) -> FloatArray:
        """Return the usual head-count per minute, by quarters of an hour of the last weeks; NaN where too few tell."""
        quarter = start.replace(minute=start.minute - start.minute % STEP_MINUTES, second=0, microsecond=0)
        steps = (minutes + 2 * STEP_MINUTES - 1) // STEP_MINUTES
        usual = self._usual.get(queue)
        if usual is None or usual.key != (quarter, steps):
            weeks = [await self._week(queue, time_zone, quarter, steps, week) for week in range(1, WEEKS + 1)]
            usual = _Usual((quarter, steps), usual_agents(np.array(weeks)))
            self._usual[queue] = usual
        since = (start - quarter) // timedelta(minutes=1)
        return np.repeat(usual.agents, STEP_MINUTES)[since : since + minutes]

    async def _week(self, queue: str, time_zone: str, quarter: datetime, steps: int, weeks: int) -> FloatArray:
        found = np.full(steps, np.nan)
        for first, last, start in weeks_before(quarter, steps * STEP_MINUTES, time_zone, weeks):
            until = start + timedelta(minutes=last - first)
            points = await self._history.history(queue, Metric.AGENTS_STAFFED, start, until, STEP_MINUTES * 60)
            _fill(found[first // STEP_MINUTES :], points, start)
        return found


def _covers(kept: Span, span: Span) -> bool:
    return kept.start <= span.start and span.end <= kept.end


def _fill(steps: FloatArray, points: Sequence[HistoryPoint], start: datetime) -> None:
    for point in points:
        step = (point.at - start) // timedelta(minutes=STEP_MINUTES)
        if point.value is not None and 0 <= step < len(steps):
            steps[step] = point.value
