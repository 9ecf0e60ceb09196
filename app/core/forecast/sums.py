"""What is expected of each minute: integrals over the walked distributions, by the trapezoidal rule over the steps.

Steps that were taken in parts count in these parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.core.forecast.chain import Walk
from app.core.forecast.series import MINUTE_SECONDS, FloatArray
from app.core.forecast.staffing_change import Deviations, Queueing, fates
from app.core.forecast.targets import Correction, Targets, within_reach

SERVED, SERVED_WAIT, IN_TARGET, WAITING_AT_TARGET, QUEUE, QUEUE_SQUARED, BUSY, ALL_BUSY, TABLES = range(9)


@dataclass(frozen=True, slots=True, eq=False)
class MinuteSums:
    """What is expected of each minute, first axes (rows, minutes).

    sums: integrals over its seconds, one per table: of what an arrival at that instant can expect, and of the queue.
    ends: QUEUE and QUEUE_SQUARED at its end. peaks: the largest P(Q > x) at its steps, one per threshold.
    """

    sums: FloatArray
    ends: FloatArray
    peaks: FloatArray


def minute_sums(walk: Walk, target_seconds: float, above: Sequence[float]) -> MinuteSums:
    """Return the expected sums of every minute that was walked, for a target and thresholds of the backlog."""
    rows, minutes, states = len(walk.sizes), walk.staffing[-1].last, max(walk.sizes)
    found = MinuteSums(
        np.empty((rows, minutes, TABLES)), np.empty((rows, minutes, 2)), np.empty((rows, minutes, len(above)))
    )
    reach = within_reach(walk.staffing, walk.drain, states, target_seconds)
    targets = Targets(walk.staffing, walk.drain, reach, target_seconds, walk.steps_per_minute)
    fated = fates(walk.staffing, walk.drain, states, walk.steps_per_minute)
    for position, (queue, closed, deviations) in enumerate(fated):
        table = _table(queue, closed, target_seconds, above)
        corrections = list(targets.corrections(position))
        for row in range(rows):
            points = walk.points(position, row)
            values = points @ table[: points.shape[1]]
            _enter(found, walk, position, row, values)
            _bend(found, walk, position, row, table)
            _deviate(found, walk, position, row, deviations)
            for correction in corrections:
                extra = _corrected(correction, points, queue)
                found.sums[row, correction.minute, IN_TARGET : WAITING_AT_TARGET + 1] += extra
    return found


def _table(queue: Queueing, closed: FloatArray, target: float, above: Sequence[float]) -> FloatArray:
    """Return what each state stands for, (states, TABLES + thresholds): for who arrives then, and of the queue."""
    agents, states = queue.agents, queue.agents + queue.places
    number = np.arange(states, dtype=np.float64)
    waiting = np.maximum(number - agents, 0)
    table = np.zeros((states, TABLES + len(above)))
    table[:agents, SERVED] = table[:agents, IN_TARGET] = 1.0
    table[agents:, SERVED : SERVED_WAIT + 1] = closed
    table[agents:, IN_TARGET : WAITING_AT_TARGET + 1] = queue.within(target)
    table[:, QUEUE], table[:, QUEUE_SQUARED] = waiting, waiting**2
    table[:, BUSY], table[:, ALL_BUSY] = np.minimum(number, agents), number >= agents
    table[:, TABLES:] = waiting[:, None] > np.array(above)
    return table


def _deviate(found: MinuteSums, walk: Walk, position: int, row: int, deviations: Deviations) -> None:
    """Add what differs from the closed form of the stretch, as its staffing does not last."""
    stretch, steps = walk.staffing[position], walk.steps_per_minute
    near = slice(stretch.agents, stretch.agents + deviations.before.shape[1])
    waiting = walk.points(position, row)[deviations.since :, near]
    extra = np.zeros(((stretch.last - stretch.first) * steps, 2))
    for masses, means in ((waiting[:-1], deviations.before), (waiting[1:], deviations.after)):
        extra[deviations.since :] += np.einsum("ik,ikc->ic", masses, means[:, : waiting.shape[1]])
    minutes = extra.reshape(-1, steps, 2).sum(axis=1) * (MINUTE_SECONDS / steps)
    found.sums[row, stretch.first : stretch.last, SERVED : SERVED_WAIT + 1] += minutes


def _enter(found: MinuteSums, walk: Walk, position: int, row: int, values: FloatArray) -> None:
    stretch, steps = walk.staffing[position], walk.steps_per_minute
    minutes = stretch.last - stretch.first
    during = slice(stretch.first, stretch.last)
    halves = (values[:-1, :TABLES] + values[1:, :TABLES]) * (MINUTE_SECONDS / steps / 2)
    found.sums[row, during] = halves.reshape(minutes, steps, TABLES).sum(axis=1)
    found.ends[row, during] = values[steps::steps, QUEUE : QUEUE_SQUARED + 1]
    if stretch.first:  # who comes in at the end of a minute shortens the queue of that end
        found.ends[row, stretch.first - 1] = values[0, QUEUE : QUEUE_SQUARED + 1]
    over = values[:, TABLES:]
    inside = over[:-1].reshape(minutes, steps, over.shape[1]).max(axis=1)
    found.peaks[row, during] = np.clip(np.maximum(inside, over[steps::steps]), 0.0, 1.0)


def _bend(found: MinuteSums, walk: Walk, position: int, row: int, table: FloatArray) -> None:
    """Add what the trapezoidal rule misses of steps in which much changes: they were taken in parts."""
    steps, masses = walk.bends[position]
    bent = masses[:, walk.states_of(row)]
    missed = bent @ table[: bent.shape[1], :TABLES] * (MINUTE_SECONDS / walk.steps_per_minute)
    np.add.at(found.sums[row], walk.staffing[position].first + steps // walk.steps_per_minute, missed)


def _corrected(correction: Correction, points: FloatArray, queue: Queueing) -> FloatArray:
    step = int(correction.point)
    share = correction.point - step
    waiting = ((1 - share) * points[step] + share * points[step + 1])[queue.agents :]
    places = min(len(waiting), len(correction.extra))
    extra: FloatArray = correction.seconds * (waiting[:places] @ correction.extra[:places])
    return extra
