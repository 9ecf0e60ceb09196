"""Sending in parts: equal waves, the largest waves one after another, or evenly over some time.

All parts begin within the horizon, at least one window before its end, and are held against the limits until there;
what comes after is judged again when it is in sight.
"""

from dataclasses import dataclass

import numpy as np

from app.core.forecast.breach import probabilities
from app.core.forecast.case import STARTS_EVERY_MINUTES, Case
from app.core.forecast.decisive import is_safe
from app.core.forecast.overload import visible
from app.core.forecast.search import largest_safe
from app.core.forecast.series import MINUTE_SECONDS, FloatArray, IntArray
from app.core.forecast.uncertainty import NINE, Nodes

TRIED_MINUTES = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240)


@dataclass(frozen=True, slots=True)
class Wave:
    """So many messages that go out from a minute on."""

    minute: int
    audience: int


@dataclass(frozen=True, slots=True)
class Spread:
    """One send delivered evenly over so many minutes: how much of it is safe, and how probably a limit breaks then."""

    minutes: int
    audience: int
    breach_probability: float


def equal_waves(
    case: Case, audience: float, every_minutes: int, count: int, nodes: Nodes = NINE, *, from_minute: int = 0
) -> tuple[Wave, ...]:
    """Return the largest equal waves, one every so many minutes, not more together than the audience.

    Fewer than `count` where the horizon has no room for more, or the case no start; empty where not even one message
    each is safe. from_minute: of the first one.
    """
    minutes = wave_minutes(case, every_minutes, count, from_minute)
    if not minutes:
        return ()
    per_message = case.sends(*((minute, 1.0) for minute in minutes))
    each = int(largest_safe(case, per_message, audience // len(minutes), nodes).size)
    return tuple(Wave(minute, each) for minute in minutes) if each else ()


def greedy_waves(
    case: Case,
    audience: float,
    every_minutes: int,
    count: int,
    nodes: Nodes = NINE,
    *,
    first: float | None = None,
    from_minute: int = 0,
) -> tuple[Wave, ...]:
    """Return waves that are each the largest safe one given those before, until the audience is through.

    Slots in which nothing is safe have no wave. first: the size of the one at minute 0, where it is known already.
    from_minute: of the first one.
    """
    committed = np.zeros(len(case.starts))
    waves: list[Wave] = []
    for minute in wave_minutes(case, every_minutes, count, from_minute):
        left = audience - committed.sum()
        if left < 1:
            break
        per_message = case.sends((minute, 1.0))
        if first is not None and minute == 0:
            size = min(first, left)
        else:
            guess = waves[-1].audience if len(waves) > 1 else None
            size = largest_safe(case, per_message, left, nodes, committed=committed, guess=guess).size
        if size >= 1:
            waves.append(Wave(minute, int(size)))
            committed += int(size) * per_message
    return tuple(waves)


def spread(case: Case, audience: float, nodes: Nodes = NINE) -> Spread:
    """Return the shortest even delivery, in steps of 5 minutes, that makes the whole audience safe.

    Where even the longest one that the horizon, and the case's starts without a gap, have room for does not, how much
    of the audience it makes safe.
    """
    within = _starts_within(case)
    gaps = np.flatnonzero(np.diff(within) > STARTS_EVERY_MINUTES)
    longest = int(within[gaps[0] if len(gaps) else -1]) + STARTS_EVERY_MINUTES
    tried = sorted({*(minutes for minutes in TRIED_MINUTES if minutes < longest), longest})
    is_safe_at_last = visible(case, audience) == audience and _shortest(case, audience, [longest], nodes) is not None
    minutes = _shortest(case, audience, tried, nodes) if is_safe_at_last else None
    if minutes is None:
        most = largest_safe(case, _evenly(case, longest), audience, nodes)
        return Spread(longest, int(most.size), most.verdict.probability)
    after = max((shorter for shorter in tried if shorter < minutes), default=0)
    between = list(range(after + STARTS_EVERY_MINUTES, minutes, STARTS_EVERY_MINUTES))
    if between:
        minutes = _shortest(case, audience, between, nodes) or minutes
    probability = probabilities(case, audience * _evenly(case, minutes)[np.newaxis], nodes)
    return Spread(minutes, int(audience), float(probability[0]))


def wave_minutes(case: Case, every_minutes: int, count: int, from_minute: int = 0) -> tuple[int, ...]:
    """Return the starts of waves: every so many minutes, at most `count`, as far as the horizon has room.

    Without those at which no send of the case may begin.
    """
    within = _starts_within(case)
    minutes = range(from_minute, int(within[-1]) + 1, every_minutes)[:count]
    return tuple(minute for minute in minutes if minute - within[case.start_row(minute)] < STARTS_EVERY_MINUTES)


def _shortest(case: Case, audience: float, tried: list[int], nodes: Nodes) -> int | None:
    schedules = np.array([audience * _evenly(case, minutes) for minutes in tried])
    safe = is_safe(case, schedules, nodes).tolist()
    return next((minutes for minutes, is_it in zip(tried, safe, strict=True) if is_it), None)


def _evenly(case: Case, minutes: int) -> FloatArray:
    """Return one message spread over the starts of so many minutes: shape (starts,)."""
    during = (case.starts < minutes).astype(np.float64)
    share: FloatArray = during / during.sum()
    return share


def _starts_within(case: Case) -> IntArray:
    """Return the starts that have a whole window of the horizon before them; always the first one."""
    last = case.limits.horizon_minutes - case.limits.window_seconds / MINUTE_SECONDS
    within: IntArray = case.starts[case.starts <= max(0.0, last)]
    return within
