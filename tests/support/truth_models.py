"""The models that a row of truth can be of, answered by the product's own functions.

Waits come in the unit of time that the rates have.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from app.core.forecast.erlang import ErlangC, agents_needed, erlang_b, interpolated
from app.core.forecast.erlang_a import ErlangA
from app.core.forecast.series import FloatArray
from tests.support.truth_facts import Facts
from tests.support.truth_inputs import Inputs, UnknownInput
from tests.support.truth_over_time import day, instant

AT_MOST = {
    "max_asa": "asa",
    "max_occupancy": "occupancy",
    "max_abandonment": "p_abandon",
    "max_blocking": "blocking",
}
ROUNDING = 1e-12


def loss(inputs: Inputs, agents: float | None = None) -> Facts:
    """Return Erlang B, with other servers than the inputs' where they are given."""
    load, servers = inputs.load(), inputs.agents() if agents is None else agents
    blocked = erlang_b(load, servers)
    plain = {
        "blocking": lambda: blocked,
        "mean_busy": lambda: load * (1 - blocked),
        "mean_in_system": lambda: load * (1 - blocked),
        "occupancy": lambda: load * (1 - blocked) / servers,
        "lost": lambda: load * blocked,
        "agents": lambda: servers,
        "load": lambda: load,
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
        "p_answered": lambda: 1.0,
        "p_empty": lambda: queue.state(0),
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
    rho = queue.occupancy_ratio
    return queue.waiting_ratio * rho ** (more_than + 1)


def staffing(inputs: Inputs, model: Callable[[Inputs, float], Facts]) -> Facts:
    """Return what holds with the fewest agents that meet the inputs' targets, by Erlang B, C or A."""
    level = inputs.optional("target")
    limits = {fact: most for name, fact in AT_MOST.items() if (most := inputs.optional(name)) is not None}
    if model is loss and level is not None:  # the grade of service is all that Erlang B has
        limits["blocking"], level = level, None
    if level is None and not limits:
        raise UnknownInput(f"no target is given; known are target, {', '.join(AT_MOST)}")

    def meets(agents: int) -> bool:
        found = model(inputs, agents)
        return (level is None or found.of["service_level"](inputs.target()) >= level) and all(
            found.plain[fact]() <= most + ROUNDING for fact, most in limits.items()
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
            "p_answered": plain(lambda queue: 1 - queue.abandonment_ratio),
            "p_empty": plain(lambda queue: queue.state(0)),
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


MODELS: Mapping[str, Callable[[Inputs], Facts]] = {
    "erlang_b": loss,
    "erlang_b_staffing": lambda inputs: staffing(inputs, loss),
    "erlang_c": delay,
    "erlang_c_staffing": lambda inputs: staffing(inputs, delay),
    "erlang_a": impatience,
    "erlang_a_staffing": lambda inputs: staffing(inputs, impatience),
    "transient": instant,
    "transient_day": day,
}
