"""Which minutes of a queue are judged, and in which windows."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from app.core.forecast.case import QueueCase
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import MINUTE_SECONDS, FloatArray

UNKNOWN_PATIENCE_SECONDS = 300.0
LEAST_PART = 0.5


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes first .. last - 1 of a queue. anew: it begins with an opening, nobody there from before."""

    first: int
    last: int
    anew: bool = False

    @property
    def minutes(self) -> slice:
        """The minutes, to cut them out of an array."""
        return slice(self.first, self.last)


def spans(queue: QueueCase, limits: OutlookLimits) -> list[Span]:
    """Return the minutes to be judged: those until the horizon, and if the queue is closed there, the next opening.

    What is sent in the evening comes back at the next opening. Where nobody works at the horizon, the rest of it is
    therefore judged again from the first minute on in which somebody does: as many minutes as were closed before it.
    """
    horizon = limits.horizon_minutes
    works = queue.scenario.agents > 0
    until_horizon = [Span(0, horizon)]
    if works[horizon - 1] or not works[horizon:].any():
        return until_horizon
    opens = horizon + int(np.argmax(works[horizon:]))
    closed = int(np.count_nonzero(~works[:horizon]))
    return [*until_horizon, Span(opens, min(opens + closed, len(works)), anew=True)]


def scenarios(queue: QueueCase, span: Span) -> list[Scenario]:
    """Return the queue within a span; twice where its patience is unknown: nobody gives up, and a patience of 300 s."""
    whole = queue.scenario
    cut = replace(
        whole,
        arrivals_per_second=whole.arrivals_per_second[span.minutes],
        agents=whole.agents[span.minutes],
        busy=0 if span.anew else whole.busy,
        waiting=0 if span.anew else whole.waiting,
    )
    if queue.patience_known:
        return [cut]
    return [replace(cut, patience_seconds=patience) for patience in (None, UNKNOWN_PATIENCE_SECONDS)]


def start_of(queue: QueueCase, span: Span) -> FloatArray | None:
    """Return the distribution that a span starts from; None: from the scenario's busy and waiting."""
    return None if span.anew else queue.start


def windows(minutes: int, window_seconds: float, interval_minutes: int) -> list[tuple[int, int]]:
    """Return the windows of so many minutes as (first, end) in intervals, side by side from the first one on.

    A window's ends are moved to the nearest ends of intervals. The last part counts when it is at least half a window.
    """
    width = window_seconds / MINUTE_SECONDS
    count = max(1, int(minutes / width + LEAST_PART))
    last = -(-minutes // interval_minutes)
    edges = [min(last, round(number * width / interval_minutes)) for number in range(count + 1)]
    return [(first, end) for first, end in pairwise(edges) if end > first]
