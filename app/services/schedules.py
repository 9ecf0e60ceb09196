"""Schedules as people change them: uploaded by days, read back, deleted; what each change changed is told."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from app.core.event import HOLDFIRE, Actor, Event, EventType
from app.core.gate.windows import zone
from app.core.problem import Problem
from app.core.staffing.hours import OpeningHours, open_minutes
from app.core.staffing.refused import StaffingRefused
from app.core.staffing.schedule import (
    MOST_DAYS,
    DaySchedule,
    DayTotal,
    Interval,
    Placed,
    Span,
    agents_by_minute,
    day_span,
    day_total,
    inside,
    schedule_days,
)
from app.errors import Invalid, NotFound
from app.ports.clock import Clock
from app.ports.staffing import Replacement, ScheduleState, ScheduleStore
from app.services.opening_hours import Hours

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewSchedule:
    """What is to be saved for a queue. time_zone None: the queue's own. gaps_closed: nobody is there in gaps."""

    queue: str
    placed: Sequence[Placed]
    time_zone: str | None = None
    gaps_closed: bool = False


@dataclass(frozen=True, slots=True)
class DayChange:
    """What became of a local day; before or after None: not covered."""

    day: date
    before: DayTotal | None
    after: DayTotal | None
    changed: bool


@dataclass(frozen=True, slots=True)
class ScheduleChange:
    """What a change did, or would do: revision is what the schedule is at after it."""

    queue: str
    revision: int
    time_zone: str
    days: tuple[DayChange, ...]
    saved: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """A change that is worked out, and not made yet."""

    queue: str
    time_zone: str
    state: ScheduleState | None
    days: tuple[DaySchedule, ...]
    changes: tuple[DayChange, ...] = ()

    @property
    def changed(self) -> bool:
        return any(each.changed for each in self.changes)


class Schedules:
    """All schedules. Working one out is done on a thread: a year of intervals takes its time."""

    def __init__(self, store: ScheduleStore, hours: Hours, clock: Clock) -> None:
        self._store, self._hours, self._clock = store, hours, clock

    async def state(self, queue: str) -> ScheduleState | None:
        """Return how a queue's schedule stands, None when it never had one."""
        return (await self._store.states()).get(queue)

    async def states(self) -> Mapping[str, ScheduleState]:
        """Return how the schedule of every queue stands that ever had one."""
        return await self._store.states()

    async def time_zone(self, queue: str) -> str | None:
        """Return the zone of a queue's opening hours, else that of its last schedule; None when nobody named one."""
        hours = await self._hours.of(queue)
        if hours is not None:
            return hours.time_zone
        state = await self.state(queue)
        return state.time_zone if state else None

    async def today(self, queue: str) -> datetime:
        """Return when the present local day of a queue began: UTC's day for one whose zone nobody named."""
        local = await self.time_zone(queue) or "UTC"
        return day_span(self._clock.now().astimezone(zone(local)).date(), local).start

    async def intervals(self, queue: str, span: Span) -> Sequence[Interval]:
        """Return what is scheduled inside a span, cut at its ends."""
        return inside(await self._store.intervals(queue, span), span)

    async def save(
        self,
        schedules: Sequence[NewSchedule],
        actor: Actor = HOLDFIRE,
        *,
        expected: Mapping[str, int] | None = None,
        dry_run: bool = False,
    ) -> Sequence[ScheduleChange]:
        """Replace the days that are covered, of all queues or of none, and return what that changed.

        What is the same already is no change and no event. expected: the revisions that were read, by queue; dry_run:
        say what would change. Raises Invalid with a problem per fault, or Conflict when somebody was faster.
        """
        plans = [await self._planned(each) for each in schedules]
        return await self._carried_out(plans, EventType.STAFFING_SAVED, actor, expected, dry_run=dry_run)

    async def delete(
        self,
        queue: str,
        first: date,
        last: date,
        time_zone: str | None = None,
        actor: Actor = HOLDFIRE,
        *,
        expected: Mapping[str, int] | None = None,
    ) -> ScheduleChange:
        """Delete local days, both included: they are covered no more. Raises NotFound, Invalid, Conflict."""
        state = await self.state(queue)
        if state is None:
            raise NotFound(f"queue {queue!r} has no schedule")
        if not 0 <= (last - first).days < MOST_DAYS:
            said = f"{first} to {last} must be 1 to {MOST_DAYS} days; the last one is included"
            raise Invalid("the days were refused", [Problem("/query/last_day", said)])
        local = time_zone or await self.time_zone(queue) or "UTC"
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        emptied = tuple(DaySchedule(day, day_span(day, local), ()) for day in days)
        plan = await self._compared(_Plan(queue, local, state, emptied))
        (change,) = await self._carried_out([plan], EventType.STAFFING_DELETED, actor, expected, dry_run=False)
        return change

    async def _planned(self, new: NewSchedule) -> _Plan:
        local = new.time_zone or await self.time_zone(new.queue) or "UTC"
        hours = await self._hours.of(new.queue)

        def is_closed(gap: Span) -> bool:
            return new.gaps_closed or _closed_throughout(hours, gap)

        try:
            days = await asyncio.to_thread(schedule_days, new.placed, local, is_closed=is_closed)
        except StaffingRefused as refused:
            raise Invalid("the schedule was refused; nothing was changed", refused.problems) from refused
        return await self._compared(_Plan(new.queue, local, await self.state(new.queue), days))

    async def _compared(self, plan: _Plan) -> _Plan:
        whole = Span(plan.days[0].span.start, plan.days[-1].span.end)
        former = await self._store.intervals(plan.queue, whole)
        changes = await asyncio.to_thread(_changes, former, plan.days)
        return replace(plan, changes=changes)

    async def _carried_out(
        self,
        plans: Sequence[_Plan],
        what: EventType,
        actor: Actor,
        expected: Mapping[str, int] | None,
        *,
        dry_run: bool,
    ) -> Sequence[ScheduleChange]:
        now, doing = self._clock.now(), [] if dry_run else [plan for plan in plans if plan.changed]
        replacements = [_replacement(plan, what, actor, now) for plan in doing]
        states: Mapping[str, ScheduleState] = {}
        if replacements:
            states = await self._store.replace(replacements, expected)
        return [_told(plan, states.get(plan.queue)) for plan in plans]


def _closed_throughout(hours: OpeningHours | None, gap: Span) -> bool:
    if hours is None:
        return False
    return not open_minutes(hours, gap.start, (gap.end - gap.start) // _MINUTE).any()


def _changes(former: Sequence[Interval], days: Sequence[DaySchedule]) -> tuple[DayChange, ...]:
    found = []
    for each in days:
        minutes = (each.span.end - each.span.start) // _MINUTE
        before, after = inside(former, each.span), each.intervals
        former_agents, agents = (agents_by_minute(side, each.span.start, minutes) for side in (before, after))
        changed = not np.array_equal(former_agents, agents, equal_nan=True)
        found.append(DayChange(each.day, day_total(before), day_total(after), changed))
    return tuple(found)


def _replacement(plan: _Plan, what: EventType, actor: Actor, now: datetime) -> Replacement:
    intervals = [interval for each in plan.days for interval in each.intervals]
    event = Event(what, now, actor, f"queue/{plan.queue}", before=_side(plan, "before"), after=_side(plan, "after"))
    return Replacement(plan.queue, _joined(plan.days), intervals, plan.time_zone, actor.name, now, event)


def _joined(days: Sequence[DaySchedule]) -> list[Span]:
    """Return the days as spans, those that follow one another as one."""
    spans: list[Span] = []
    for each in days:
        if spans and spans[-1].end == each.span.start:
            spans[-1] = Span(spans[-1].start, each.span.end)
        else:
            spans.append(each.span)
    return spans


def _side(plan: _Plan, side: str) -> dict[str, object]:
    """Return what an event tells of one side of a change: the days that changed, each with what it came to."""
    totals = {str(each.day): getattr(each, side) for each in plan.changes if each.changed}
    days = {day: None if total is None else total._asdict() for day, total in totals.items()}
    return {"time_zone": plan.time_zone, "days": days}


def _told(plan: _Plan, state: ScheduleState | None) -> ScheduleChange:
    present = state or plan.state
    revision = present.revision if present else 0
    return ScheduleChange(plan.queue, revision, plan.time_zone, plan.changes, saved=state is not None)
