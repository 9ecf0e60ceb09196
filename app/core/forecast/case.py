"""The case of a gate: all that is known of its queues when it is asked what a send would do to them.

Plain values and arrays, so that a case can be handed to another process and kept beside its answer. Minutes count from
`at`; every array with one value per minute is as long as the scenario of its queue.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from app.core.forecast.limits import OutlookLimits
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import BoolArray, FloatArray, IntArray

STARTS_EVERY_MINUTES = 5


@dataclass(frozen=True, slots=True)
class Rate:
    """Contacts per 1,000 delivered messages: the mean of what is known of it, and its coefficient of variation.

    It is taken as Gamma distributed with shape 1 / cv^2. cv 0: known exactly.
    """

    mean: float
    cv: float


@dataclass(frozen=True, slots=True, eq=False)
class QueueCase:
    """One queue. The arrivals of its scenario are those that come without any campaign.

    arrivals_cv: per minute, the coefficient of variation of the arrivals' level. in_flight: contacts per second still
    to come of what was sent already, in_flight_cv the coefficient of variation of their number. share, 0..1: the
    queue's part of the new campaign's contacts. curves: shape (starts, minutes), contacts per second in each minute per
    ONE expected contact of a send that begins at a minute of Case.starts. patience_known: whether the scenario's
    patience was observed; where it was not, the queue must hold with nobody giving up and with a patience of 300 s.
    start: a distribution over the number in system, shape (1, states), in place of the scenario's busy and waiting.
    """

    queue: str
    scenario: Scenario
    arrivals_cv: FloatArray
    in_flight: FloatArray
    in_flight_cv: float
    share: float
    curves: FloatArray
    patience_known: bool = True
    start: FloatArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A gate's queues at the instant `at` (aware UTC), what one campaign brings them, and the limits they must keep.

    starts: the minutes at which a send can begin, ascending, the first one 0: one per row of each queue's curves.
    """

    at: datetime
    queues: tuple[QueueCase, ...]
    contacts_per_1000: Rate
    limits: OutlookLimits
    starts: IntArray

    @property
    def minutes(self) -> int:
        """How many minutes are described; at least the horizon of the limits."""
        return len(self.queues[0].scenario.agents)

    def start_row(self, minute: float) -> int:
        """Return the row of the last start at or before a minute."""
        return int(np.searchsorted(self.starts, minute, side="right")) - 1

    def sends(self, *sends: tuple[float, float]) -> FloatArray:
        """Return the schedule of some (minute, audience): messages per row of starts, shape (starts,)."""
        schedule = np.zeros(len(self.starts))
        for minute, audience in sends:
            schedule[self.start_row(minute)] += audience
        return schedule

    def only_starts(self, may_start: BoolArray) -> "Case":
        """Return the case with only those of its starts at which a send may begin, shape (starts,), and the present."""
        kept = may_start.copy()
        kept[0] = True
        queues = tuple(replace(queue, curves=queue.curves[kept]) for queue in self.queues)
        return replace(self, starts=self.starts[kept], queues=queues)

    def later(self, minute: int, start: tuple[FloatArray, ...]) -> "Case":
        """Return the case as it will stand at a minute of starts: `start` has the distribution of each queue then."""
        row = self.start_row(minute)
        queues = tuple(_later(queue, minute, row, masses) for queue, masses in zip(self.queues, start, strict=True))
        at = self.at + timedelta(minutes=minute)
        return replace(self, at=at, queues=queues, starts=self.starts[row:] - minute)

    def with_sent(self, audience: float) -> "Case":
        """Return the case in which so many messages go out at minute 0: their contacts count as in flight."""
        expected = audience * self.contacts_per_1000.mean / 1000
        cv = self.contacts_per_1000.cv
        return replace(self, queues=tuple(_with_sent(queue, expected, cv) for queue in self.queues))

    def with_agents(self, queue: str, extra: int, from_minute: int) -> "Case":
        """Return the case with so many agents more in one queue, from a minute on, wherever somebody works there."""
        return replace(self, queues=tuple(_staffed(each, queue, extra, from_minute) for each in self.queues))


def _later(queue: QueueCase, minute: int, row: int, start: FloatArray) -> QueueCase:
    scenario = replace(
        queue.scenario,
        arrivals_per_second=queue.scenario.arrivals_per_second[minute:],
        agents=queue.scenario.agents[minute:],
    )
    return replace(
        queue,
        scenario=scenario,
        arrivals_cv=queue.arrivals_cv[minute:],
        in_flight=queue.in_flight[minute:],
        curves=queue.curves[row:, minute:],
        start=start,
    )


def _with_sent(queue: QueueCase, expected: float, cv: float) -> QueueCase:
    if expected * queue.share <= 0:
        return queue
    in_flight = queue.in_flight + expected * queue.share * queue.curves[0]
    return replace(queue, in_flight=in_flight, in_flight_cv=max(cv, queue.in_flight_cv))


def _staffed(each: QueueCase, queue: str, extra: int, from_minute: int) -> QueueCase:
    if each.queue != queue or not extra:
        return each
    agents = each.scenario.agents.copy()
    agents[from_minute:] += np.where(agents[from_minute:] > 0, extra, 0)
    return replace(each, scenario=replace(each.scenario, agents=agents))


def is_number(value: float, least: float, most: float = math.inf) -> bool:
    """Return whether a value is a number from least to most; NaN is not."""
    return least <= value <= most
