"""Facts of queues that are not in a steady state: at one instant, and over a day."""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from app.core.forecast.chain import Drain, leave
from app.core.forecast.extent import outline
from app.core.forecast.predict import predict
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import FloatArray
from app.core.forecast.uniformisation import advanced
from app.core.forecast.waits import served, served_wait, served_within, still_waiting
from tests.support.truth_facts import Facts
from tests.support.truth_inputs import Inputs, Segments

SUMS = (
    "offered",
    "answered",
    "abandoned",
    "answered_in_target",
    "abandoned_in_target",
    "answered_wait_seconds",
    "wait_seconds",
)
MEANS = ("backlog", "busy", "all_busy")


def instant(inputs: Inputs) -> Facts:
    """Return what holds at one instant of a queue whose rates change: by uniformisation, exact to 1e-12 a step."""
    agents, drain, masses = _at(inputs)
    number = np.arange(len(masses), dtype=np.float64)
    waiting = np.maximum(number - agents, 0)
    ahead, per_second, theta = waiting[agents:], agents * drain.handled_per_second, drain.given_up_per_second

    def mean(values: FloatArray) -> float:
        return float(masses @ values)

    def variance(values: FloatArray) -> float:
        return mean((values - mean(values)) ** 2)

    def who_waits(values: FloatArray) -> float:
        return float(masses[agents:] @ values)

    idle = float(masses[:agents].sum())
    answered = idle + who_waits(served(ahead, per_second, theta))
    return Facts(
        {
            "mean_queue": lambda: mean(waiting),
            "var_queue": lambda: variance(waiting),
            "sd_queue": lambda: math.sqrt(variance(waiting)),
            "mean_in_system": lambda: mean(number),
            "var_in_system": lambda: variance(number),
            "sd_in_system": lambda: math.sqrt(variance(number)),
            "mean_busy": lambda: mean(np.minimum(number, agents)),
            "occupancy": lambda: mean(np.minimum(number, agents)) / agents,
            "p_wait": lambda: 1 - idle,
            "p_no_wait": lambda: idle,
            "p_empty": lambda: float(masses[0]),
            "p_abandon": lambda: 1 - answered,
            "p_answered": lambda: answered,
            "asa": lambda: who_waits(served_wait(ahead, per_second, theta)) / answered,
            "offered": lambda: 1.0,
            "answered": lambda: answered,
            "abandoned": lambda: 1 - answered,
        },
        {
            "p_state": lambda k: float(masses[int(k)]) if 0 <= k < len(masses) else 0.0,
            "p_in_system_gt": lambda k: float(masses[number > k].sum()),
            "p_queue": lambda k: float(masses[waiting == k].sum()),
            "p_queue_gt": lambda k: float(masses[waiting > k].sum()),
            "service_level": lambda x: idle + who_waits(served_within(ahead, per_second, theta, x)),
            "answered_within": lambda x: idle + who_waits(served_within(ahead, per_second, theta, x)),
            "abandoned_within": lambda x: (
                1
                - idle
                - who_waits(served_within(ahead, per_second, theta, x) + still_waiting(ahead, per_second, theta, x))
            ),
        },
    )


def _at(inputs: Inputs) -> tuple[int, Drain, FloatArray]:
    """Return head-count, drain and distribution of the number in the system at the time asked for."""
    end, drain = inputs.number("t"), Drain(inputs.handled(), inputs.given_up())
    rates, counts = inputs.segments("lam", inputs.arrivals, end), inputs.segments("agents", inputs.agents, end)
    agents = int(_during(counts, 0.0))
    given = inputs.starts()
    begin = min(inputs.busy(), agents) + inputs.waiting() if given is None else given
    masses = (np.arange(_states(inputs, rates, counts, end, begin)) == begin).astype(float)[:, None]
    number = np.arange(len(masses), dtype=np.float64)
    edges = {edge for start, stop, _ in (*rates, *counts) for edge in (start, stop) if 0 < edge < end}
    for start, stop in pairwise(sorted(edges | {0.0, end})):
        now = int(_during(counts, start))
        masses, agents = leave(masses[:, 0], agents, now)[:, None], now
        deaths = drain.deaths(number, agents)
        masses = advanced(masses, np.array([_during(rates, start)]), deaths, stop - start)
    return agents, drain, masses[:, 0]


def _states(inputs: Inputs, rates: Segments, counts: Segments, end: float, begin: int) -> int:
    """Return twice as many states as a prediction would take, by the largest rate of each minute."""
    most = int(max(count for _, _, count in counts))
    minutes = range(max(1, math.ceil(end / 60)))
    curve = np.array(
        [max(rate for start, stop, rate in rates if start < 60 * m + 60 and stop > 60 * m) for m in minutes]
    )
    scenario = Scenario(curve, np.full(len(curve), most), 1 / inputs.handled(), inputs.patience(), 0, 0)
    return outline(scenario, curve, np.eye(1, begin + 1, begin)[0]).states(2.0) + most


def _during(segments: Segments, at: float) -> float:
    return next(value for start, stop, value in segments if start <= at < stop)


def day(inputs: Inputs) -> Facts:
    """Return the expected sums of a day, by the product's prediction; who arrives in it is followed to the end."""
    minutes = round(inputs.number("day") / 60)
    rates, counts = (
        inputs.segments(name, constant, minutes * 60.0)
        for name, constant in (("lam", inputs.arrivals), ("agents", inputs.agents))
    )
    curve, agents = (np.array([_during(each, 60.0 * minute) for minute in range(minutes)]) for each in (rates, counts))
    agents = np.rint(agents).astype(np.int64)
    scenario = Scenario(curve, agents, 1 / inputs.handled(), inputs.patience(), inputs.busy(), inputs.waiting())

    def course(target: float) -> Mapping[str, float]:
        found = predict(replace(scenario, target_seconds=target), step_seconds=10.0)
        return {name: float(getattr(found, name).sum()) for name in SUMS} | {
            name: float(getattr(found, name).mean()) for name in MEANS
        }

    whole = course(0.0)
    gone_waits = whole["wait_seconds"] - whole["answered_wait_seconds"]
    return Facts(
        {
            "offered": lambda: whole["offered"],
            "answered": lambda: whole["answered"],
            "abandoned": lambda: whole["abandoned"],
            "p_abandon": lambda: whole["abandoned"] / whole["offered"],
            "p_answered": lambda: whole["answered"] / whole["offered"],
            "asa": lambda: whole["answered_wait_seconds"] / whole["answered"],
            "mean_wait": lambda: whole["wait_seconds"] / whole["offered"],
            "mean_wait_abandoned": lambda: gone_waits / whole["abandoned"],
            "mean_queue": lambda: whole["backlog"],
            "mean_busy": lambda: whole["busy"],
            "mean_in_system": lambda: whole["busy"] + whole["backlog"],
            "occupancy": lambda: whole["busy"] / float(agents.mean()),
            "p_wait": lambda: whole["all_busy"],
            "p_no_wait": lambda: 1 - whole["all_busy"],
        },
        {
            "service_level": lambda x: course(x)["answered_in_target"] / whole["offered"],
            "answered_within": lambda x: course(x)["answered_in_target"],
            "abandoned_within": lambda x: course(x)["abandoned_in_target"],
        },
    )
