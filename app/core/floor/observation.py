"""An observation: one source's measurement of one queue at one instant; and what makes one acceptable."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from math import isnan
from operator import le
from types import NoneType
from typing import Any, NamedTuple

from app.core.floor import fields
from app.core.problem import Problem


class Observation(NamedTuple):
    """One source's measurement of one queue at one instant.

    A named tuple and not a dataclass because it is also the row the stream writes, a hundred thousand a second.
    Absent fields are None and mean "not reported", never zero. observed_at is aware UTC. Ratios are 0..1,
    durations seconds. Averages come ready-made (speed_to_answer_seconds, ...) or as counts and sums over the
    window_seconds that end at observed_at; where both are given the counts win, because they can be added.
    """

    queue: str
    observed_at: datetime
    source: str
    channel: str | None = None
    backlog: int | None = None
    oldest_wait_seconds: float | None = None
    contacts_in_progress: int | None = None
    agents_staffed: int | None = None
    agents_available: int | None = None
    agents_busy: int | None = None
    speed_to_answer_seconds: float | None = None
    handle_time_seconds: float | None = None
    service_level_ratio: float | None = None
    abandonment_ratio: float | None = None
    occupancy_ratio: float | None = None
    window_seconds: float | None = None
    offered: int | None = None
    answered: int | None = None
    abandoned: int | None = None
    answered_within_target: int | None = None
    wait_seconds_sum: float | None = None
    handle_seconds_sum: float | None = None


_FEW = 4  # below, one by one costs less than by columns
_COUNTS = ("offered", "answered", "abandoned", "answered_within_target")
_SUMS = ("wait_seconds_sum", "handle_seconds_sum")
_WHOLE = frozenset({"backlog", "contacts_in_progress", "agents_staffed", "agents_available", "agents_busy", *_COUNTS})
_NUMBERS = Observation._fields[Observation._fields.index("backlog") :]
_RATIOS = ("service_level_ratio", "abandonment_ratio", "occupancy_ratio")
_MOST = {**dict.fromkeys(_RATIOS, 1.0), "window_seconds": fields.LONGEST_WINDOW_SECONDS}
_METRICS = tuple(name for name in _NUMBERS if name != "window_seconds")
_JUDGES: dict[str, Callable[[object], str | None]] = {
    **dict.fromkeys(("queue", "source", "channel"), fields.name_fault),
    **dict.fromkeys(_NUMBERS, fields.seconds_fault),
    **dict.fromkeys(_WHOLE, fields.count_fault),
    **dict.fromkeys(_RATIOS, fields.ratio_fault),
    "window_seconds": fields.window_fault,
}


def problems(observation: Observation, now: datetime) -> tuple[Problem, ...]:
    """Return every fault of an observation received at `now`; () when it may be accepted. Never raises.

    Each fault has the field's JSON pointer ("" for the observation as a whole) and a sentence.
    """
    try:
        if _plainly_fine(observation, now):
            return ()
    except (TypeError, ValueError, OverflowError):
        pass  # a field has a wrong type; the careful way below says which
    return tuple(_faults(observation, now))


def _plainly_fine(observation: Observation, now: datetime) -> bool:
    """Return True for a correct observation, in about two microseconds; False or an error leaves it open."""
    queue, observed_at, source, channel, *numbers = observation
    if observed_at - now > fields.AHEAD or not _sound_shape(tuple(map(type, numbers))):
        return False
    for number in numbers:
        if number is not None and not 0 <= number <= fields.LARGEST:
            return False
    return (
        (observation.service_level_ratio or 0) <= 1
        and (observation.abandonment_ratio or 0) <= 1
        and (observation.occupancy_ratio or 0) <= 1
        and _contradiction(observation.answered_within_target, observation.answered) is None
        and (observation.window_seconds is None or 0 < observation.window_seconds <= fields.LONGEST_WINDOW_SECONDS)
        and fields.good_name(queue)
        and fields.good_name(source)
        and (channel is None or fields.good_name(channel))
    )


def all_fine(observations: Sequence[Observation], now: datetime) -> bool:
    """Return True when none of the observations has a fault, found by whole columns at half the cost of one by one.

    False leaves it open: `problems` tells which one, if any. Never raises.
    """
    if len(observations) < _FEW:
        return not any(problems(observation, now) for observation in observations)
    try:
        return _plainly_fine_columns(list(zip(*observations, strict=True)), now)
    except (TypeError, ValueError, OverflowError):
        return False


def _plainly_fine_columns(columns: Sequence[tuple[Any, ...]], now: datetime) -> bool:
    queues, instants, sources, channels, *numbers = columns
    kinds = tuple(map(_kind, numbers))
    if set(map(type, instants)) != {datetime} or max(instants) - now > fields.AHEAD or not _sound_shape(kinds):
        return False
    given = {name: column for name, column in zip(_NUMBERS, numbers, strict=True) if column[0] is not None}
    return (
        all(_within(column, _MOST.get(name, fields.LARGEST)) for name, column in given.items())
        and ("window_seconds" not in given or min(given["window_seconds"]) > 0)
        and all(map(le, given.get("answered_within_target", ()), given.get("answered", ())))
        and all(map(fields.good_name, {*queues, *sources, *(set(channels) - {None})}))
    )


def _kind(column: Sequence[object]) -> type:
    """Return the one type of a column's values; object, which is right nowhere, when they are of several."""
    if column[0] is None:  # as most columns are
        return NoneType if column.count(None) == len(column) else object
    kinds = set(map(type, column))
    return kinds.pop() if len(kinds) == 1 else object


def _within(column: Sequence[float], most: float) -> bool:
    """Return whether all numbers lie in 0..most; one that is no number makes the sum none."""
    return min(column) >= 0 and max(column) <= most and not isnan(sum(column))


@lru_cache(maxsize=1024)
def _sound_shape(types: tuple[type, ...]) -> bool:
    """Return whether the types of the numbers are right, and all that must come together is there."""
    given = {name: kind for name, kind in zip(_NUMBERS, types, strict=True) if kind is not NoneType}
    typed = all(kind is int or (kind is float and name not in _WHOLE) for name, kind in given.items())
    return typed and not any(_absences(frozenset(given)))


def _faults(observation: Observation, now: datetime) -> Iterator[Problem]:
    judged = {name: _fault(name, value, now) for name, value in zip(observation._fields, observation, strict=True)}
    for name, detail in judged.items():
        if detail is not None:
            yield Problem(f"/{name}", f"{name}: {detail}")
    yield from _absences(frozenset(name for name in _NUMBERS if getattr(observation, name) is not None))
    if judged["answered"] is None and judged["answered_within_target"] is None:
        detail = _contradiction(observation.answered_within_target, observation.answered)
        if detail is not None:
            yield Problem("/answered_within_target", detail)


def _fault(name: str, value: object, now: datetime) -> str | None:
    if name == "observed_at":
        return fields.instant_fault(value, now)
    if value is None and name not in {"queue", "source"}:
        return None
    return _JUDGES[name](value)


def _absences(given: frozenset[str]) -> Iterator[Problem]:
    """Yield a fault for each field that another one needs and that is not there."""
    if given.isdisjoint(_METRICS):
        yield Problem("", f"no metric is given; send at least one of {', '.join(_METRICS)}")
    for name in _COUNTS + _SUMS:
        if name in given and "window_seconds" not in given:
            yield Problem(
                f"/{name}", f"{name} needs window_seconds: the span that ends at observed_at it was counted in"
            )
    for name in _SUMS:
        if name in given and "answered" not in given:
            yield Problem(f"/{name}", f"{name} needs answered, the number of contacts it is summed over")


def _contradiction(within: int | None, answered: int | None) -> str | None:
    if within is None or answered is None or within <= answered:
        return None
    return f"answered_within_target: {within} is more than answered, {answered}; it counts some of those"
