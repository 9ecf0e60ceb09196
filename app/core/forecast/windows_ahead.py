"""When a send would be safe: start times tried one after another, through closing and into the next day.

Each start is judged as if it were now: from there to its horizon, from the distribution that the queues have then when
nothing more is sent before. That distribution is the one expected at the mean of what is not known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.core.forecast.breach import probabilities
from app.core.forecast.case import STARTS_EVERY_MINUTES, Case, QueueCase
from app.core.forecast.decisive import is_safe
from app.core.forecast.overload import visible
from app.core.forecast.predict import distributions
from app.core.forecast.search import largest_safe
from app.core.forecast.series import FloatArray
from app.core.forecast.uncertainty import NINE, Nodes

EVERY_MINUTES, COARSE_MINUTES = 15, 60
BASE_STEP_SECONDS = 60.0
LEAST_SEND = 50.0


@dataclass(frozen=True, slots=True)
class NextWindow:
    """From a minute on, so many messages may go at once, and a limit breaks with this probability then."""

    minute: int
    audience: int
    breach_probability: float


def next_safe_window(case: Case, audience: float, nodes: Nodes = NINE) -> NextWindow | None:
    """Return the first start ahead at which the whole audience is safe, else the first at which some of it is.

    Looked at are the starts every hour and those after a gap, where send windows open, and before the first one found
    those every quarter of an hour. Some: at least
    50 messages, where the first start at which as many are safe says how many at most. None: not even those anywhere.
    Starts are those of the case that have a whole horizon before them and at which somebody works in every queue that
    the campaign affects; one that closes before that horizon must open again in the minutes described.
    """
    openings = _openings(case)
    tried = sorted({*range(EVERY_MINUTES, case.minutes, EVERY_MINUTES), *openings})
    starts = [minute for minute in tried if _is_start(case, minute)]
    if not starts:
        return None
    later = dict(zip(starts, _cases(case, starts), strict=True))
    if _may_fit(case, audience, nodes):
        minute = _first_safe(later, audience, openings, nodes)
        if minute is not None:
            return NextWindow(minute, int(audience), _probability(later[minute], audience, nodes))
    minute = _first_safe(later, min(LEAST_SEND, audience), openings, nodes)
    if minute is None:
        return None
    largest = largest_safe(later[minute], later[minute].sends((0, 1.0)), audience, nodes)
    return NextWindow(minute, int(largest.size), largest.verdict.probability)


def at_start(case: Case, minute: int) -> Case:
    """Return the case as it is expected to stand at a start, with nothing more sent until then."""
    return next(_cases(case, [minute]))


def _is_start(case: Case, minute: int) -> bool:
    is_described = minute + case.limits.horizon_minutes <= case.minutes and minute in case.starts
    affected = [queue for queue in case.queues if queue.share > 0]
    return is_described and all(_is_seen(queue, minute, case.limits.horizon_minutes) for queue in affected)


def _is_seen(queue: QueueCase, minute: int, horizon: int) -> bool:
    """Return whether somebody works at a start, and at its horizon or at an opening after it."""
    works = queue.scenario.agents > 0
    return bool(works[minute] and works[minute + horizon - 1 :].any())


def _may_fit(case: Case, audience: float, nodes: Nodes) -> bool:
    """Return whether the audience is safe on the best floor: the most agents at all, and no other contacts.

    Where it is not there, it is nowhere; that is known after one look instead of a hundred.
    """
    if visible(case, audience) < audience:
        return False
    best = replace(case, queues=tuple(_at_best(queue) for queue in case.queues))
    return _is_safe(best, audience, nodes)


def _at_best(queue: QueueCase) -> QueueCase:
    scenario, nothing = queue.scenario, np.zeros_like(queue.in_flight)
    agents = np.full_like(scenario.agents, scenario.agents.max())
    best = replace(scenario, agents=agents, arrivals_per_second=nothing, busy=0, waiting=0)
    return replace(queue, scenario=best, in_flight=nothing, start=None)


def _openings(case: Case) -> frozenset[int]:
    """Return the starts before which there is a gap."""
    return frozenset(case.starts[1:][np.diff(case.starts) > STARTS_EVERY_MINUTES].tolist())


def _first_safe(later: Mapping[int, Case], audience: float, openings: frozenset[int], nodes: Nodes) -> int | None:
    starts = sorted(later)
    hourly = [minute for minute in starts if minute % COARSE_MINUTES == 0 or minute in openings] or starts
    found = next((minute for minute in hourly if _is_safe(later[minute], audience, nodes)), None)
    if found is None:
        return None
    before = max((minute for minute in hourly if minute < found), default=-1)
    quarters = [minute for minute in starts if before < minute < found]
    return next((minute for minute in quarters if _is_safe(later[minute], audience, nodes)), found)


def _is_safe(case: Case, audience: float, nodes: Nodes) -> bool:
    return bool(is_safe(case, case.sends((0, audience))[np.newaxis], nodes)[0])


def _probability(case: Case, audience: float, nodes: Nodes) -> float:
    return float(probabilities(case, case.sends((0, audience))[np.newaxis], nodes)[0])


def _cases(case: Case, minutes: Sequence[int]) -> Iterator[Case]:
    starts = [_distributions(queue, minutes) for queue in case.queues]
    for number, minute in enumerate(minutes):
        yield case.later(minute, tuple(masses[number : number + 1] for masses in starts))


def _distributions(queue: QueueCase, minutes: Sequence[int]) -> FloatArray:
    """Return the distribution of the number in system at each of the minutes, at the mean: (minutes, states)."""
    until = slice(0, max(minutes) + 1)
    whole = queue.scenario
    expected = whole.arrivals_per_second[until] + queue.in_flight[until]
    scenario = replace(whole, arrivals_per_second=expected, agents=whole.agents[until])
    return distributions(scenario, minutes, step_seconds=BASE_STEP_SECONDS, start=queue.start)
