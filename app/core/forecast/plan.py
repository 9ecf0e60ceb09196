"""The plan of a send: how much may go now, and every way to send the rest, each within the gate's limits."""

from dataclasses import dataclass

import numpy as np

from app.core.forecast.breach import Verdict, judge
from app.core.forecast.case import Case
from app.core.forecast.extra_agents import ExtraAgents, extra_agents
from app.core.forecast.overload import visible
from app.core.forecast.safe import Bound, SafeSend, safe_now
from app.core.forecast.series import BoolArray
from app.core.forecast.uncertainty import NINE, Nodes
from app.core.forecast.waves import Spread, Wave, equal_waves, greedy_waves, spread
from app.core.forecast.windows_ahead import NextWindow, next_safe_window

WAVE_EVERY_MINUTES, WAVES = 20, 6
LEAD_MINUTES = 30


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign may do. without: the verdict on sending nothing; at_once: on sending the audience now.

    now: how much may go at once. next_window: when what may not go now may (all of it, else some of it), given that the
    rest goes now; None where it all may go now, or no start in sight is safe. equal, greedy: waves from now on, empty
    where nothing is safe. spread: one send delivered slowly. agents: who would make it safe to send it all now.

    Nothing begins while send windows are closed. Where they are now, now and spread are nothing, and waves begin when
    they open; at_once and agents are of a send that might go now.
    """

    audience: int
    without: Verdict
    at_once: Verdict
    now: SafeSend
    equal: tuple[Wave, ...]
    greedy: tuple[Wave, ...]
    spread: Spread
    next_window: NextWindow | None
    agents: ExtraAgents


def plan(
    case: Case,
    audience: int,
    *,
    every_minutes: int = WAVE_EVERY_MINUTES,
    waves: int = WAVES,
    lead_minutes: int = LEAD_MINUTES,
    may_start: BoolArray | None = None,
    nodes: Nodes = NINE,
) -> Plan:
    """Return the plan for an audience. Raises CaseRefused.

    lead_minutes: how long it takes until added agents work. may_start: whether send windows are open at each of the
    case's starts, shape (starts,); None: they always are.
    """
    now = safe_now(case, audience, nodes)
    shown = visible(case, audience)
    without, at_once = judge(case, np.stack([case.sends(), case.sends((0, shown))]), nodes)
    ways = case if may_start is None else case.only_starts(may_start)
    opens = _opens(ways, may_start)
    if opens != 0:
        now = SafeSend(0, Bound.SEND_WINDOW, without.probability)
    left = audience - now.audience
    cut = every_minutes, waves, nodes
    return Plan(
        audience=audience,
        without=without,
        at_once=at_once,
        now=now,
        equal=() if opens is None else equal_waves(ways, audience, *cut, from_minute=opens),
        greedy=() if opens is None else greedy_waves(ways, audience, *cut, first=now.audience, from_minute=opens),
        spread=spread(ways, audience if opens == 0 else 0, nodes),
        next_window=next_safe_window(ways.with_sent(now.audience), left, nodes) if left else None,
        agents=extra_agents(case, audience, lead_minutes, nodes),
    )


def _opens(ways: Case, may_start: BoolArray | None) -> int | None:
    """Return the first minute at which a send may begin; None: never in sight. The present is always among starts."""
    if may_start is None or may_start[0]:
        return 0
    return int(ways.starts[1]) if len(ways.starts) > 1 else None
