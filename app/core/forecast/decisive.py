"""Which nodes decide whether a schedule is safe, so that the others need not be looked at.

More arrivals break a limit where fewer did. So a node that breaks one takes along every node at which both the level
and the contacts per message are at least as high; where the weight of these together is more than is allowed, the node
is critical: it must not break. Below a critical node that keeps the limits, all do. For the default of 10 % and nine
nodes, only two have to be looked at: the high level with the median response, and the median level with a high one.
"""

from dataclasses import dataclass

import numpy as np

from app.core.forecast.breach import broken_at, hold_backlog, hold_windows
from app.core.forecast.case import Case
from app.core.forecast.series import BoolArray, FloatArray
from app.core.forecast.uncertainty import NINE, Nodes


@dataclass(frozen=True, slots=True, eq=False)
class Decisive:
    """look: the nodes to look at, shape (nodes,). above[i, j]: where node i breaks a limit, node j does too."""

    look: BoolArray
    above: BoolArray


def decisive(case: Case, nodes: Nodes) -> Decisive:
    """Return which nodes decide whether the probability of a breach is within the limits of a case."""
    above = _above(nodes)
    allowed = case.limits.max_breach_probability
    critical = above @ nodes.weights > allowed
    has_critical_above = (above & critical & ~np.eye(len(critical), dtype=np.bool_)).any(axis=1)
    look = critical & ~has_critical_above
    if case.limits.backlog is not None or nodes.weights[~critical].sum() > allowed:
        look = look | ~critical  # what they add may be too much, with chance or with each other
    return Decisive(look, above)


def windows_broken(
    case: Case, schedules: FloatArray, nodes: Nodes, known: Decisive, undecided: BoolArray | None = None
) -> FloatArray:
    """Return whether a limit on windows breaks at each node, 0 or 1, as far as it decides: shape (schedules, nodes).

    Nodes that need not be looked at count as broken where a lower one is, else as kept. undecided: nodes that may have
    to be looked at; the others count as kept too.
    """
    look = known.look if undecided is None else known.look & undecided
    broken = np.zeros((len(schedules), len(nodes.weights)))
    if look.any():
        held = hold_windows(case, schedules, nodes.only(look))
        at = broken_at(held, (len(schedules), int(look.sum())))
        broken = (at @ known.above[look] > 0).astype(np.float64)
    return broken


def is_safe(case: Case, schedules: FloatArray, nodes: Nodes = NINE) -> BoolArray:
    """Return for each schedule whether the probability of a breach is within the limits: shape (schedules,)."""
    windows = windows_broken(case, schedules, nodes, decisive(case, nodes))
    backlog = broken_at(hold_backlog(case, schedules, nodes), windows.shape)
    within: BoolArray = (1 - (1 - windows) * (1 - backlog)) @ nodes.weights <= case.limits.max_breach_probability
    return within


def _above(nodes: Nodes) -> BoolArray:
    if nodes.base_z is None or nodes.contact_z is None:
        return np.ones((len(nodes.weights), len(nodes.weights)), dtype=np.bool_)
    base, contact = nodes.base_z, nodes.contact_z
    above: BoolArray = (base >= base[:, np.newaxis]) & (contact >= contact[:, np.newaxis])
    return above
