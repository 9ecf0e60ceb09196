"""The agents of one queue: who is at work, who is busy, and who takes the next contact."""

from collections import OrderedDict
from typing import NamedTuple

from app.core.simulation.plan import QueuePlan, Span


class Agent:
    """One person. `away` counts the reasons not to take contacts (shift over, break, outage); 0: at work."""

    __slots__ = ("absences", "away", "load", "name", "present")

    def __init__(self, name: str, present: Span, absences: tuple[Span, ...]) -> None:
        self.name, self.present, self.absences = name, present, absences
        self.away, self.load = 1, 0


class Headcount(NamedTuple):
    """How many agents are signed in, could take a contact now, are handling at least one (wrap-up included)."""

    staffed: int
    available: int
    busy: int


class Team:
    """The agents of one queue. The least loaded one takes the next contact; among those the one idle for longest."""

    def __init__(self, plan: QueuePlan) -> None:
        self.agents = _agents(plan)
        self._slots, self._staffed, self._busy, self._available = plan.slots, 0, 0, 0
        self._free: list[OrderedDict[Agent, None]] = [OrderedDict() for _ in range(plan.slots)]

    def take(self) -> Agent | None:
        """Give a contact to the agent whose turn it is and return them; None when nobody is free."""
        for free in self._free:
            if free:
                agent = next(iter(free))
                self._change(agent, load=+1)
                return agent
        return None

    def put_down(self, agent: Agent) -> None:
        """Take one contact off an agent."""
        self._change(agent, load=-1)

    def absent(self, agent: Agent, change: int) -> None:
        """Add (+1) or remove (-1) one reason for an agent to be away."""
        self._change(agent, away=change)

    def headcount(self) -> Headcount:
        """Return how many are at work now. Who finishes a contact after the shift still counts as staffed."""
        return Headcount(self._staffed, self._available, self._busy)

    def _change(self, agent: Agent, load: int = 0, away: int = 0) -> None:
        if agent.away == 0 and agent.load < self._slots:
            del self._free[agent.load][agent]
        self._count(agent, -1)
        agent.load += load
        agent.away += away
        self._count(agent, +1)
        if agent.away == 0 and agent.load < self._slots:
            self._free[agent.load][agent] = None

    def _count(self, agent: Agent, one: int) -> None:
        if agent.load:
            self._busy += one
        if agent.load or not agent.away:
            self._staffed += one
        if agent.load < self._slots and not agent.away:
            self._available += one


def _agents(plan: QueuePlan) -> list[Agent]:
    agents: list[Agent] = []
    for shift in plan.shifts:
        absences: list[list[Span]] = [[] for _ in range(shift.agents)]
        turn = 0
        for pause in shift.breaks:
            for _ in range(pause.agents):
                absences[turn % shift.agents].append(Span(pause.start, pause.end))
                turn += 1
        for spans in absences:
            name = f"{plan.name}-{len(agents) + 1:02d}"
            agents.append(Agent(name, Span(shift.start, shift.end), tuple(spans)))
    return agents
