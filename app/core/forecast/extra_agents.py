"""How many agents more would make a send safe."""

from dataclasses import dataclass

import numpy as np

from app.core.forecast.breach import judge
from app.core.forecast.case import Case
from app.core.forecast.overload import visible
from app.core.forecast.series import FloatArray
from app.core.forecast.uncertainty import NINE, Nodes

MOST_TIMES, LEAST_MOST = 2, 50


@dataclass(frozen=True, slots=True)
class ExtraAgents:
    """Agents to add, by queue, from a minute on until the horizon, so that a send of this size is safe.

    by_queue is None where no number looked at helps: a limit breaks before they come, or too much is sent for up to
    three times the staff. It is empty where none are needed. breach_probability: with them.
    """

    audience: int
    from_minute: int
    by_queue: dict[str, int] | None
    breach_probability: float


def extra_agents(case: Case, audience: float, from_minute: int, nodes: Nodes = NINE) -> ExtraAgents:
    """Return the fewest agents that make a send safe, added to the queue whose limit binds until another one's does."""
    none = ExtraAgents(int(audience), from_minute, None, 1.0)
    if visible(case, audience) < audience:
        return none
    schedules = case.sends((0, audience))[np.newaxis]
    staffed, added = case, dict[str, int]()
    now = judge(staffed, schedules, nodes)[0]
    while now.probability > case.limits.max_breach_probability:
        queue = now.breaches[0].queue
        number = _fewest(staffed, queue, from_minute, schedules, nodes)
        if number is None:
            return none
        added[queue] = added.get(queue, 0) + number
        staffed = staffed.with_agents(queue, number, from_minute)
        now = judge(staffed, schedules, nodes)[0]
    return ExtraAgents(int(audience), from_minute, added, now.probability)


def _fewest(case: Case, queue: str, from_minute: int, schedules: FloatArray, nodes: Nodes) -> int | None:
    """Return the fewest agents that make the case safe, or another queue the one that binds; None: more than allowed.

    More agents never make the queue itself break sooner: double, then halve.
    """
    few, enough, most = 0, 1, _most(case, queue)
    if not _is_relieved(case.with_agents(queue, most, from_minute), queue, schedules, nodes):
        return None
    while enough < most and not _is_relieved(case.with_agents(queue, enough, from_minute), queue, schedules, nodes):
        few, enough = enough, min(most, 2 * enough)
    while enough - few > 1:
        middle = (few + enough) // 2
        if _is_relieved(case.with_agents(queue, middle, from_minute), queue, schedules, nodes):
            enough = middle
        else:
            few = middle
    return enough


def _is_relieved(case: Case, queue: str, schedules: FloatArray, nodes: Nodes) -> bool:
    verdict = judge(case, schedules, nodes)[0]
    return verdict.probability <= case.limits.max_breach_probability or verdict.breaches[0].queue != queue


def _most(case: Case, queue: str) -> int:
    agents = next(each.scenario.agents for each in case.queues if each.queue == queue)
    return max(LEAST_MOST, MOST_TIMES * int(agents[: case.limits.horizon_minutes].max()))
