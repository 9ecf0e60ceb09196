"""A contact center's floor, simulated event by event: what an ACD would report of it, in order of time.

Pure: chance and time come in as arguments. The same plan, generators and launches give the same events, in whatever
steps the simulation is advanced. First come, first served within a queue; Team says who answers.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.observation import Observation
from app.core.simulation.campaign import Campaign, first_open
from app.core.simulation.mailing import Mailing
from app.core.simulation.plan import FloorPlan, QueuePlan
from app.core.simulation.randomness import Rng, Rngs
from app.core.simulation.team import Agent, Team


class _Queue:
    """A queue at work: its people, who waits, and its own generators."""

    __slots__ = ("arrivals", "born", "contacts", "line", "plan", "redials", "team")

    def __init__(self, plan: QueuePlan, rngs: Rngs) -> None:
        self.plan, self.team, self.born = plan, Team(plan), 0
        self.line: deque[_Contact] = deque()  # those who gave up stay in it until their turn comes
        self.arrivals, self.contacts, self.redials = (
            rngs(f"{plan.name}/{process}") for process in ("arrivals", "contacts", "redials")
        )


class _Contact:
    """One stay of one customer in one queue, with the service and the patience it was born with."""

    __slots__ = ("agent", "campaign", "id", "patience_seconds", "queue", "service_seconds", "waiting")

    agent: Agent

    def __init__(self, contact_id: str, queue: _Queue, rng: Rng, campaign: str | None = None) -> None:
        self.id, self.queue, self.campaign, self.waiting = contact_id, queue, campaign, False
        self.service_seconds = queue.plan.service.draw(rng)
        mean = queue.plan.patience_seconds
        self.patience_seconds = None if mean is None else rng.expovariate(1 / mean)


class Simulation:
    """A floor that lives on its own time, from `start` (aware UTC) up to where `advance` took it.

    observe_every_seconds: how often the ACD reports each queue's agents; None: never. source: the ACD's name.
    """

    def __init__(
        self,
        plan: FloorPlan,
        start: datetime,
        rngs: Rngs,
        *,
        source: str = "acd",
        observe_every_seconds: float | None = 15.0,
    ) -> None:
        self._plan, self._start, self._rngs, self._source = plan, start, rngs, source
        self._queues = {queue.name: _Queue(queue, rngs) for queue in plan.queues}
        self._every, self._now, self._launches, self._scheduled = observe_every_seconds, 0.0, 0, 0
        self._agenda: list[tuple[float, int, Callable[[float, Any], None], Any]] = []
        self._out: list[ContactEvent | Observation] = []
        self._mailings: dict[str, Mailing] = {}
        self._open_the_floor()

    @property
    def now(self) -> datetime:
        """The instant up to which everything has happened."""
        return self._instant(self._now)

    def advance(self, until: datetime) -> list[ContactEvent | Observation]:
        """Return what happened after `now` up to and including `until`, in order of time; nothing when it is past."""
        end, agenda = (until - self._start).total_seconds(), self._agenda
        while agenda and agenda[0][0] <= end:
            at, _, happen, what = heappop(agenda)
            happen(at, what)
        self._now = max(self._now, end)
        happened, self._out = self._out, []
        return happened

    def launch(self, campaign: Campaign, at: datetime) -> int:
        """Send a campaign at `at`, not before `now`; return how many contacts it is going to cause.

        Raises ValueError when it names a queue the floor does not have.
        """
        self._refuse_unknown_queues(campaign)
        self._launches += 1
        name, start = f"{campaign.name}-{self._launches}", max(self._now, (at - self._start).total_seconds())
        rng = self._rngs(f"campaign/{name}")
        contacts = list(campaign.contacts(start, rng, self._opens))
        for number, (queue, arrival) in enumerate(contacts, start=1):
            contact = _Contact(f"{name}-{number:06d}", self._queues[queue], rng, campaign.name)
            self._schedule(arrival, self._arrive, contact)
        return len(contacts)

    def mail(self, campaign: Campaign, first: int, people: int, at: datetime) -> int:
        """Mail `people` of a campaign's list, from place `first` on; return how many contacts that is going to cause.

        It begins at `at`, not before `now`, and goes through the list at the pace of the whole campaign, which is known
        by its name from the first part on. However a list is split and whenever its parts leave, the same people get
        in touch, with the same lag, concern and patience: simulations with the same generators differ by their sends
        alone. Raises ValueError as `launch` does.
        """
        self._refuse_unknown_queues(campaign)
        mailing = self._mailings.get(campaign.name)
        if mailing is None:
            mailing = self._mailings[campaign.name] = Mailing(campaign, self._rngs)
        start = max(self._now, (at - self._start).total_seconds())
        contacts = list(mailing.part(first, people, start, self._opens))
        for caused in contacts:
            contact = _Contact(caused.id, self._queues[caused.queue], caused.rng, campaign.name)
            self._schedule(caused.arrival, self._arrive, contact)
        return len(contacts)

    def _refuse_unknown_queues(self, campaign: Campaign) -> None:
        unknown = sorted(set(campaign.queue_shares) - set(self._queues))
        if unknown:
            raise ValueError(f"campaign {campaign.name} names queues the floor does not have: {unknown}")

    # --- the agenda ---------------------------------------------------------------------------------------------------

    def _schedule(self, at: float, happen: Callable[[float, Any], None], what: object = None) -> None:
        self._scheduled += 1  # breaks ties by order of scheduling
        heappush(self._agenda, (at, self._scheduled, happen, what))

    def _open_the_floor(self) -> None:
        self._staff(0.0, 0)
        for outage in self._plan.outages:
            self._schedule(outage.start, self._lose_tools, (outage.queues, +1))
            self._schedule(outage.end, self._lose_tools, (outage.queues, -1))
        for queue in self._queues.values():
            for _ in range(queue.plan.present_at_start):
                self._schedule(0.0, self._arrive, self._newborn(queue))
            self._schedule_next_arrival(0.0, queue)
        if self._every is not None:
            self._schedule(self._every, self._observe, 2)

    def _staff(self, _at: float, lap: int) -> None:
        """Schedule the shifts of one lap; the next lap's follow a lap ahead, for a shift may begin before its lap."""
        period = self._plan.repeats_every_seconds
        for queue in self._queues.values():
            for agent in queue.team.agents:
                begin, end = (moment + lap * (period or 0.0) for moment in agent.present)
                self._schedule_change(queue, agent, begin, -1)
                self._schedule_change(queue, agent, end, +1)
                for pause in agent.absences:
                    self._schedule_change(queue, agent, pause.start + lap * (period or 0.0), +1)
                    self._schedule_change(queue, agent, pause.end + lap * (period or 0.0), -1)
        if period is not None:
            self._schedule(lap * period, self._staff, lap + 1)

    def _schedule_change(self, queue: _Queue, agent: Agent, at: float, change: int) -> None:
        self._schedule(max(0.0, at), self._change_presence, (queue, agent, change))

    def _schedule_next_arrival(self, after: float, queue: _Queue) -> None:
        at = queue.plan.arrivals.next_arrival(after, queue.arrivals.expovariate(1.0))
        if at is not None:
            self._schedule(at, self._base_arrival, queue)

    def _opens(self, queue: str, at: float) -> float | None:
        return first_open(self._queues[queue].plan.opening, self._plan.repeats_every_seconds, at)

    # --- what happens -------------------------------------------------------------------------------------------------

    def _newborn(self, queue: _Queue) -> _Contact:
        queue.born += 1
        return _Contact(f"{queue.plan.name}-{queue.born:06d}", queue, queue.contacts)

    def _base_arrival(self, at: float, queue: _Queue) -> None:
        self._arrive(at, self._newborn(queue))
        self._schedule_next_arrival(at, queue)

    def _arrive(self, at: float, contact: _Contact) -> None:
        queue = contact.queue
        self._tell(at, contact, ContactEventKind.QUEUED)
        agent = queue.team.take()  # nobody is free while others wait: an agent who gets free takes the first in line
        if agent is not None:
            self._answer(at, contact, agent)
            return
        contact.waiting = True
        queue.line.append(contact)
        if contact.patience_seconds is not None:
            self._schedule(at + contact.patience_seconds, self._lose_patience, contact)

    def _answer(self, at: float, contact: _Contact, agent: Agent) -> None:
        contact.waiting, contact.agent = False, agent
        self._tell(at, contact, ContactEventKind.ANSWERED, agent.name)
        self._schedule(at + contact.service_seconds, self._complete, contact)

    def _complete(self, at: float, contact: _Contact) -> None:
        self._tell(at, contact, ContactEventKind.COMPLETED, contact.agent.name)
        wrap_up = contact.queue.plan.wrap_up_seconds
        if wrap_up:
            self._schedule(at + wrap_up, self._finish, contact)
        else:
            self._finish(at, contact)

    def _finish(self, at: float, contact: _Contact) -> None:
        contact.queue.team.put_down(contact.agent)
        self._serve(at, contact.queue)

    def _serve(self, at: float, queue: _Queue) -> None:
        line = queue.line
        while line:
            if not line[0].waiting:
                line.popleft()
                continue
            agent = queue.team.take()
            if agent is None:
                return
            self._answer(at, line.popleft(), agent)

    def _lose_patience(self, at: float, contact: _Contact) -> None:
        if not contact.waiting:
            return
        contact.waiting = False
        self._tell(at, contact, ContactEventKind.ABANDONED)
        queue = contact.queue
        if queue.plan.redial_ratio and queue.redials.random() < queue.plan.redial_ratio:
            delay = queue.redials.expovariate(1 / queue.plan.redial_delay_seconds)
            redial = _Contact(f"{contact.id}-again", queue, queue.redials, contact.campaign)
            self._schedule(at + delay, self._arrive, redial)

    def _change_presence(self, at: float, change: tuple[_Queue, Agent, int]) -> None:
        queue, agent, by = change
        queue.team.absent(agent, by)
        self._serve(at, queue)

    def _lose_tools(self, at: float, change: tuple[tuple[str, ...], int]) -> None:
        names, by = change
        for name in names:
            for agent in self._queues[name].team.agents:
                self._change_presence(at, (self._queues[name], agent, by))

    # --- what the ACD tells -------------------------------------------------------------------------------------------

    def _instant(self, seconds: float) -> datetime:
        return self._start + timedelta(0, 0, int(seconds * 1e6))

    def _tell(self, at: float, contact: _Contact, event: ContactEventKind, agent: str | None = None) -> None:
        plan = contact.queue.plan
        self._out.append(
            ContactEvent(
                contact.id, plan.name, event, self._instant(at), self._source, plan.channel, agent, contact.campaign
            )
        )

    def _observe(self, at: float, number: int) -> None:
        for queue in self._queues.values():
            staffed, available, busy = queue.team.headcount()
            self._out.append(
                Observation(
                    queue.plan.name,
                    self._instant(at),
                    self._source,
                    channel=queue.plan.channel,
                    agents_staffed=staffed,
                    agents_available=available,
                    agents_busy=busy,
                )
            )
        if self._every is not None:
            self._schedule(self._every * number, self._observe, number + 1)
