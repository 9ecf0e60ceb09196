"""Predict the course of a queue from where it stands: exact for the Markov model, no simulation.

The chain (chain.py) says how many are in the system at each instant; the waits (waits.py, staffing_change.py,
targets.py) say what a contact that arrives then can expect. By PASTA, which holds for a Poisson stream whose rate
varies too, the expected sums of an interval are integrals of lambda(t) sum_k p_k(t) f_k(t).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from app.core.forecast.chain import Steps, Walk, stretches, walk
from app.core.forecast.check import check
from app.core.forecast.course import Course, joined
from app.core.forecast.extent import Outline, drain_of, outline, padded, steps_for
from app.core.forecast.intervals import INTERVAL_MINUTES as INTERVAL_MINUTES
from app.core.forecast.intervals import MAX_SPILL, course_of, shown
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import MINUTE_SECONDS, FloatArray
from app.core.forecast.sums import minute_sums

MANY_AGENTS, STEP_SECONDS, STEP_SECONDS_OF_MANY = 2_000, 30.0, 60.0
WIDER = (2.0, 4.0, 8.0, 16.0, 32.0)
MAX_STATE_MINUTES = 30_000_000
"""A row has at most so many states times minutes: less than half a gigabyte in steps of 30 s."""

BLOCK_VALUES = 4_000_000
"""Rows are walked in blocks of about so many values, so that many of them fit into memory."""


def predict(
    scenario: Scenario,
    arrivals: FloatArray | None = None,
    *,
    backlog_above: Sequence[float] = (),
    step_seconds: float | None = None,
    start: FloatArray | None = None,
) -> Course:
    """Return the expected course of a queue, in intervals of 5 minutes; the last one is shorter where less is left.

    arrivals: (rows, minutes), contacts per second in place of the scenario's own; each row is predicted. start: a
    distribution over the number in the system, (rows or 1, states), in place of busy + waiting; see distributions().
    backlog_above: numbers for which Course.backlog_above is wanted. step_seconds: above 0 and at most 60, rounded to a
    part of a minute; by default 30, above 2,000 agents 60. Minutes in which the number in the system moves fast are
    stepped finer in any case. Raises ScenarioRefused, ValueError for the step.

    The present staffing is taken to stay after the horizon, for those who still wait then. More busy contacts than
    agents: those beyond leave with the agent who handles them. Unknown patience: predict with None and with 300 s, and
    trust the worse.
    """
    check(scenario, arrivals, start)
    rates = scenario.arrivals_per_second[None, :] if arrivals is None else arrivals
    given, per_minute = _starts(scenario, start, len(rates)), _steps_per_minute(scenario, step_seconds)
    outlines = [outline(scenario, curve, begin) for curve, begin in zip(rates, given, strict=True)]
    steps, courses = steps_for(outlines, per_minute), []
    for block in _blocks([size * rates.shape[1] * per_minute for size in _sizes(outlines, rates.shape[1])]):
        walked = _walked(scenario, rates[block], given[block], outlines[block], steps)
        sums = minute_sums(walked, scenario.target_seconds, backlog_above)
        courses.append(course_of(scenario, rates[block], sums, walked, backlog_above))
    return joined(courses)


def distributions(
    scenario: Scenario, minutes: Sequence[int], *, step_seconds: float | None = None, start: FloatArray | None = None
) -> FloatArray:
    """Return the distribution of the number in the system at the beginning of those minutes: (minutes, states).

    Each is what predict() takes as `start` for the scenario from that minute on. A minute may be the horizon itself.
    Raises ScenarioRefused, and ValueError for a minute that is not within it.
    """
    check(scenario, None, start)
    horizon = len(scenario.agents)
    if wrong := [minute for minute in minutes if not 0 <= minute <= horizon]:
        raise ValueError(f"minute {wrong[0]} must be 0 to {horizon}, the horizon")
    given, rates = _starts(scenario, start, 1), scenario.arrivals_per_second[None, :]
    outlines = [outline(scenario, rates[0], given[0])]
    steps = steps_for(outlines, _steps_per_minute(scenario, step_seconds))
    walked = _walked(scenario, rates, given, outlines, steps)
    return shown(np.array([walked.at(minute) for minute in minutes]).reshape(len(minutes), walked.sizes[0]))


def _steps_per_minute(scenario: Scenario, step_seconds: float | None) -> int:
    if step_seconds is None:
        step_seconds = STEP_SECONDS if scenario.agents.max() <= MANY_AGENTS else STEP_SECONDS_OF_MANY
    if not 0 < step_seconds <= MINUTE_SECONDS:
        raise ValueError(f"step_seconds={step_seconds} must be > 0 and at most {MINUTE_SECONDS:g}")
    return int(np.ceil(MINUTE_SECONDS / step_seconds))


def _starts(scenario: Scenario, start: FloatArray | None, rows: int) -> FloatArray:
    """Return one distribution per row: (rows, states)."""
    if start is None:  # agents beyond the head-count leave with their contact; idle ones pick up whoever waits
        start = np.zeros((1, min(scenario.busy, int(scenario.agents[0])) + scenario.waiting + 1))
        start[0, -1] = 1.0
    return np.broadcast_to(start, (rows, start.shape[1]))


def _sizes(outlines: Sequence[Outline], minutes: int, margin: float = 1.0) -> list[int]:
    return [min(one.states(margin), MAX_STATE_MINUTES // minutes) for one in outlines]


def _blocks(sizes: Sequence[int]) -> Iterator[slice]:
    """Yield runs of rows, each of a size that fits into memory."""
    begin = values = 0
    for row, size in enumerate(sizes):
        if row > begin and values + size > BLOCK_VALUES:
            yield slice(begin, row)
            begin, values = row, 0
        values += size
    yield slice(begin, len(sizes))


def _walked(
    scenario: Scenario, rates: FloatArray, given: FloatArray, outlines: Sequence[Outline], steps: Steps
) -> Walk:
    """Walk; again with more states, as long as a row comes near its last one."""
    drain, staffing = drain_of(scenario), stretches(scenario.agents)
    sizes = _sizes(outlines, rates.shape[1])
    for margin in WIDER:
        walked = walk(rates, staffing, drain, padded(given, sizes), steps)
        wider = _sizes(outlines, rates.shape[1], margin)
        if walked.spilled().max() <= MAX_SPILL or wider == sizes:
            break
        sizes = wider
    return walked
