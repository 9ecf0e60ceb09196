"""Where schedules and opening hours are kept, and what history must tell of who was there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.event import Event
from app.core.floor.metric import Metric
from app.core.staffing.schedule import Interval, Span
from app.ports.history import HistoryPoint

ALL_QUEUES = ""  # the name under which the hours of all queues without their own are kept; no queue can have it


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """How a queue's schedule stands: revision 1, 2, ... with every change, the last one by whom and when.

    time_zone: in which its days were given last. starts_at, ends_at: the first and the last instant that is covered;
    None when nothing is, because everything was deleted.
    """

    revision: int
    time_zone: str
    author: str
    saved_at: datetime
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Replacement:
    """New intervals of a queue in place of everything inside `spans`; with none, what was there is taken away."""

    queue: str
    spans: Sequence[Span]
    intervals: Sequence[Interval]
    time_zone: str
    author: str
    at: datetime
    event: Event


class ScheduleStore(Protocol):
    """Schedules by queue: intervals that never overlap."""

    async def states(self) -> Mapping[str, ScheduleState]:
        """Return how the schedule of every queue stands that ever had one."""

    async def intervals(self, queue: str, span: Span) -> Sequence[Interval]:
        """Return all intervals that reach into a span, whole, in order."""

    async def replace(
        self, replacements: Sequence[Replacement], expected: Mapping[str, int] | None = None
    ) -> Mapping[str, ScheduleState]:
        """Do all replacements, each with its event, in one transaction; intervals that reach out of a span are cut.

        Raises Conflict, and changes nothing, unless each queue named in `expected` is at that revision (0: none yet).
        """


@dataclass(frozen=True, slots=True)
class SavedHours:
    """Opening hours as saved; document None: deleted, so that those of all queues count, or none."""

    queue: str
    document: Mapping[str, object] | None
    revision: int
    author: str
    saved_at: datetime


class HoursStore(Protocol):
    """Opening hours by queue; under ALL_QUEUES those of every queue without its own."""

    async def hours(self) -> Mapping[str, SavedHours]:
        """Return what was saved, deleted ones too, by queue."""

    async def save_hours(self, hours: SavedHours, event: Event) -> None:
        """Add or replace hours, with the event. Raises Conflict unless revision is the next one (the first: 1)."""


class GaugeHistory(Protocol):
    """The part of history that tells how many agents there were."""

    async def history(
        self, queue: str, metric: Metric, start: datetime, until: datetime, step_seconds: int
    ) -> Sequence[HistoryPoint]:
        """Return one point per step of [start, until) that has data, in order; step a multiple of 60."""
