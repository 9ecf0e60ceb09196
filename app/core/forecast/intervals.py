"""From minutes to a course: sums over intervals, and what is said of the whole of it."""

from collections.abc import Sequence

import numpy as np

from app.core.forecast.chain import Walk
from app.core.forecast.course import Course
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import MINUTE_SECONDS, BoolArray, FloatArray, IntArray
from app.core.forecast.sums import ALL_BUSY, BUSY, QUEUE, WAITING_AT_TARGET, MinuteSums
from app.core.forecast.unfollowed import unfollowed

INTERVAL_MINUTES = 5
HIGH = 0.9
UNSERVED, MAX_SPILL = 1e-6, 1e-8


def edges(minutes: int) -> tuple[IntArray, IntArray]:
    """Return the first minute of each interval and the one after its last; the last interval may be shorter."""
    firsts = np.arange(0, minutes, INTERVAL_MINUTES)
    return firsts, np.minimum(firsts + INTERVAL_MINUTES, minutes)


def course_of(scenario: Scenario, rates: FloatArray, found: MinuteSums, walk: Walk, above: Sequence[float]) -> Course:
    """Return the course of all rows, from what is expected of their minutes.

    Every figure is put into its range: the integration may leave masses a little below zero.
    """
    firsts, lasts = edges(rates.shape[1])
    seconds = (lasts - firsts) * MINUTE_SECONDS

    def summed(values: FloatArray) -> FloatArray:
        """Return the sums over each interval: (rows, minutes) in, (rows, intervals) out."""
        return np.asarray(np.add.reduceat(values, firsts, axis=1))

    fates = summed(found.sums[:, :, : WAITING_AT_TARGET + 1] * rates[..., None])
    served, waited, quick, late = np.moveaxis(np.maximum(fates, 0.0), -1, 0)
    offered = summed(rates * MINUTE_SECONDS)
    answered = np.minimum(served, offered)
    in_target = np.minimum(quick, answered)
    gives_up = float(scenario.patience_seconds is not None)
    abandoned = gives_up * (offered - answered)
    queue, squared = np.moveaxis(np.maximum(found.ends[:, lasts - 1], 0.0), -1, 0)
    agents = np.maximum.reduceat(scenario.agents, firsts)
    return Course(
        interval_seconds=INTERVAL_MINUTES * MINUTE_SECONDS,
        offered=offered,
        answered=answered,
        abandoned=abandoned,
        answered_in_target=in_target,
        abandoned_in_target=gives_up * np.clip(offered - in_target - late, 0.0, abandoned),
        answered_wait_seconds=waited,
        wait_seconds=_all_waits(scenario, offered, answered, waited),
        backlog=np.maximum(summed(found.sums[:, :, QUEUE]) / seconds, 0.0),
        backlog_end=queue,
        backlog_end_sd=np.sqrt(np.maximum(squared - queue**2, 0.0)),
        busy=np.clip(summed(found.sums[:, :, BUSY]) / seconds, 0.0, agents),
        end=_ends(walk),
        backlog_above={x: np.maximum.reduceat(found.peaks[:, :, i], firsts, axis=1) for i, x in enumerate(above)},
        backlog_end_p90=_high(walk, scenario.agents, lasts),
        all_busy=np.clip(summed(found.sums[:, :, ALL_BUSY]) / seconds, 0.0, 1.0),
        unattended=np.logical_or.reduceat(~np.logical_or.accumulate(scenario.agents[::-1] > 0)[::-1], firsts),
        never_recovers=_grows(scenario, rates, walk, queue[:, -1]),
        overflowed=(walk.spilled() > MAX_SPILL) | unfollowed(walk),
    )


def shown(masses: FloatArray) -> FloatArray:
    """Return distributions (…, states) without the rounding below zero."""
    clipped = np.maximum(masses, 0.0)
    return np.asarray(clipped / clipped.sum(axis=-1, keepdims=True))


def _ends(walk: Walk) -> FloatArray:
    found = np.zeros((len(walk.sizes), max(walk.sizes)))
    for row, size in enumerate(walk.sizes):
        found[row, :size] = walk.paths[-1][-1, walk.states_of(row)]
    return shown(found)


def _all_waits(scenario: Scenario, offered: FloatArray, served: FloatArray, waited: FloatArray) -> FloatArray:
    """Return the summed waits of all: while one waits, it gives up at 1 / patience, hence abandoned x patience."""
    if scenario.patience_seconds is not None:
        return np.maximum((offered - served) * scenario.patience_seconds, waited)
    return np.where(served < offered * (1 - UNSERVED), np.inf, waited)


def _high(walk: Walk, agents: IntArray, lasts: IntArray) -> FloatArray:
    """Return the 0.9 quantile of the backlog at the end of each interval: (rows, intervals)."""
    there = agents[np.minimum(lasts, len(agents) - 1)]
    points = np.stack([walk.at(minute) for minute in lasts.tolist()])
    found = np.empty((len(walk.sizes), len(lasts)))
    for row in range(len(walk.sizes)):
        below = (np.cumsum(points[:, walk.states_of(row)], axis=1) < HIGH).sum(axis=1)
        found[row] = np.maximum(below - there, 0)
    return found


def _grows(scenario: Scenario, rates: FloatArray, walk: Walk, backlog: FloatArray) -> BoolArray:
    agents = scenario.agents
    starts = [walk.points(0, row)[0, agents[0] :] for row in range(len(walk.sizes))]
    before = np.array([start @ np.arange(len(start)) for start in starts])
    overloaded = rates[:, -1] * scenario.handle_seconds > agents[-1]
    return np.asarray(overloaded & (backlog > before) & (scenario.patience_seconds is None))
