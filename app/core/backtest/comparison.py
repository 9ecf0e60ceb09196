"""Two policies side by side over the same minutes: when each would have held, and which bad hours it would have missed.

Shorter than a backtest, so that it can follow a limit while somebody drags it. What is bad is judged by one policy for
both, because a limit that also said what is bad would always be right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from app.core.backtest.backtest import course, passed
from app.core.backtest.history import MINUTE, FloorHistory, Looks
from app.core.backtest.limits import as_breach
from app.core.backtest.measures import stretches
from app.core.backtest.report import Gap
from app.core.backtest.verdicts import HELD, OPEN, UNKNOWN, within_windows
from app.core.floor.metric import Metric
from app.core.forecast.series import BoolArray, IntArray
from app.core.gate.policy import Policy
from app.core.gate.rule import OnMissing, Rule

HOUR_MINUTES = 60
BAD_MINUTES = 15


@dataclass(frozen=True, slots=True)
class Course:
    """How a policy would have done. held: its holds in order of time; [start, until) of each.

    missed_hours: the bad hours through most of whose bad minutes the gate was open. unknown_minutes: within the send
    windows, as are held_minutes and open_minutes.
    """

    held: tuple[Gap, ...]
    held_minutes: int
    open_minutes: int
    unknown_minutes: int
    missed_hours: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Courses over [start, until), in the order of the policies asked for. bad_hours: how many hours were bad."""

    start: datetime
    until: datetime
    bad_hours: int
    courses: tuple[Course, ...]


def compared(policies: Sequence[Policy], judge: Policy, history: FloorHistory, looks: Looks) -> Comparison:
    """Return how policies would have done at these looks.

    A bad hour is a clock hour of UTC with at least 15 minutes, within the judge's send windows, in which a limit was
    passed that the judge wants kept: see `kept_limits`. The history has the queues and metrics of all of them.
    """
    first = history.start + (looks.first + 1) * MINUTE
    hours = _hours(first, looks.count)
    bad = passed(judge, kept_limits(judge), history, looks) & within_windows(judge, history.start, looks)
    count = int(hours[-1]) + 1
    bad_minutes = np.bincount(hours, weights=bad, minlength=count)
    is_bad = bad_minutes >= BAD_MINUTES

    def told(policy: Policy) -> Course:
        """Return what one policy would have done with the same minutes and the same bad hours."""
        codes = course(policy, history, looks)
        missed = np.bincount(hours, weights=bad & (codes == OPEN), minlength=count)
        return Course(
            held=_held(codes == HELD, first),
            held_minutes=int(np.count_nonzero(codes == HELD)),
            open_minutes=int(np.count_nonzero(codes == OPEN)),
            unknown_minutes=int(np.count_nonzero(codes == UNKNOWN)),
            missed_hours=int(np.count_nonzero(is_bad & (missed * 2 > bad_minutes))),
        )

    until = first + looks.count * MINUTE
    return Comparison(first, until, int(np.count_nonzero(is_bad)), tuple(told(policy) for policy in policies))


def kept_limits(judge: Policy) -> tuple[Rule, ...]:
    """Return what a policy wants kept: the limits of its outlook, or else its hold limits, passed in any minute."""
    outlook = judge.outlook
    if outlook is None:
        return tuple(as_breach(rule) for rule in judge.rules)
    window = outlook.window_seconds
    above = {
        Metric.BACKLOG: (outlook.backlog, None),
        Metric.SPEED_TO_ANSWER_SECONDS: (outlook.speed_to_answer_seconds, window),
        Metric.ABANDONMENT_RATIO: (outlook.abandonment_ratio, window),
    }
    kept = [
        Rule(metric, hold_above=limit, window_seconds=over, on_missing=OnMissing.IGNORE)
        for metric, (limit, over) in above.items()
        if limit is not None
    ]
    level = outlook.service_level_ratio
    if level is not None:
        kept.append(
            Rule(Metric.SERVICE_LEVEL_RATIO, hold_below=level, window_seconds=window, on_missing=OnMissing.IGNORE)
        )
    return tuple(kept)


def _hours(first: datetime, count: int) -> IntArray:
    """Return the clock hour that each look lies in, counted from the first look's."""
    begins = int(first.timestamp()) // 60
    return (np.arange(begins, begins + count) // HOUR_MINUTES) - begins // HOUR_MINUTES


def _held(is_held: BoolArray, first: datetime) -> tuple[Gap, ...]:
    starts, ends = stretches(is_held)
    return tuple(
        Gap(first + int(start) * MINUTE, first + int(end) * MINUTE) for start, end in zip(starts, ends, strict=True)
    )
