"""Predict the course of a queue from where it stands: exact for the Markov model, no simulation.

The chain (chain.py) says how many are in the system at each instant; the waits (waits.py, staffing_change.py,
targets.py) say what a contact that arrives then can expect. By PASTA, which holds for a Poisson stream whose rate
varies too, the expected sums of an interval are integrals of lambda(t) sum_k p_k(t) f_k(t).
"""

from collections.abc import Sequence

import numpy as np

from app.core.forecast.chain import Drain, Walk, stretches, walk
from app.core.forecast.check import check
from app.core.forecast.course import Course
from app.core.forecast.extent import padded, states_needed
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import MINUTE_SECONDS, FloatArray
from app.core.forecast.sums import BUSY, QUEUE, WAITING_AT_TARGET, MinuteSums, minute_sums

INTERVAL_MINUTES = 5
MANY_AGENTS, STEP_SECONDS, STEP_SECONDS_OF_MANY = 2_000, 30.0, 60.0
MAX_SPILL = 1e-8
MARGINS = (1.0, 2.0, 4.0, 8.0, 16.0)


def predict(
    scenario: Scenario,
    arrivals: FloatArray | None = None,
    *,
    backlog_above: Sequence[float] = (),
    step_seconds: float | None = None,
    start: FloatArray | None = None,
) -> Course:
    """Return the expected course of a queue, in intervals of 5 minutes (the last one shorter where minutes are left).

    arrivals: (rows, minutes), contacts per second in place of the scenario's own; each row is predicted. start: a
    distribution over the number in the system, (rows or 1, states), in place of busy + waiting; see distributions().
    backlog_above: numbers for which Course.backlog_above is wanted. step_seconds: by default 30, above 2,000 agents 60;
    at most 60. Raises ScenarioRefused.
    """
    check(scenario, arrivals)
    rates = scenario.arrivals_per_second[None, :] if arrivals is None else arrivals
    walked = _walked(scenario, rates, start, step_seconds)
    found = minute_sums(walked, scenario.target_seconds, backlog_above)
    return _course(scenario, rates, found, tuple(backlog_above), walked)


def distributions(
    scenario: Scenario, minutes: Sequence[int], *, step_seconds: float | None = None, start: FloatArray | None = None
) -> FloatArray:
    """Return the distribution of the number in the system at the beginning of those minutes: (minutes, states).

    Each is what predict() takes as `start` for the scenario from that minute on. A minute may be the horizon itself.
    Raises ScenarioRefused, and ValueError for a minute that is not within it.
    """
    check(scenario)
    horizon = len(scenario.agents)
    if wrong := [minute for minute in minutes if not 0 <= minute <= horizon]:
        raise ValueError(f"minute {wrong[0]} must be 0 to {horizon}, the horizon")
    walked = _walked(scenario, scenario.arrivals_per_second[None, :], start, step_seconds)
    return _shown(np.stack([walked.at(minute) for minute in minutes]))


def steps_per_minute(scenario: Scenario, step_seconds: float | None) -> int:
    """Return in how many steps a minute is taken. Raises ValueError where step_seconds is not > 0 and <= 60."""
    if step_seconds is None:
        step_seconds = STEP_SECONDS if scenario.agents.max() <= MANY_AGENTS else STEP_SECONDS_OF_MANY
    if not 0 < step_seconds <= MINUTE_SECONDS:
        raise ValueError(f"step_seconds={step_seconds} must be > 0 and at most {MINUTE_SECONDS:g}")
    return int(np.ceil(MINUTE_SECONDS / step_seconds))


def drain_of(scenario: Scenario) -> Drain:
    """Return how fast the scenario's queue empties, from its handle time and patience."""
    patience = scenario.patience_seconds
    return Drain(1 / scenario.handle_seconds, 0.0 if patience is None else 1 / patience)


def _walked(scenario: Scenario, rates: FloatArray, start: FloatArray | None, step_seconds: float | None) -> Walk:
    """Walk; again with more states where a row has come near its last one."""
    drain, steps = drain_of(scenario), steps_per_minute(scenario, step_seconds)
    given = _unit_mass(scenario) if start is None else start
    for margin in MARGINS:
        starts = [
            padded(given[row if len(given) > 1 else 0], states_needed(scenario, drain, rates[row], given, margin))
            for row in range(len(rates))
        ]
        walked = walk(rates, stretches(scenario.agents), drain, starts, steps)
        if walked.spilled() <= MAX_SPILL:
            break
    return walked


def _unit_mass(scenario: Scenario) -> FloatArray:
    """Return where the scenario begins. Contacts of agents beyond the head-count leave with them; idle ones pick up."""
    masses = np.zeros((1, min(scenario.busy, int(scenario.agents[0])) + scenario.waiting + 1))
    masses[0, -1] = 1.0
    return masses


def _course(scenario: Scenario, rates: FloatArray, found: MinuteSums, above: tuple[float, ...], walked: Walk) -> Course:
    firsts = np.arange(0, rates.shape[1], INTERVAL_MINUTES)
    lasts = np.minimum(firsts + INTERVAL_MINUTES, rates.shape[1]) - 1
    seconds = (lasts - firsts + 1) * MINUTE_SECONDS

    def summed(values: FloatArray) -> FloatArray:
        return np.asarray(np.add.reduceat(values, firsts, axis=1))

    served, waited, quick, late = np.moveaxis(
        summed(found.sums[:, :, : WAITING_AT_TARGET + 1] * rates[..., None]), -1, 0
    )
    offered = summed(rates * MINUTE_SECONDS)
    patience = scenario.patience_seconds
    gives_up = float(patience is not None)
    abandoned = gives_up * np.maximum(offered - served, 0.0)
    queue, squared = np.moveaxis(found.ends[:, lasts], -1, 0)
    return Course(
        interval_seconds=INTERVAL_MINUTES * MINUTE_SECONDS,
        offered=offered,
        answered=served,
        abandoned=abandoned,
        answered_in_target=quick,
        abandoned_in_target=gives_up * np.maximum(offered - quick - late, 0.0),
        answered_wait_seconds=waited,
        wait_seconds=waited if patience is None else abandoned * patience,  # E[wait] = P(gives up) / theta
        backlog=summed(found.sums[:, :, QUEUE]) / seconds,
        backlog_end=queue,
        backlog_end_sd=np.sqrt(np.maximum(squared - queue**2, 0.0)),
        busy=summed(found.sums[:, :, BUSY]) / seconds,
        end=_shown(walked.ends()),
        backlog_above={x: np.maximum.reduceat(found.peaks[:, :, i], firsts, axis=1) for i, x in enumerate(above)},
    )


def _shown(masses: FloatArray) -> FloatArray:
    clipped = np.maximum(masses, 0.0)
    return np.asarray(clipped / clipped.sum(axis=-1, keepdims=True))
