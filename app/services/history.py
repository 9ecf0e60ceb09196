"""The past: a metric's course in as many points as a chart wants, and exact totals of the contacts of a span."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.floor.metric import Metric
from app.core.problem import Problem
from app.errors import Invalid
from app.ports.history import ContactTotals, HistoryPoint, HistoryReader

MAX_POINTS = 5_000
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one queue over [start, until), start on a whole minute; steps without data have no point."""

    queue: str
    metric: Metric
    start: datetime
    until: datetime
    step_seconds: int
    points: Sequence[HistoryPoint]


@dataclass(frozen=True, slots=True)
class Totals:
    """The contacts queued in [start, until): per queue, and all together under the empty queue name."""

    start: datetime
    until: datetime
    target_seconds: float
    queues: Sequence[ContactTotals]
    total: ContactTotals


class History:
    """Reads what was."""

    def __init__(self, reader: HistoryReader) -> None:
        self._reader = reader

    async def points(self, queue: str, metric: Metric, start: datetime, until: datetime, points: int) -> Series:
        """Return at most `points` (1..5,000) equal steps of whole minutes. Raises Invalid for an empty span."""
        _refuse_empty(start, until)
        start = start.replace(second=0, microsecond=0)
        step = step_seconds(start, until, points)
        found = await self._reader.history(queue, metric, start, until, step)
        return Series(queue, metric, start, until, step, found)

    async def courses(
        self, queue: str, metrics: Sequence[Metric], start: datetime, until: datetime, step_seconds: int
    ) -> Mapping[Metric, Sequence[HistoryPoint]]:
        """Return the same of several metrics, in steps of whole minutes from `start` on. Raises Invalid."""
        _refuse_empty(start, until)
        return await self._reader.histories(queue, metrics, start, until, step_seconds)

    async def totals(self, start: datetime, until: datetime, target_seconds: float) -> Totals:
        """Return exact sums from the raw events, as far back as those are kept. Raises Invalid for an empty span."""
        _refuse_empty(start, until)
        queues = await self._reader.contact_totals(start, until, target_seconds)
        return Totals(start, until, target_seconds, queues, add_up(queues))


def step_seconds(start: datetime, until: datetime, points: int) -> int:
    """Return the shortest step of whole minutes that covers [start, until) in at most `points` steps."""
    span = (until - start).total_seconds()
    return max(1, math.ceil(span / points / MINUTE)) * MINUTE


def add_up(queues: Sequence[ContactTotals]) -> ContactTotals:
    """Return the sums over queues; averages of the whole come from these, never from the queues' averages."""
    firsts = [one.first_at for one in queues if one.first_at]
    lasts = [one.last_at for one in queues if one.last_at]
    return ContactTotals(
        queue="",
        offered=sum(one.offered for one in queues),
        answered=sum(one.answered for one in queues),
        abandoned=sum(one.abandoned for one in queues),
        answered_within_target=sum(one.answered_within_target for one in queues),
        wait_seconds_sum=math.fsum(one.wait_seconds_sum for one in queues),
        handled=sum(one.handled for one in queues),
        handle_seconds_sum=math.fsum(one.handle_seconds_sum for one in queues),
        first_at=min(firsts, default=None),
        last_at=max(lasts, default=None),
    )


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole, None when there is nothing to divide by."""
    return part / whole if whole else None


def _refuse_empty(start: datetime, until: datetime) -> None:
    if start >= until:
        raise Invalid(
            "the span is empty", [Problem("/query/from", f"{start.isoformat()} must be before to, {until.isoformat()}")]
        )
