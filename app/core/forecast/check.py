"""Whether a scenario can be predicted at all: a prediction of nonsense must not come out as a number."""

import math

import numpy as np
from numpy.typing import NDArray

from app.core.forecast.extent import MAX_STATES
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import FloatArray
from app.core.problem import InputRefused, Problem

MAX_MINUTES = 7 * 24 * 60
MAX_AGENTS = 10_000
MAX_AGENT_MINUTES = 10_000_000
MAX_WAITING = 15_000
MAX_PER_SECOND = 10_000.0
MAX_SECONDS = 7 * 86_400.0
MAX_BUSY = 1_000_000
SUM_TOLERANCE = 1e-6


class ScenarioRefused(InputRefused):
    """The scenario cannot be predicted; `problems` has every fault found, its pointer naming the member."""

    what = "scenario"


def check(scenario: Scenario, arrivals: FloatArray | None = None, start: FloatArray | None = None) -> None:
    """Pass, or raise ScenarioRefused with every fault found: NaN, what is negative, absurd, or of the wrong length.

    arrivals: (rows, minutes), contacts per second that stand in place of the scenario's own. start: distributions that
    stand in place of busy and waiting, (1 or rows, states).
    """
    problems = [
        *_horizon(scenario),
        *_rates(scenario.arrivals_per_second, scenario, ndim=1),
        *(() if arrivals is None else _rates(arrivals, scenario, ndim=2)),
        *_agents(scenario.agents),
        *_seconds("handle_seconds", scenario.handle_seconds, "the mean time that an agent spends on one contact"),
        *_patience(scenario.patience_seconds),
        *_count("busy", scenario.busy, MAX_BUSY),
        *_count("waiting", scenario.waiting, MAX_WAITING),
        *_seconds("target_seconds", scenario.target_seconds, "the service level's target", least=0.0),
        *(() if start is None else _start(start, 1 if arrivals is None else len(arrivals))),
    ]
    if problems:
        raise ScenarioRefused(problems)


def _horizon(scenario: Scenario) -> list[Problem]:
    minutes = scenario.agents.shape[0] if scenario.agents.ndim == 1 else 0
    if 1 <= minutes <= MAX_MINUTES:
        return []
    return [Problem("/agents", f"{minutes} minutes; must be one value per minute, 1 to {MAX_MINUTES} of them")]


def _rates(rates: FloatArray, scenario: Scenario, *, ndim: int) -> list[Problem]:
    if rates.ndim != ndim or rates.shape[-1] != scenario.agents.shape[-1] or not rates.size:
        shape = f"({len(scenario.agents)} minutes)" if ndim == 1 else f"(rows, {len(scenario.agents)} minutes)"
        return [Problem("/arrivals_per_second", f"has the shape {rates.shape}; must be {shape}, as agents has")]
    wrong = ~((rates >= 0) & (rates <= MAX_PER_SECOND))
    return _first_wrong("/arrivals_per_second", rates, wrong, f"must be 0 to {MAX_PER_SECOND:g} contacts per second")


def _agents(agents: NDArray[np.int64]) -> list[Problem]:
    if not np.issubdtype(agents.dtype, np.integer):
        return [Problem("/agents", f"has values of type {agents.dtype}; must be whole numbers of agents")]
    most = min(MAX_AGENTS, MAX_AGENT_MINUTES // max(agents.size, 1))
    return _first_wrong("/agents", agents, (agents < 0) | (agents > most), f"must be 0 to {most} agents")


def _first_wrong(
    pointer: str, values: FloatArray | NDArray[np.int64], wrong: NDArray[np.bool_], allowed: str
) -> list[Problem]:
    if not wrong.any():
        return []
    where = np.argwhere(wrong)[0]
    minute = int(where[-1])
    return [Problem(f"{pointer}/{minute}", f"{values[tuple(where)]} in minute {minute} {allowed}")]


def _seconds(name: str, value: float, meaning: str, least: float | None = None) -> list[Problem]:
    above = value > 0 if least is None else value >= least
    if math.isfinite(value) and above and value <= MAX_SECONDS:
        return []
    lower = "> 0" if least is None else f"{least:g}"
    return [Problem(f"/{name}", f"{value} must be {lower} and at most {MAX_SECONDS:g} s: {meaning}")]


def _patience(value: float | None) -> list[Problem]:
    if value is None or (not math.isnan(value) and 0 < value <= MAX_SECONDS):
        return []
    return [
        Problem("/patience_seconds", f"{value} must be > 0 and at most {MAX_SECONDS:g} s, or None: nobody gives up")
    ]


def _count(name: str, value: int, most: int) -> list[Problem]:
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and 0 <= value <= most:
        return []
    return [Problem(f"/{name}", f"{value} must be a whole number, 0 to {most}")]


def _start(start: FloatArray, rows: int) -> list[Problem]:
    counts, *states = start.shape or (0,)
    if len(states) != 1 or counts not in {1, rows} or not 1 <= states[0] <= MAX_STATES:
        return [Problem("/start", f"has the shape {start.shape}; must be (1 or {rows}, 1 to {MAX_STATES} states)")]
    if bool((start >= 0).all()) and bool((np.abs(start.sum(axis=1) - 1) <= SUM_TOLERANCE).all()):
        return []
    return [Problem("/start", "must be distributions: probabilities, 0 or more, whose sum is 1 in each row")]
