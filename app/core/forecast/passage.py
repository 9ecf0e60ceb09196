"""The probability that a backlog is exceeded at all: the first passage of the chain above it.

The chain of M(t)/M/n(t)+M with every state of more than `backlog` waiting contacts made absorbing. What has left the
other states by an instant is the probability that more waited at some instant before: not the largest probability
over instants, which is smaller, because different days exceed the limit at different times. Integrated by TR-BDF2
(Bank et al., IEEE Trans. Electron Devices 32(10), 1985), the first step as backward Euler in eight parts.
"""

import math

import numpy as np
from scipy.linalg.lapack import dgttrf, dgttrs

from app.core.forecast.chain import BACKWARD, FORWARD, IMPLICIT, Drain, leave, stretches
from app.core.forecast.extent import MAX_STATES, outline
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import MINUTE_SECONDS, FloatArray

STARTING_STEPS = 8
MANY_STATES = 2_000


def exceeded(
    scenario: Scenario,
    arrivals: FloatArray,
    backlog: float,
    *,
    step_seconds: float = 30.0,
    start: FloatArray | None = None,
) -> FloatArray:
    """Return the probability, 0..1, that more than `backlog` waited at some instant up to the end of each minute.

    arrivals: (rows, minutes), contacts per second. start: a distribution over the number in system, shape (1,
    states), in place of the scenario's busy and waiting. Shape (rows, minutes); never falls along a row. Steps of 60 s
    err by less than .001 where it is unlikely to the end, up to about .15, and by hundredths in minutes in which it
    soon becomes certain; by as little it may fall where arrivals grow.
    """
    most = math.floor(backlog)
    states = int(scenario.agents.max(initial=0)) + most + 1
    if states <= MANY_STATES:
        return _first_passage(scenario, arrivals, start, most, step_seconds)
    needed = [_states_needed(scenario, rates, start) for rates in arrivals]
    found = np.zeros_like(arrivals)  # a limit far beyond what any row can reach needs no calculation
    reached = np.array([states <= size < MAX_STATES for size in needed])
    found[[size >= MAX_STATES for size in needed]] = 1.0  # more than can be calculated
    if reached.any():
        found[reached] = _first_passage(scenario, arrivals[reached], start, most, step_seconds)
    return found


def _states_needed(scenario: Scenario, rates: FloatArray, start: FloatArray | None) -> int:
    begins = _certain(scenario) if start is None else start[0]
    return outline(scenario, rates, begins).states()


def _certain(scenario: Scenario) -> FloatArray:
    """Return the distribution that busy and waiting stand for; who outstays a shift takes no other contact."""
    masses = np.zeros(min(scenario.busy, int(scenario.agents[0])) + scenario.waiting + 1)
    masses[-1] = 1.0
    return masses


def _first_passage(
    scenario: Scenario, arrivals: FloatArray, start: FloatArray | None, most: int, step_seconds: float
) -> FloatArray:
    agents = scenario.agents
    rows, minutes = arrivals.shape
    states = int(agents.max(initial=0)) + most + 1
    alive = _Alive(scenario, rows, states, most, step_seconds)
    begins = _certain(scenario)[np.newaxis] if start is None else start
    known = min(begins.shape[1], int(agents[0]) + most + 1)
    masses: FloatArray = np.tile(np.pad(begins[0, :known], (0, states - known)), rows)
    left = np.empty((rows, minutes))
    for stretch in stretches(agents):
        masses = alive.staff(masses, stretch.agents)
        for minute in range(stretch.first, stretch.last):
            masses = alive.minute(masses, arrivals[:, minute])
            left[:, minute] = masses.reshape(rows, states).sum(axis=1)
    broken: FloatArray = np.maximum.accumulate(np.clip(1 - left, 0.0, 1.0), axis=1)
    return broken


class _Alive:
    """The states within the limit, those of all rows side by side as one tridiagonal system."""

    def __init__(self, scenario: Scenario, rows: int, states: int, most: int, step_seconds: float) -> None:
        patience = scenario.patience_seconds
        self._drain = Drain(1 / scenario.handle_seconds, 0.0 if patience is None else 1 / patience)
        self._rows, self._states, self._most = rows, states, most
        self._steps = max(1, round(MINUTE_SECONDS / step_seconds))
        self._numbers = np.arange(states, dtype=np.float64)
        self._agents: int | None = None
        self._started = False

    def staff(self, masses: FloatArray, agents: int) -> FloatArray:
        """Return the masses under another head-count; those whom it leaves above the limit are gone."""
        rows = masses.reshape(self._rows, self._states)
        if self._agents is not None and agents < self._agents:
            rows = np.array([leave(row, self._agents, agents) for row in rows])
        self._agents = agents
        inside = self._numbers <= agents + self._most
        self._goes_up = np.tile(self._numbers < agents + self._most, self._rows)[:-1]
        deaths = np.tile(self._drain.deaths(self._numbers, agents), self._rows)
        deaths[:: self._states] = 0.0
        self._deaths = deaths
        return np.where(inside, rows, 0.0).ravel()

    def minute(self, masses: FloatArray, arrivals: FloatArray) -> FloatArray:
        """Return the masses one minute later. arrivals: one rate per row."""
        step = MINUTE_SECONDS / self._steps
        births = np.repeat(arrivals, self._states)
        factors = self._factors(births, IMPLICIT * step)
        steps = self._steps
        if not self._started:
            self._started, steps = True, steps - 1
            euler = self._factors(births, step / STARTING_STEPS)
            for _ in range(STARTING_STEPS):
                masses = dgttrs(*euler, masses)[0]
        for _ in range(steps):
            half = dgttrs(*factors, masses)[0]
            masses = dgttrs(*factors, FORWARD * half - BACKWARD * masses)[0]
        return masses

    def _factors(self, births: FloatArray, span: float) -> tuple[FloatArray, ...]:
        on = 1 + span * (births + self._deaths)
        below = np.where(self._goes_up, -span * births[:-1], 0.0)
        return tuple(dgttrf(below, on, -span * self._deaths[1:])[:5])
