"""A scenario as people write it down: one JSON object, in minutes, seconds and contacts per minute."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.core.forecast.check import (
    MAX_AGENTS,
    MAX_BUSY,
    MAX_MINUTES,
    MAX_PER_SECOND,
    MAX_SECONDS,
    MAX_WAITING,
    ScenarioRefused,
    check,
)
from app.core.forecast.scenario import Scenario
from app.core.forecast.series import MINUTE_SECONDS, FloatArray, IntArray
from app.core.gate.fields import Fields, shown
from app.core.problem import Problem

MAX_CONCURRENCY = 50
LEAST_SECONDS = 1e-3
REQUIRED = {
    "lam_per_min": "is missing; give the contacts per minute, one number per minute",
    "agents": "is missing; give the head-count, one whole number per minute",
    "aht_s": "is missing; give the mean handle time in seconds",
    "patience_s": "is missing; give the mean patience in seconds, or null where nobody gives up",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A scenario with the name it has in its file, "" where it has none."""

    name: str
    scenario: Scenario


def parse_scenario(document: object, pointer: str = "") -> Written:
    """Return what a JSON object describes. Raises ScenarioRefused with every fault found.

    lam_per_min and agents: a number per minute each, or one number for all minutes. aht_s, and patience_s, which may be
    null: nobody gives up. Optional: name; busy0, by default as many as the load keeps busy, at most the agents; wait0,
    0; tau_s, the target, 20; horizon_min, by default as many minutes as the lists have; concurrency, contacts that one
    agent handles at a time (chat), 1. Other members are left alone.
    """
    problems: list[Problem] = []
    fields = Fields.of(document, pointer, problems)
    if fields is None:
        raise ScenarioRefused(problems)
    minutes = _minutes(fields)
    rates, agents = _rates(fields, minutes), _agents(fields, minutes)
    handle = fields.number("aht_s", 1.0, LEAST_SECONDS, MAX_SECONDS, unit="s: a handle time must be > 0")
    busy = fields.whole("busy0", None, 0, MAX_BUSY)
    scenario = Scenario(
        arrivals_per_second=rates,
        agents=agents * fields.whole("concurrency", 1, 1, MAX_CONCURRENCY),
        handle_seconds=handle,
        patience_seconds=_patience(fields),
        busy=likely_busy(int(agents[0]), float(rates[0]), handle) if busy is None else busy,
        waiting=fields.whole("wait0", 0, 0, MAX_WAITING),
        target_seconds=fields.number("tau_s", 20.0, 0.0, MAX_SECONDS, unit="s"),
    )
    for member, sentence in REQUIRED.items():
        if member not in fields.value:
            fields.refuse(sentence, member)
    if problems:
        raise ScenarioRefused(problems)
    check(scenario)
    return Written(_name(fields.value), scenario)


def likely_busy(agents: int, arrivals_per_second: float, handle_seconds: float) -> int:
    """Return how many agents are busy where nobody knows: as many as the load keeps busy, at most all of them."""
    return min(agents, round(arrivals_per_second * handle_seconds))


def _minutes(fields: Fields) -> int:
    """Return the horizon: as it is said, or the shorter list."""
    lengths = [len(value) for value in map(fields.value.get, ("lam_per_min", "agents")) if isinstance(value, list)]
    least = min(lengths, default=0)
    if not fields.has("horizon_min"):
        if not lengths:
            fields.refuse("is missing; give the minutes to predict, as no list says how many", "horizon_min")
        elif len(set(lengths)) > 1:
            fields.refuse(f"has {lengths[1]} values and lam_per_min {lengths[0]}; give as many", "agents")
        return max(least, 1)
    minutes = fields.whole("horizon_min", 0, 1, MAX_MINUTES)
    if minutes and lengths and minutes > least:
        fields.refuse(f"{minutes} minutes are more than the {least} values that are given", "horizon_min")
        return max(least, 1)
    return minutes or 1


def _rates(fields: Fields, minutes: int) -> FloatArray:
    return _numbers(fields, "lam_per_min", minutes, MAX_PER_SECOND * MINUTE_SECONDS) / MINUTE_SECONDS


def _agents(fields: Fields, minutes: int) -> IntArray:
    numbers = _numbers(fields, "agents", minutes, MAX_AGENTS)
    broken = np.flatnonzero(numbers != np.floor(numbers))
    if len(broken):
        minute = int(broken[0])
        fields.refuse(f"{numbers[minute]:g} in minute {minute} must be a whole number of agents", "agents", minute)
    return numbers.astype(np.int64)


def _numbers(fields: Fields, member: str, minutes: int, high: float) -> FloatArray:
    """Return one number per minute; zeros where the member is absent or refused."""
    value = fields.value.get(member, 0.0)
    values = value[:minutes] if isinstance(value, list) else [value] * minutes
    numbers = np.zeros(minutes)
    for minute, each in enumerate(values):
        if isinstance(each, bool) or not isinstance(each, int | float) or not 0 <= each <= high:
            place = (member, minute) if isinstance(value, list) else (member,)
            fields.refuse(f"{shown(each)} must be a number from 0 to {high:.15g}", *place)
            return np.zeros(minutes)
        numbers[minute] = each
    if not values:
        fields.refuse("[] must have a value for each minute", member)
    return numbers


def _patience(fields: Fields) -> float | None:
    if fields.value.get("patience_s") is None:
        return None
    return fields.number("patience_s", None, LEAST_SECONDS, MAX_SECONDS, unit="s, or null: nobody gives up")


def _name(value: Mapping[str, object]) -> str:
    name = value.get("name", "")
    return name if isinstance(name, str) else ""
