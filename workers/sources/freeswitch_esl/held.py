"""What is held of a FreeSWITCH's queues between its messages. Pure: events and lists in, payloads out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from workers.sources.freeswitch_esl.stays import Key, Stays
from workers.sources.freeswitch_esl.translate import Agent, AgentChanged, agents, happened, members, queues, tiers
from workers.sources.tally import Tally
from workers.systems.faults import TranslateError

_TAKES_CALLS = frozenset({"Available", "Available (On Demand)"})
_FREE, _TALKS = "Waiting", "In a queue call"
_ENGAGED = frozenset({"Receiving", "Reserved", _TALKS})


class Staffing(NamedTuple):
    """Agents of one queue: staffed = busy + available."""

    staffed: int
    available: int
    busy: int


class Held:
    """The queues as they stand. Used by one session after another; `begin` says that a new one began.

    `now` is by our clock, `at` by FreeSWITCH's. tally counts what could not be understood.
    """

    def __init__(
        self,
        source: str,
        *,
        patterns: Sequence[str] = ("*",),
        channel: str | None = "voice",
        recalled: Sequence[ContactEvent] = (),
    ) -> None:
        self.tally = Tally()
        self.events = 0
        self.stays = Stays(source, channel, recalled)
        self._source, self._channel, self._patterns = source, channel, tuple(patterns)
        self._queues: frozenset[str] = frozenset()
        self._agents: dict[str, Agent] = {}
        self._of_queue: dict[str, set[str]] = {}
        self._listed = False
        self._touched: set[Key] = set()
        self._touched_agents: set[str] = set()

    @property
    def listed_once(self) -> bool:
        """Whether everything was listed in this session."""
        return self._listed

    @property
    def queues(self) -> frozenset[str]:
        """The queues that are there and asked for; empty until the session's first list."""
        return self._queues if self._listed else frozenset()

    @property
    def absent(self) -> list[str]:
        """The queues asked for by name that FreeSWITCH does not list: nothing is said of them."""
        plain = [pattern for pattern in self._patterns if not set(pattern) & set("*?[")]
        return [name for name in plain if self._listed and name not in self._queues]

    def begin(self) -> None:
        """A new session: what stood may have changed, so nothing is observed before its first list."""
        self._listed, self.events = False, 0

    def asking(self) -> None:
        """Lists are being asked for: events from now on are newer than what they will say."""
        self._touched.clear()
        self._touched_agents.clear()

    def event(self, event: Mapping[str, str]) -> list[ContactEvent]:
        """Return what an event means for callers; [] for one of no interest. One that makes no sense is counted."""
        self.tally.lines += 1
        try:
            what = happened(event)
        except TranslateError as fault:
            self.tally.fault(str(fault))
            return []
        if what is None:
            return []
        self.events += 1
        if isinstance(what, AgentChanged):
            return self._change(what)
        if not self._asked_for(what.queue):
            return []
        self._touched.add((what.member, what.queue))
        return [*self.stays.happened(what)]

    def listed(self, bodies: Mapping[str, bytes], at: float) -> list[ContactEvent]:
        """Return what the lists made at `at` mean for callers; hold what they say.

        bodies: of the lists of queues, members, agents and tiers, by these names. Raises TranslateError, and holds
        what it held, when any of them makes no sense.
        """
        there = frozenset(name for name in queues(bodies["queues"]) if self._asked_for(name))
        waiting = [member for member in members(bodies["members"]) if member.queue in there]
        known = {agent.name: agent for agent in agents(bodies["agents"])}
        places = tiers(bodies["tiers"])
        self._queues, self._listed = there, True
        self._of_queue = {queue: {tier.agent for tier in places if tier.queue == queue} for queue in there}
        newer = {name: self._agents[name] for name in self._touched_agents if name in self._agents}
        self._agents = known | {
            name: known[name]._replace(status=agent.status, state=agent.state)
            for name, agent in newer.items()
            if name in known
        }
        return [*self.stays.listed(waiting, at, frozenset(self._touched))]

    def heard_until(self, at: float) -> list[ContactEvent]:
        """Return what is settled by no event: all that happened before `at` has been heard."""
        return [*self.stays.sweep(at)]

    def observe(self, now: datetime) -> list[Observation]:
        """Return one observation per queue as of `now`; [] until everything was listed in this session."""
        at = now.timestamp() + self.stays.offset_seconds
        return [self._observe(queue, at, now) for queue in sorted(self.queues)]

    def _observe(self, queue: str, at: float, now: datetime) -> Observation:
        waits, staffing = self.stays.waits(queue), self._staffing(queue, at)
        return Observation(
            queue=queue,
            observed_at=now,
            source=self._source,
            channel=self._channel,
            backlog=len(waits),
            oldest_wait_seconds=max(0.0, at - min(waits)) if waits else 0.0,
            contacts_in_progress=self.stays.talks(queue),
            agents_staffed=staffing.staffed,
            agents_available=staffing.available,
            agents_busy=staffing.busy,
        )

    def _staffing(self, queue: str, at: float) -> Staffing:
        """Count who can take a call now: status says available, state Waiting, and no pause after a call runs."""
        available = busy = 0
        for agent in (self._agents.get(name) for name in self._of_queue.get(queue, ())):
            if agent is None:
                continue
            if agent.state == _TALKS or (agent.status in _TAKES_CALLS and agent.state in _ENGAGED):
                busy += 1
            elif agent.status in _TAKES_CALLS and agent.state == _FREE:
                engaged = agent.elsewhere or at < agent.ready_at or at < agent.free_at
                busy += engaged
                available += not engaged
        return Staffing(busy + available, available, busy)

    def _change(self, what: AgentChanged) -> list[ContactEvent]:
        agent = self._agents.get(what.agent)
        if agent is None:
            return []
        self._touched_agents.add(what.agent)
        self._agents[what.agent] = agent._replace(
            status=agent.status if what.status is None else what.status,
            state=agent.state if what.state is None else what.state,
        )
        return [*self.stays.connected(what.agent)] if what.state == _TALKS else []

    def _asked_for(self, queue: str) -> bool:
        return any(fnmatchcase(queue, pattern) for pattern in self._patterns)
