"""The outlook of a gate: what its queues will look like until the horizon, with and without a send.

Bands are the 10 and 90 % points: for service level and speed to answer of their expected values over the nodes of
uncertainty, for the backlog of its whole distribution, chance and uncertainty together. A single interval scatters
around its expected service level by chance more than such a band is wide; the fewer agents, the more.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.core.forecast.breach import ANYBODY, Verdict, judge
from app.core.forecast.case import Case, QueueCase, Rate
from app.core.forecast.course import Course
from app.core.forecast.demand import arrivals
from app.core.forecast.judged import Span, scenarios, start_of
from app.core.forecast.overload import visible
from app.core.forecast.predict import predict
from app.core.forecast.series import MINUTE_SECONDS, BoolArray, FloatArray
from app.core.forecast.soundness import CaseRefused, check_audience, check_case
from app.core.forecast.uncertainty import NINE, Nodes
from app.core.forecast.windows_ahead import at_start
from app.core.problem import Problem

LOW, HIGH = 0.1, 0.9
LADDER = tuple(np.unique(np.round(np.concatenate([np.arange(11), np.geomspace(12, 20_000, 30)]))).tolist())


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """The expected value in each interval, and its 10 and 90 % points; NaN where nobody comes, or nobody works."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class QueueOutlook:
    """One queue, per interval: contacts offered (expected), and the metrics. Where its patience is unknown, the worse.

    never_recovers: the backlog at the horizon is expected to be longer than now and to grow on: more work comes in then
    than all agents can do.
    """

    queue: str
    offered: FloatArray
    service_level_ratio: Band
    speed_to_answer_seconds: Band
    backlog: Band
    never_recovers: bool


@dataclass(frozen=True, slots=True, eq=False)
class Prospect:
    """What becomes of the queues, and the verdict on it."""

    queues: tuple[QueueOutlook, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """The prospects without and with a send, per interval_seconds from minute first_minute on.

    with_send is None where no audience was named. audience_shown: the send that with_send is calculated for; it is less
    than asked for where that would drown the floor many times over, and then every limit breaks at least as surely.
    """

    first_minute: int
    interval_seconds: float
    audience_shown: float | None
    without: Prospect
    with_send: Prospect | None


def outlook(case: Case, audience: float | None = None, start_minute: int = 0, nodes: Nodes = NINE) -> Outlook:
    """Return the outlook for a send that begins at a minute of the case's starts; audience None: for no send.

    It reaches from now to the horizon while the send has at least one window in it; a later send is looked at from its
    start on, for a horizon of its own. Raises CaseRefused, also for a start whose horizon is not described.
    """
    check_case(case)
    check_audience(audience or 0.0)
    limits = case.limits
    is_within = start_minute <= limits.horizon_minutes - limits.window_seconds / MINUTE_SECONDS
    _refuse_start(case, start_minute, is_within=is_within or start_minute == 0)
    if not is_within and start_minute > 0:
        case, first, start_minute = at_start(case, start_minute), start_minute, 0
    else:
        first = 0
    shown = None if audience is None else visible(case, audience)
    without, interval = prospect(case, case.sends(), nodes)
    with_send = None if shown is None else prospect(case, case.sends((start_minute, shown)), nodes)[0]
    return Outlook(first, interval, shown, without, with_send)


def _refuse_start(case: Case, minute: int, *, is_within: bool) -> None:
    if minute not in case.starts:
        detail = f"{minute} is no start of a send; the case has {case.starts[0]} to {case.starts[-1]}"
        raise CaseRefused([Problem("/start_minute", detail)])
    if not is_within and minute + case.limits.horizon_minutes > case.minutes:
        detail = (
            f"{minute} leaves no horizon; {case.minutes} minutes are described, {case.limits.horizon_minutes} needed"
        )
        raise CaseRefused([Problem("/start_minute", detail)])


def prospect(case: Case, schedule: FloatArray, nodes: Nodes) -> tuple[Prospect, float]:
    """Return what becomes of the queues until the horizon with a schedule, shape (starts,); and seconds per interval.

    It checks nothing.
    """
    schedules = schedule[np.newaxis]
    seen = [
        _queue(queue, case.contacts_per_1000, schedules, nodes, case.limits.horizon_minutes) for queue in case.queues
    ]
    queues = tuple(queue for queue, _ in seen)
    return Prospect(queues, judge(case, schedules, nodes)[0]), seen[0][1]


def _queue(
    queue: QueueCase, rate: Rate, schedules: FloatArray, nodes: Nodes, horizon: int
) -> tuple[QueueOutlook, float]:
    span = Span(0, horizon)
    rows = arrivals(queue, rate, schedules, nodes, span.minutes)[0]
    courses = [
        predict(scenario, rows, backlog_above=LADDER, start=start_of(queue, span))
        for scenario in scenarios(queue, span)
    ]
    weights = nodes.weights
    seen = QueueOutlook(
        queue.queue,
        weights @ courses[0].offered,
        _worse(
            np.fmin,
            [_ratio_band(course.answered_in_target, course.offered, course.unattended, weights) for course in courses],
        ),
        _worse(
            np.fmax,
            [
                _ratio_band(course.answered_wait_seconds, course.answered, course.unattended, weights)
                for course in courses
            ],
        ),
        _worse(np.fmax, [_backlog_band(course, weights) for course in courses]),
        _never_recovers(queue, horizon, courses[0], rows, weights),
    )
    return seen, courses[0].interval_seconds


def _worse(choose: Callable[[FloatArray, FloatArray], FloatArray], bands: list[Band]) -> Band:
    worst = bands[0]
    for band in bands[1:]:
        worst = Band(choose(worst.mean, band.mean), choose(worst.low, band.low), choose(worst.high, band.high))
    return worst


def _ratio_band(part: FloatArray, whole: FloatArray, unattended: BoolArray, weights: FloatArray) -> Band:
    whole = np.where(unattended, 0.0, whole)  # where nobody works any more there is no level, not one of 0
    mean = _ratio(weights @ part, weights @ whole)
    values = _ratio(part, whole)
    low, high = (_points(values, weights, probability) for probability in (LOW, HIGH))
    return Band(mean, low, high)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > ANYBODY)


def _points(values: FloatArray, weights: FloatArray, probability: float) -> FloatArray:
    """Return the point of each column below which that much of the weight lies, between nodes by a straight line."""
    order = np.argsort(values, axis=0)
    ordered, sorted_weights = np.take_along_axis(values, order, axis=0), weights[order]
    middles = np.cumsum(sorted_weights, axis=0) - sorted_weights / 2
    points = [np.interp(probability, middles[:, column], ordered[:, column]) for column in range(values.shape[1])]
    return np.array(points)


def _backlog_band(course: Course, weights: FloatArray) -> Band:
    """Return the backlog's band, from P(Q > x) on a ladder of x; in an interval, that of its worst instant."""
    above = np.stack([weights @ course.backlog_above[step] for step in LADDER])
    low, high = (_first_below(above, 1 - probability) for probability in (LOW, HIGH))
    return Band(weights @ course.backlog, low, high)


def _first_below(above: FloatArray, probability: float) -> FloatArray:
    """Return per interval the least step of the ladder that is exceeded with at most that probability."""
    is_below = above <= probability
    is_below[-1] = True
    found: FloatArray = np.array(LADDER)[np.argmax(is_below, axis=0)]
    return found


def _never_recovers(queue: QueueCase, horizon: int, course: Course, rows: FloatArray, weights: FloatArray) -> bool:
    scenario = queue.scenario
    load = float(weights @ rows[:, -1]) * scenario.handle_seconds
    begins = float(scenario.waiting)
    if queue.start is not None:
        waiting = np.maximum(np.arange(queue.start.shape[1]) - int(scenario.agents[0]), 0)
        begins = float(queue.start[0] @ waiting)
    ends = float(weights @ course.backlog_end[:, -1])
    return load > int(scenario.agents[horizon - 1]) and ends > begins
