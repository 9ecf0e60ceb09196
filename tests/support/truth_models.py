"""What a row of truth asks of a model, answered by the product's own functions.

Each model answers fact(name, x), for canonical names: x is a wait or a number of contacts, where the name has one.
Waits come in the unit of time that the rates have; UnknownFact says what a model cannot answer.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np

from app.core.forecast.chain import Drain, leave
from app.core.forecast.erlang import ErlangC, agents_needed, erlang_b, interpolated
from app.core.forecast.erlang_a import ErlangA
from app.core.forecast.extent import outline
from app.core.forecast.predict import predict
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import FloatArray
from app.core.forecast.uniformisation import advanced
from app.core.forecast.waits import served, served_wait, served_within, still_waiting
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


class UnknownFact(ValueError):
    """The model has no such fact."""


class Model(Protocol):
    """Something that answers questions about a queue."""

    def fact(self, name: str, x: float | None) -> float:
        """Return one fact. Raises UnknownFact."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A model that is a table of functions: plain facts, and facts of a wait or a number."""

    plain: Mapping[str, Callable[[], float]]
    of: Mapping[str, Callable[[float], float]]

    def fact(self, name: str, x: float | None) -> float:
        """Return one fact. Raises UnknownFact."""
        if x is None and name in self.plain:
            return self.plain[name]()
        if x is not None and name in self.of:
            return self.of[name](x)
        raise UnknownFact(f"{name}{'' if x is None else f' of {x:g}'} is nothing that this model knows")


def loss(inputs: Inputs) -> Facts:
    """Return Erlang B."""
    load, servers = inputs.load(), inputs.agents()
    blocked = erlang_b(load, servers)
    plain = {
        "blocking": lambda: blocked,
        "mean_busy": lambda: load * (1 - blocked),
        "mean_in_system": lambda: load * (1 - blocked),
        "occupancy": lambda: load * (1 - blocked) / servers,
        "lost": lambda: load * blocked,
    }
    return Facts(plain, {})


def delay(inputs: Inputs, agents: float | None = None) -> Facts:
    """Return Erlang C, with other agents than the inputs' where they are given."""
    queue = ErlangC(inputs.arrivals(), inputs.handled(), inputs.agents() if agents is None else agents)
    plain = {
        "p_wait": lambda: queue.waiting_ratio,
        "p_no_wait": lambda: 1 - queue.waiting_ratio,
        "mean_wait": lambda: queue.speed_to_answer,
        "asa": lambda: queue.speed_to_answer,
        "mean_wait_given_wait": lambda: queue.speed_to_answer / queue.waiting_ratio,
        "mean_time_in_system": lambda: queue.speed_to_answer + 1 / queue.handled,
        "mean_queue": lambda: queue.backlog,
        "var_queue": lambda: queue.backlog_variance,
        "sd_queue": lambda: math.sqrt(queue.backlog_variance),
        "mean_in_system": lambda: queue.backlog + queue.load_erlangs,
        "mean_busy": lambda: min(queue.load_erlangs, queue.agents),
        "occupancy": lambda: queue.occupancy_ratio,
        "p_abandon": lambda: 0.0,
        "agents": lambda: queue.agents,
        "load": lambda: queue.load_erlangs,
    }
    of = {
        "service_level": queue.service_level,
        "virtual_service_level": queue.service_level,
        "p_wait_le": queue.service_level,
        "p_wait_le_given_served": queue.service_level,
        "p_wait_le_given_wait": lambda x: 1 - (1 - queue.service_level(x)) / queue.waiting_ratio,
        "p_state": lambda k: queue.state(int(k)),
        "p_queue": lambda k: queue.state(int(k + queue.agents)) if k else 1 - _delay_tail(queue, 0),
        "p_queue_gt": lambda k: _delay_tail(queue, int(k)),
    }
    return Facts(plain, of)


def _delay_tail(queue: ErlangC, more_than: int) -> float:
    rho = queue.load_erlangs / queue.agents
    return queue.waiting_ratio * rho ** (more_than + 1)


def staffing(inputs: Inputs, model: Callable[[Inputs, float], Facts]) -> Facts:
    """Return what holds with the fewest agents that meet the inputs' targets, by Erlang C or A."""
    level, speed, most = inputs.optional("target"), inputs.optional("max_asa"), inputs.optional("max_occupancy")
    blocked = inputs.optional("max_blocking")

    def meets(agents: int) -> bool:
        if blocked is not None:
            return erlang_b(inputs.load(), agents) <= blocked
        found = model(inputs, agents)
        return (
            (level is None or found.of["service_level"](inputs.target()) >= level)
            and (speed is None or found.plain["asa"]() <= speed)
            and (most is None or found.plain["occupancy"]() <= most)
        )

    agents = agents_needed(meets, 1)
    found = model(inputs, agents)
    positions = math.ceil(agents / (1 - (inputs.optional("shrinkage") or 0.0)) - 1e-9)
    return Facts({**found.plain, "agents": lambda: float(agents), "positions": lambda: float(positions)}, found.of)


def impatience(inputs: Inputs, agents: float | None = None) -> Facts:
    """Return Erlang A; between whole numbers of agents every fact is interpolated."""
    theta = inputs.given_up()
    if theta <= 0:
        return delay(inputs, agents)
    asked = inputs.agents() if agents is None else agents

    def between(fact: Callable[[ErlangA], float]) -> float:
        return interpolated(lambda whole: fact(ErlangA(inputs.arrivals(), inputs.handled(), theta, whole)), asked)

    def plain(fact: Callable[[ErlangA], float]) -> Callable[[], float]:
        return lambda: between(fact)

    def of(fact: Callable[[ErlangA, float], float]) -> Callable[[float], float]:
        return lambda x: between(lambda queue: fact(queue, x))

    return Facts(
        {
            "p_wait": plain(lambda queue: 1 - queue.no_wait_ratio),
            "p_no_wait": plain(lambda queue: queue.no_wait_ratio),
            "mean_wait": plain(lambda queue: queue.mean_wait),
            "asa": plain(lambda queue: queue.speed_to_answer),
            "mean_wait_abandoned": plain(lambda queue: queue.wait_of_abandoned),
            "mean_wait_given_wait": plain(lambda queue: queue.mean_wait / (1 - queue.no_wait_ratio)),
            "mean_queue": plain(lambda queue: queue.backlog),
            "var_queue": plain(lambda queue: queue.backlog_variance),
            "sd_queue": plain(lambda queue: math.sqrt(queue.backlog_variance)),
            "mean_in_system": plain(lambda queue: queue.number),
            "var_in_system": plain(lambda queue: queue.number_variance),
            "sd_in_system": plain(lambda queue: math.sqrt(queue.number_variance)),
            "mean_time_in_system": plain(lambda queue: queue.number / queue.arrivals),
            "mean_busy": plain(lambda queue: queue.busy),
            "occupancy": plain(lambda queue: queue.occupancy_ratio),
            "p_abandon": plain(lambda queue: queue.abandonment_ratio),
            "p_abandon_given_wait": plain(lambda queue: queue.abandonment_ratio / (1 - queue.no_wait_ratio)),
            "agents": lambda: asked,
            "load": inputs.load,
            "offered": lambda: 1.0,
            "answered": plain(lambda queue: 1 - queue.abandonment_ratio),
            "abandoned": plain(lambda queue: queue.abandonment_ratio),
        },
        {
            "service_level": of(lambda queue, x: queue.service_level(x)),
            "virtual_service_level": of(lambda queue, x: queue.patient_service_level(x)),
            "p_wait_le": of(lambda queue, x: queue.service_level(x) + queue.abandoned_early(x)),
            "p_wait_le_given_served": of(lambda queue, x: queue.answered_within(x)),
            "p_wait_le_given_abandoned": of(lambda queue, x: queue.abandoned_within(x)),
            "answered_within": of(lambda queue, x: queue.service_level(x)),
            "abandoned_within": of(lambda queue, x: queue.abandoned_early(x)),
            "p_state": of(lambda queue, k: queue.state(int(k))),
            "p_queue": of(lambda queue, k: float(queue.states[_waiting(queue.states, queue.agents) == k].sum())),
            "p_queue_gt": of(lambda queue, k: float(queue.states[_waiting(queue.states, queue.agents) > k].sum())),
        },
    )


def _waiting(masses: FloatArray, agents: int) -> FloatArray:
    return np.maximum(np.arange(len(masses), dtype=np.float64) - agents, 0)


def instant(inputs: Inputs) -> Facts:
    """Return what holds at one instant of a queue whose rates change: by uniformisation, exact to 1e-12 a step."""
    agents, drain, masses = _at(inputs)
    number, waiting = np.arange(len(masses), dtype=np.float64), _waiting(masses, agents)
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
    agents = np.full(minutes, round(inputs.agents()))
    rates = inputs.segments("lam", inputs.arrivals, minutes * 60.0)
    curve = np.array([_during(rates, 60.0 * minute) for minute in range(minutes)])
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
            "asa": lambda: whole["answered_wait_seconds"] / whole["answered"],
            "mean_wait": lambda: whole["wait_seconds"] / whole["offered"],
            "mean_wait_abandoned": lambda: gone_waits / whole["abandoned"],
            "mean_queue": lambda: whole["backlog"],
            "mean_busy": lambda: whole["busy"],
            "mean_in_system": lambda: whole["busy"] + whole["backlog"],
            "occupancy": lambda: whole["busy"] / int(agents[0]),
            "p_wait": lambda: whole["all_busy"],
            "p_no_wait": lambda: 1 - whole["all_busy"],
        },
        {
            "service_level": lambda x: course(x)["answered_in_target"] / whole["offered"],
            "answered_within": lambda x: course(x)["answered_in_target"],
            "abandoned_within": lambda x: course(x)["abandoned_in_target"],
        },
    )


MODELS: Mapping[str, Callable[[Inputs], Facts]] = {
    "erlang_b": loss,
    "erlang_b_staffing": lambda inputs: staffing(inputs, delay),
    "erlang_c": delay,
    "erlang_c_staffing": lambda inputs: staffing(inputs, delay),
    "erlang_a": impatience,
    "erlang_a_staffing": lambda inputs: staffing(inputs, impatience),
    "transient": instant,
    "transient_day": day,
}
