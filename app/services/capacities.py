"""What the agents of queues get done, and how long their customers wait before they give up, from history."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from app.core.floor.metric import Metric
from app.core.floor.targets import QueueTargets
from app.core.forecast.capacity import (
    BELIEVED_CONTACTS,
    FEWEST_ABANDONED,
    Capacity,
    Throughput,
    handle_time,
    patience,
    throughput,
    usual_patience,
)
from app.core.forecast.flows import FlowSeries
from app.core.forecast.series import FloatArray
from app.ports.flows import FlowReader
from app.ports.history import HistoryReader

LONG, LONG_KEPT = timedelta(days=28), timedelta(hours=1)
WEEK = timedelta(days=7)
LIVE, LIVE_KEPT = timedelta(hours=8), timedelta(minutes=1)
HOUR_SECONDS, MINUTE_SECONDS = 3600, 60
_NO_TARGETS = QueueTargets()


@dataclass(frozen=True, slots=True)
class _Habits:
    """What weeks tell: handle time of the last one, None where not known; patience, None where too few gave up."""

    read_at: datetime
    handle_seconds: float | None
    patience_seconds: float | None

    @property
    def good_for(self) -> timedelta:
        """How long it need not be read anew: what is missing may come any minute."""
        return LIVE_KEPT if self.handle_seconds is None else LONG_KEPT


class Capacities:
    """Reads capacities. targets: what people set per queue, of which how many contacts an agent handles at once."""

    def __init__(
        self, flows: FlowReader, history: HistoryReader, targets: Callable[[], Mapping[str, QueueTargets]]
    ) -> None:
        self._flows, self._history, self._targets = flows, history, targets
        self._habits: dict[str, _Habits] = {}
        self._kept: dict[str, tuple[datetime, Capacity]] = {}

    async def capacity(self, queue: str, now: datetime) -> Capacity:
        """Return a queue's capacity as of now; one that was told less than a minute ago is told again."""
        kept = self._kept.get(queue)
        if kept is None or not timedelta() <= now - kept[0] < LIVE_KEPT:
            kept = self._kept[queue] = now, await self._capacity(queue, now)
        return kept[1]

    async def _capacity(self, queue: str, now: datetime) -> Capacity:
        habits = await self._habits_of(queue, now)
        live = await self._live(queue, _floored(now, MINUTE_SECONDS))
        handle_seconds, handle_said = _reported(habits, live.flows)
        if handle_seconds is not None:
            done = throughput(live.completed, live.backlog, live.agents)
            handle_said += _said_of(done, handle_seconds)
            handle_seconds = done.effective(handle_seconds)
        known = habits.patience_seconds
        patience_seconds = usual_patience(queue) if known is None else known
        said = (
            f"fewer than {FEWEST_ABANDONED} are known to have given up in 4 weeks; {patience_seconds:.0f} s is assumed"
        )
        if known is not None:
            said = f"{known:.0f} s, by all waiting of 4 weeks over those who gave up"
        return Capacity(handle_seconds, handle_said, patience_seconds, said, known is not None)

    async def _habits_of(self, queue: str, now: datetime) -> _Habits:
        kept = self._habits.get(queue)
        if kept is None or not timedelta() <= now - kept.read_at < kept.good_for:
            hour = _floored(now, HOUR_SECONDS)
            flows = await self._flows.flows(queue, hour - LONG, hour + timedelta(hours=1), HOUR_SECONDS)
            hours = WEEK // timedelta(hours=1)
            handle_seconds = handle_time(flows.handled[-hours:], flows.handle_seconds[-hours:])
            if handle_seconds is None:
                handle_seconds = await self._ready_made(queue, hour)
            waits = patience(flows.wait_seconds, flows.abandoned, flows.abandoned_at_once)
            kept = self._habits[queue] = _Habits(now, handle_seconds, waits)
        return kept

    async def _ready_made(self, queue: str, hour: datetime) -> float | None:
        """Return the mean of the averages that sources reported in the last week."""
        start, until = hour - WEEK, hour + timedelta(hours=1)
        points = await self._history.history(queue, Metric.HANDLE_TIME_SECONDS, start, until, HOUR_SECONDS)
        weight = sum(point.weight for point in points if point.value is not None)
        total = sum(point.value * point.weight for point in points if point.value is not None)
        return total / weight if weight > 0 and total > 0 else None

    async def _live(self, queue: str, until: datetime) -> "_Live":
        flows = await self._flows.flows(queue, until - LIVE, until, MINUTE_SECONDS)
        concurrency = self._targets().get(queue, _NO_TARGETS).concurrency
        backlog = await self._minutes(queue, Metric.BACKLOG, until, least=True)
        agents = await self._minutes(queue, Metric.AGENTS_STAFFED, until)
        if np.isnan(agents).all():
            busy = await self._minutes(queue, Metric.AGENTS_BUSY, until)
            agents = busy + await self._minutes(queue, Metric.AGENTS_AVAILABLE, until)
        return _Live(flows, backlog, agents * concurrency)

    async def _minutes(self, queue: str, metric: Metric, until: datetime, *, least: bool = False) -> FloatArray:
        """Return a gauge's mean, or least, reading in each minute."""
        start = until - LIVE
        minutes = np.full(LIVE // timedelta(minutes=1), np.nan)
        for point in await self._history.history(queue, metric, start, until, MINUTE_SECONDS):
            value = point.minimum if least else point.value
            minutes[(point.at - start) // timedelta(minutes=1)] = np.nan if value is None else value
        return minutes


@dataclass(frozen=True, slots=True, eq=False)
class _Live:
    """The last hours by the minute: flows, least backlog, and how many contacts the agents can handle at once."""

    flows: FlowSeries
    backlog: FloatArray
    agents: FloatArray

    @property
    def completed(self) -> FloatArray:
        """Contacts done per minute; those answered where nobody tells when they were done."""
        return self.flows.handled if np.nansum(self.flows.handled) > 0 else self.flows.answered


def _reported(habits: _Habits, live: FlowSeries) -> tuple[float | None, str]:
    """Return the handle time that sources tell, today's contacts outweighing last week's the more there are of them."""
    today = handle_time(live.handled, live.handle_seconds)
    week = habits.handle_seconds
    if today is None or week is None:
        known = today or week
        if known is None:
            return None, "no handle time is known: nobody reported one, or how long contacts were handled"
        return known, f"{known:.0f} s, the mean of the last {'8 hours' if week is None else 'week'}"
    contacts = float(np.nansum(live.handled))
    mean = (BELIEVED_CONTACTS * week + contacts * today) / (BELIEVED_CONTACTS + contacts)
    return (
        mean,
        f"{mean:.0f} s, from {today:.0f} s of {contacts:.0f} contacts in the last 8 hours and {week:.0f} s before",
    )


def _said_of(done: Throughput, handle_seconds: float) -> str:
    if not done.contacts and not done.agent_seconds:
        return ""
    return f"; {done.effective(handle_seconds):.0f} s by what got done while somebody waited"


def _floored(at: datetime, seconds: int) -> datetime:
    return at - timedelta(seconds=at.timestamp() % seconds)
