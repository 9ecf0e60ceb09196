"""What a backtest says."""

from dataclasses import dataclass
from datetime import datetime

from app.core.backtest.measures import Measures, WeekHour
from app.core.gate.rule import Rule


@dataclass(frozen=True, slots=True)
class Shift:
    """One rule of the policy with its limits multiplied by `factor`, the others as they are. place: of the rule."""

    place: int
    factor: float
    rule: Rule
    measures: Measures


@dataclass(frozen=True, slots=True)
class QueueSeen:
    """A watched queue: the share of minutes in which everything was known that the policy watches of it."""

    name: str
    known_ratio: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch [start, until) in which nothing that the policy watches could be seen."""

    start: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """A policy's course over [start, until), one look a minute.

    window_minutes: those within the send windows. breach: the rules that said what a breach is. gaps: the longest
    ones, in order of time; unseen_minutes counts all. unmatched: patterns that found no queue in all that time.
    """

    start: datetime
    until: datetime
    minutes: int
    window_minutes: int
    measures: Measures
    flips_per_day_without_hysteresis: float | None
    week: tuple[WeekHour, ...]
    shifts: tuple[Shift, ...]
    breach: tuple[Rule, ...]
    queues: tuple[QueueSeen, ...]
    unseen_minutes: int
    gaps: tuple[Gap, ...]
    unmatched: tuple[str, ...]
