"""The probability that a limit breaks, and where: schedules of sends held against a gate's limits.

At each node of uncertainty a window's expected service level, speed to answer and abandonment either keep their limit
or break it; a backlog limit breaks with the exact probability that the backlog exceeds it at some instant. At a node
the queues are independent of each other, so that nothing breaks with the product of what each keeps; the nodes, each
counted once, are weighed together. The nodes are the same for all queues: what makes a day busy makes all of them busy.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.core.floor.metric import Metric
from app.core.forecast.case import Case, QueueCase
from app.core.forecast.course import Course
from app.core.forecast.demand import arrivals
from app.core.forecast.judged import Span, scenarios, spans, start_of, windows
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.passage import exceeded
from app.core.forecast.predict import INTERVAL_MINUTES, predict
from app.core.forecast.series import MINUTE_SECONDS, BoolArray, FloatArray
from app.core.forecast.uncertainty import NINE, Nodes

STEP_SECONDS = 30.0
PASSAGE_STEP_SECONDS = 60.0
ANYBODY = 1e-6


@dataclass(frozen=True, slots=True)
class Breach:
    """One limit that may break: in which queue, most likely in which window (seconds from now), how probably at all.

    expected: the metric in that window, over all nodes; if_broken: over those nodes at which it breaks there; None for
    a backlog, and where nobody is answered.
    """

    queue: str
    metric: Metric
    window_start_seconds: float
    window_end_seconds: float
    expected: float | None
    if_broken: float | None
    limit: float
    probability: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The probability that any limit breaks, and each limit that may, the most probable first."""

    probability: float
    breaches: tuple[Breach, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """One limit of one queue held against some schedules: arrays of shape (schedules, nodes, windows).

    chances: the probability that the limit breaks in that window at that node, 0 or 1 where it is on expected values.
    values: the metric; NaN where there is none. edges: of the windows, in seconds from now, shape (windows, 2).
    """

    queue: str
    metric: Metric
    limit: float
    edges: FloatArray
    chances: FloatArray
    values: FloatArray

    def at_all(self) -> FloatArray:
        """Return the probability that the limit breaks in any window: shape (schedules, nodes)."""
        if self.metric is Metric.BACKLOG:  # first passages: in one window or in another
            sums: FloatArray = self.chances.sum(axis=2)
            return np.minimum(sums, 1.0)
        largest: FloatArray = self.chances.max(axis=2, initial=0.0)
        return largest


def hold_windows(case: Case, schedules: FloatArray, nodes: Nodes = NINE) -> tuple[Held, ...]:
    """Return the limits on windows held against schedules of messages per start, shape (schedules, starts).

    Empty where there is no limit on service level, speed to answer or abandonment.
    """
    if not _windowed(case.limits):
        return ()
    return tuple(held for queue in case.queues for held in _queue_windows(case, queue, schedules, nodes))


def hold_backlog(case: Case, schedules: FloatArray, nodes: Nodes = NINE) -> tuple[Held, ...]:
    """Return the limit on each queue's backlog held against schedules; empty where there is none."""
    limit = case.limits.backlog
    if limit is None:
        return ()
    return tuple(held for queue in case.queues for held in _queue_backlog(case, queue, schedules, nodes, limit))


def broken_at(held: tuple[Held, ...], shape: tuple[int, int]) -> FloatArray:
    """Return the probability that any of the limits breaks, at each node: of the shape (schedules, nodes) given."""
    kept = np.ones(shape)
    for one in held:
        kept *= 1.0 - one.at_all()
    return 1.0 - kept


def probabilities(case: Case, schedules: FloatArray, nodes: Nodes = NINE) -> FloatArray:
    """Return the probability that any limit breaks under each schedule: shape (schedules,)."""
    held = hold_windows(case, schedules, nodes) + hold_backlog(case, schedules, nodes)
    found: FloatArray = broken_at(held, (len(schedules), len(nodes.weights))) @ nodes.weights
    return found


def judge(case: Case, schedules: FloatArray, nodes: Nodes = NINE) -> list[Verdict]:
    """Return a verdict for each schedule of messages per start, shape (schedules, starts)."""
    held = hold_windows(case, schedules, nodes) + hold_backlog(case, schedules, nodes)
    broken = broken_at(held, (len(schedules), len(nodes.weights))) @ nodes.weights
    return [
        Verdict(float(probability), _breaches(held, number, nodes.weights)) for number, probability in enumerate(broken)
    ]


# --- holding ----------------------------------------------------------------------------------------------------------


def _queue_windows(case: Case, queue: QueueCase, schedules: FloatArray, nodes: Nodes) -> Iterator[Held]:
    for span in spans(queue, case.limits):
        offered = arrivals(queue, case.contacts_per_1000, schedules, nodes, span.minutes)
        for scenario in scenarios(queue, span):
            rows = offered.reshape(-1, offered.shape[2])
            course = predict(scenario, rows, step_seconds=STEP_SECONDS, start=start_of(queue, span))
            yield from _hold_windows(queue.queue, case.limits, course, span, offered.shape[:2])


def _queue_backlog(case: Case, queue: QueueCase, schedules: FloatArray, nodes: Nodes, limit: float) -> Iterator[Held]:
    for span in spans(queue, case.limits):
        offered = arrivals(queue, case.contacts_per_1000, schedules, nodes, span.minutes)
        scenario = scenarios(queue, span)[0]  # of two patiences the first one, nobody gives up, has the longer queue
        rows = offered.reshape(-1, offered.shape[2])
        over = exceeded(scenario, rows, limit, step_seconds=PASSAGE_STEP_SECONDS, start=start_of(queue, span))
        yield _hold_backlog(queue.queue, limit, case.limits.window_seconds, over.reshape(offered.shape), span)


def _windowed(limits: OutlookLimits) -> bool:
    each = (limits.service_level_ratio, limits.speed_to_answer_seconds, limits.abandonment_ratio)
    return any(limit is not None for limit in each)


def _hold_windows(
    queue: str, limits: OutlookLimits, course: Course, span: Span, shape: tuple[int, ...]
) -> Iterator[Held]:
    cuts = windows(span.last - span.first, limits.window_seconds, INTERVAL_MINUTES)
    edges = _edges(cuts, span, INTERVAL_MINUTES)

    def total(values: FloatArray) -> FloatArray:
        """Return the sum over each window: (rows, intervals) in, the rows in `shape` by windows out."""
        sums = np.stack([values[:, first:end].sum(axis=1) for first, end in cuts], axis=1)
        return sums.reshape(*shape, len(cuts))

    offered, answered = total(course.offered), total(course.answered)
    anybody, some = offered > ANYBODY, answered > ANYBODY
    beyond = anybody & course.overflowed.reshape(*shape, 1)  # more come than can be calculated: worse than any limit
    if limits.service_level_ratio is not None:
        level = _ratio(total(course.answered_in_target), offered, anybody)
        broken = beyond | (anybody & ~(level >= limits.service_level_ratio))
        yield Held(queue, Metric.SERVICE_LEVEL_RATIO, limits.service_level_ratio, edges, broken.astype(float), level)
    if limits.speed_to_answer_seconds is not None:
        speed = _ratio(total(course.answered_wait_seconds), answered, some)
        broken = beyond | (anybody & ~(speed <= limits.speed_to_answer_seconds))  # nobody answered: NaN, which breaks
        yield Held(
            queue, Metric.SPEED_TO_ANSWER_SECONDS, limits.speed_to_answer_seconds, edges, broken.astype(float), speed
        )
    if limits.abandonment_ratio is not None:
        lost = _ratio(total(course.abandoned), offered, anybody)
        broken = beyond | (anybody & (~(lost <= limits.abandonment_ratio) | ~some))
        yield Held(queue, Metric.ABANDONMENT_RATIO, limits.abandonment_ratio, edges, broken.astype(float), lost)


def _hold_backlog(queue: str, limit: float, window_seconds: float, over: FloatArray, span: Span) -> Held:
    cuts = windows(span.last - span.first, window_seconds, 1)
    ends = over[:, :, [end - 1 for _, end in cuts]]
    ends[:, :, -1] = over[:, :, -1]  # minutes after the last window count in it: every instant must keep this limit
    chances = np.diff(ends, axis=2, prepend=0.0)
    return Held(queue, Metric.BACKLOG, limit, _edges(cuts, span, 1), chances, np.full_like(chances, np.nan))


def _edges(cuts: list[tuple[int, int]], span: Span, interval_minutes: int) -> FloatArray:
    minutes = np.minimum(span.first + np.array(cuts, dtype=np.float64) * interval_minutes, span.last)
    edges: FloatArray = minutes * MINUTE_SECONDS
    return edges


def _ratio(part: FloatArray, whole: FloatArray, where: BoolArray) -> FloatArray:
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=where)


# --- telling ----------------------------------------------------------------------------------------------------------


def _breaches(held: tuple[Held, ...], schedule: int, weights: FloatArray) -> tuple[Breach, ...]:
    found = [_breach(one, schedule, weights) for one in held]
    ordered = sorted((one for one in found if one.probability > 0), key=_first)
    seen: dict[tuple[str, Metric], Breach] = {}
    for one in ordered:  # of two patiences, and of two spans, the worse
        seen.setdefault((one.queue, one.metric), one)
    return tuple(seen.values())


def _first(breach: Breach) -> tuple[float, float]:
    return (-round(breach.probability, 6), breach.window_start_seconds)


def _breach(held: Held, schedule: int, weights: FloatArray) -> Breach:
    chances, values = held.chances[schedule], held.values[schedule]
    window = int(np.argmax(np.round(weights @ chances, 6)))  # the first of equally probable ones
    start, end = held.edges[window]
    return Breach(
        held.queue,
        held.metric,
        float(start),
        float(end),
        _mean(values[:, window], weights),
        _mean(values[:, window], weights * chances[:, window]),
        held.limit,
        float(held.at_all()[schedule] @ weights),
    )


def _mean(values: FloatArray, weights: FloatArray) -> float | None:
    known = ~np.isnan(values) & (weights > 0)
    if not known.any():
        return None
    return float(values[known] @ weights[known] / weights[known].sum())
