"""How a queue was before and while a campaign was sent: its history, its agents, and its own figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from app.core.debrief.question import STEP_MINUTES, STEP_SECONDS, Measured, QueueFacts, Timeline, Values
from app.core.debrief.window import STEP, Look, told
from app.core.floor.metric import Metric
from app.core.floor.targets import QueueTargets
from app.core.forecast.calendar import Calendar
from app.core.forecast.flows import FlowSeries
from app.core.forecast.series import FloatArray
from app.core.staffing.staffing import Basis
from app.ports.flows import FlowReader
from app.ports.history import HistoryPoint, HistoryReader
from app.services.opening_hours import Hours
from app.services.staffing import Staffings

WEEKS_BEFORE = timedelta(weeks=10)
CAPACITY_FROM = timedelta(days=7)
FEWEST_HANDLED = FEWEST_ABANDONED = 20
DEFAULT_PATIENCE_SECONDS = {"chat": 90.0}
PATIENCE_SECONDS = 240.0
_NO_TARGETS = QueueTargets()


@dataclass(frozen=True, slots=True)
class FloorThen:
    """Reads what is kept of a queue. targets: of the queues, as people set them."""

    flows: FlowReader
    history: HistoryReader
    hours: Hours
    staffings: Staffings
    targets: Callable[[], Mapping[str, QueueTargets]]

    async def queue(self, queue: str, look: Look, time_zone: str) -> QueueFacts:
        """Return what is known of a queue, in a window and the weeks before it; nobody's share or lift is in it yet.

        Handle time and patience are means over the week before and the window: those that ended over those that gave
        up. Who was never seen to give up, though hundreds came, is given the patience that is usual.
        """
        own, hours = self.targets().get(queue, _NO_TARGETS), await self.hours.of(queue)
        begins = _midnight(look.start - WEEKS_BEFORE)
        flows = await self.flows.flows(queue, begins, look.until, STEP_SECONDS)
        capacity = await self.flows.flows(queue, look.start - CAPACITY_FROM, look.until, STEP_SECONDS)
        agents = await self._agents(queue, look, own)
        return QueueFacts(
            queue=queue,
            calendar=Calendar(time_zone, hours),
            came_in=Timeline(begins, told(flows.offered)),
            lifted=(),
            share=0.0,
            agents=agents,
            handle_seconds=_handle_seconds(capacity),
            patience_seconds=_patience_seconds(capacity, queue),
            busy=await self._busy(queue, look.start, own),
            waiting=_whole(await self._at(queue, Metric.BACKLOG, look.start)),
            target_seconds=own.service_level_seconds,
            measured=await self._measured(queue, look),
        )

    async def _agents(self, queue: str, look: Look, own: QueueTargets) -> Values:
        """Return who was there per step: as reported, else as was scheduled or usual."""
        points = await self.history.history(queue, Metric.AGENTS_STAFFED, look.start, look.until, STEP_SECONDS)
        staffed = _values(points, look) * own.concurrency
        if not np.isnan(staffed).any():
            return told(staffed)
        planned = await self.staffings.staffing(queue, look.start, look.minutes, None)
        if planned.basis is not Basis.UNKNOWN:
            usual = planned.agents.reshape(-1, STEP_MINUTES).mean(axis=1)
            staffed = np.where(np.isnan(staffed), usual, staffed)
        return told(staffed)

    async def _busy(self, queue: str, at: datetime, own: QueueTargets) -> int | None:
        contacts = await self._at(queue, Metric.CONTACTS_IN_PROGRESS, at)
        if contacts is None:
            agents = await self._at(queue, Metric.AGENTS_BUSY, at)
            contacts = None if agents is None else agents * own.concurrency
        return _whole(contacts)

    async def _at(self, queue: str, metric: Metric, at: datetime) -> float | None:
        """Return a gauge's mean over the step before an instant, else over the one that begins with it."""
        points = await self.history.history(queue, metric, at - STEP, at + STEP, STEP_SECONDS)
        return next((point.value for point in points if point.value is not None), None)

    async def _measured(self, queue: str, look: Look) -> Measured:
        async def read(metric: Metric) -> Sequence[HistoryPoint]:
            return await self.history.history(queue, metric, look.start, look.until, STEP_SECONDS)

        level, answer, backlog = (
            await read(Metric.SERVICE_LEVEL_RATIO),
            await read(Metric.SPEED_TO_ANSWER_SECONDS),
            await read(Metric.BACKLOG),
        )
        waiting = _values(backlog, look)
        judged, reached = _sums(level, look, waiting)
        answered, waited = _sums(answer, look, waiting)
        return Measured(told(judged), told(reached), told(answered), told(waited), told(waiting))


def _values(points: Sequence[HistoryPoint], look: Look) -> FloatArray:
    """Return the value of each step, NaN without one."""
    found = np.full(look.steps, np.nan)
    for point in points:
        found[(point.at - look.start) // STEP] = np.nan if point.value is None else point.value
    return found


def _sums(points: Sequence[HistoryPoint], look: Look, waiting: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weight and total of each step: 0 where nobody was judged though the queue was heard, else NaN."""
    weight = np.where(np.isnan(waiting), np.nan, 0.0)
    total = weight.copy()
    for point in points:
        place = (point.at - look.start) // STEP
        if point.value is not None:
            weight[place], total[place] = point.weight, point.weight * point.value
    return weight, total


def _handle_seconds(flows: FlowSeries) -> float | None:
    handled = float(np.nansum(flows.handled))
    seconds = float(np.nansum(flows.handle_seconds))
    return seconds / handled if handled >= FEWEST_HANDLED and seconds > 0 else None


def _patience_seconds(flows: FlowSeries, queue: str) -> float:
    """Return total waiting time over those who gave up, as long as enough did; else what is usual for the channel."""
    abandoned, waited = float(np.nansum(flows.abandoned)), float(np.nansum(flows.wait_seconds))
    if abandoned >= FEWEST_ABANDONED and waited > 0:
        return waited / abandoned
    return next((seconds for name, seconds in DEFAULT_PATIENCE_SECONDS.items() if name in queue), PATIENCE_SECONDS)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
