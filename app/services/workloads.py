"""The work ahead of queues, hour by hour, beside who is there: for the calendar on which two departments plan.

Who looks at the same hours within a minute shares one computation.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from app.core.campaign.campaign import PAUSED_BY_GATE, Campaign, CampaignState
from app.core.campaign.pouring import pouring
from app.core.floor.targets import QueueTargets
from app.core.forecast.refused import ResponseRefused
from app.core.forecast.response import SPENT_AFTER_MINUTES
from app.core.forecast.series import BoolArray, FloatArray
from app.core.forecast.workload import (
    Coming,
    QueueAhead,
    QueueHours,
    Source,
    Window,
    contacts_ahead,
    mean_per_hour,
)
from app.core.gate.decide import select
from app.core.staffing.hours import open_minutes
from app.errors import NotFound
from app.ports.clock import Clock
from app.ports.computing import Computing
from app.ports.permits import PermitStore
from app.services.campaigns import Campaigns
from app.services.capacities import Capacities
from app.services.flows import Flows
from app.services.learning import Learning
from app.services.opening_hours import Hours
from app.services.published import Published
from app.services.staffing import MOST_MINUTES, Staffings

FURTHEST = timedelta(weeks=8)
KEPT = 16
KEPT_SECONDS = 60
VOLUME_DAYS = 7
MOST_IN_A_THREAD = 120 * 24 * 60  # minutes of all queues together: a tenth of a second, at worst
GOING = frozenset({CampaignState.SCHEDULED, CampaignState.WAITING, CampaignState.RELEASING, CampaignState.PAUSED})
_MINUTE = timedelta(minutes=1)
_NO_TARGETS = QueueTargets()
Messages = tuple[tuple[datetime, float], ...]


class Moved(NamedTuple):
    """A campaign that is looked at as if it began at another time."""

    campaign: str
    start: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """The hours between `edges`, of each queue, as of `at`. unknown: why there are none, "" when there are."""

    at: datetime
    edges: tuple[datetime, ...]
    queues: tuple[QueueHours, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class _Send:
    """What goes out of a campaign (None: of none) through a gate, and when."""

    campaign: Campaign | None
    gate: str
    messages: Messages


class Workloads:
    """Tells. For use on the event loop."""

    def __init__(
        self,
        arrivals: Flows,
        capacities: Capacities,
        agents: Staffings,
        hours: Hours,
        lessons: Learning,
        *,
        sent: PermitStore,
        campaigns: Campaigns,
        targets: Callable[[], Mapping[str, QueueTargets]],
        published: Callable[[], Published],
        computing: Computing,
        clock: Clock,
    ) -> None:
        self._arrivals, self._capacities, self._agents, self._hours = arrivals, capacities, agents, hours
        self._lessons, self._sent, self._campaigns, self._targets = lessons, sent, campaigns, targets
        self._published, self._computing, self._clock = published, computing, clock
        self._answers: dict[Hashable, asyncio.Task[Workload]] = {}

    def queues_of(self, gates: Sequence[str]) -> tuple[str, ...]:
        """Return the queues on the floor that any of these gates watches, sorted."""
        found = {queue for gate in gates for queue in self._watched(gate)}
        return tuple(sorted(found))

    async def hours(self, queues: tuple[str, ...], edges: tuple[datetime, ...], moved: Moved | None = None) -> Workload:
        """Return the work of queues in the hours between edges (aware UTC, whole minutes, ascending).

        moved: a campaign that is reckoned with as if it began then, announced or not. Raises NotComputed.
        """
        now = self._clock.now().replace(second=0, microsecond=0)
        if unknown := _unseen(queues, edges, now):
            return Workload(now, edges, unknown=unknown)
        key = queues, edges, moved, now.timestamp() // KEPT_SECONDS, self._standing()
        answer = self._answers.get(key)
        if answer is None or _has_failed(answer):
            answer = asyncio.ensure_future(self._made(queues, edges, moved, now))
            answer.add_done_callback(_has_failed)  # looked at, also where whoever asked has gone meanwhile
            self._answers.pop(key, None)
            self._answers[key] = answer
            for oldest in list(self._answers)[:-KEPT]:
                del self._answers[oldest]
        return await asyncio.shield(answer)

    # --- gathering ---

    async def _made(
        self, queues: tuple[str, ...], edges: tuple[datetime, ...], moved: Moved | None, now: datetime
    ) -> Workload:
        window = _window(edges, now)
        contacts = await self._contacts(queues, window, moved)
        asked = [await self._ahead(queue, window, contacts.get(queue, ())) for queue in queues]
        coming = await self._coming(asked, window)
        found = [await self._queue(each, told, window, edges, now) for each, told in zip(asked, coming, strict=True)]
        return Workload(now, edges, tuple(found))

    async def _coming(self, asked: list[QueueAhead], window: Window) -> list[Coming]:
        """Return the contacts of queues: of few of them from a thread, of many from another process."""
        kernel = self._lessons.kernel()
        if len(asked) * window.minutes <= MOST_IN_A_THREAD:
            return await asyncio.to_thread(contacts_ahead, asked, window, kernel)
        return await self._computing.run(contacts_ahead, asked, window, kernel)

    async def _ahead(self, queue: str, window: Window, sends: tuple[tuple[int, float], ...]) -> QueueAhead:
        usuals, errors = await self._arrivals.usuals(queue, window.now)
        is_open = open_minutes(await self._hours.of(queue), window.start, window.minutes)
        return QueueAhead(queue, usuals, errors, is_open, sends)

    async def _queue(
        self, asked: QueueAhead, coming: Coming, window: Window, edges: tuple[datetime, ...], now: datetime
    ) -> QueueHours:
        capacity = await self._capacities.capacity(asked.queue, window.now)
        agents, sources = await self._agents_of(asked, window)
        said = (
            f"Contacts: {coming.basis}.",
            f"Agents: {_agents_said(sources)}.",
            f"Handle time: {capacity.handle_said}.",
        )
        return QueueHours(
            asked.queue,
            coming,
            agents,
            sources,
            np.maximum.reduceat(asked.is_open, window.edges[:-1]),
            np.diff(window.edges) / 60.0,
            np.array([ends <= now for ends in edges[1:]]),
            capacity.handle_seconds,
            self._targets().get(asked.queue, _NO_TARGETS).concurrency,
            said,
        )

    async def _agents_of(self, asked: QueueAhead, window: Window) -> tuple[FloatArray, tuple[Source, ...]]:
        """Return the agents of each hour, NaN where nobody knows, and where each number is from."""
        agents, planned = np.full(window.minutes, np.nan), np.zeros(window.minutes, dtype=np.bool_)
        concurrency = self._targets().get(asked.queue, _NO_TARGETS).concurrency
        first = max(window.present, int(window.edges[0]))
        for low in range(first, window.minutes, MOST_MINUTES):
            high = min(low + MOST_MINUTES, window.minutes)
            staffing, plan = await self._agents.with_plan(
                asked.queue, window.start + low * _MINUTE, high - low, present_agents=None
            )
            planned[low:high] = ~np.isnan(plan.scheduled)
            known = planned[low:high] | ~np.isnan(plan.week_before) | ~np.isnan(plan.usual) | ~staffing.is_open
            agents[low:high] = np.where(known, staffing.agents / concurrency, np.nan)
        found = mean_per_hour(agents, window)
        return found, _sources(found, planned, window)

    # --- what is sent ---

    async def _contacts(
        self, queues: tuple[str, ...], window: Window, moved: Moved | None
    ) -> dict[str, tuple[tuple[int, float], ...]]:
        """Return for each queue (minute of the window, contacts) of all that was sent lately, and will be."""
        found: dict[str, list[tuple[int, float]]] = {queue: [] for queue in queues}
        sends = [*await self._sent_lately(window), *self._planned(window, moved)]
        volumes = {gate: await self._volumes(gate, window.now) for gate in {send.gate for send in sends}}
        for send in sends:
            per_message = self._lessons.rate_for(send.campaign).mean / 1000
            shares = self._shares(send.campaign, volumes[send.gate])
            for queue in found.keys() & shares.keys():
                found[queue] += [
                    ((at - window.start) // _MINUTE, messages * per_message * shares[queue])
                    for at, messages in send.messages
                ]
        return {queue: tuple(sorted(each)) for queue, each in found.items()}

    async def _sent_lately(self, window: Window) -> list[_Send]:
        """Return what was sent; what may still go under live permits counts as if it went now."""
        found = []
        for sending in await self._sent.sendings(window.start):
            went = max(sending.minute_at, window.start)
            messages = [(went, float(sending.messages + sending.lapsed)), (window.now, float(sending.outstanding))]
            kept = tuple((at, many) for at, many in messages if many and window.start <= at)
            found.append(_Send(await self._campaign(sending.campaign), sending.gate, kept))
        return found

    def _planned(self, window: Window, moved: Moved | None) -> Iterator[_Send]:
        for campaign in self._on_their_way(moved):
            spent = self._campaigns.progress(campaign).spent
            left = campaign.recipients - spent.sent_last_hour - spent.outstanding  # of a campaign: all it ever sent
            end = window.start + window.minutes * _MINUTE
            messages = tuple((at, many) for at, many in pouring(campaign, left, window.now) if window.start <= at < end)
            yield _Send(campaign, campaign.gate, messages)

    def _on_their_way(self, moved: Moved | None) -> Iterator[Campaign]:
        """Yield the campaigns that will go by themselves, or at a word: not drafts, nor what somebody paused."""
        for campaign in self._known():
            if moved is not None and campaign.id == moved.campaign:
                yield replace(campaign, earliest_start=moved.start)
            elif campaign.state in GOING and campaign.paused_by in (None, PAUSED_BY_GATE):
                yield campaign

    def _known(self) -> Iterator[Campaign]:
        known = (self._campaigns.known(campaign_id) for campaign_id in self._campaigns.book.ids())
        return (campaign for campaign in known if campaign is not None)

    async def _campaign(self, campaign_id: str | None) -> Campaign | None:
        if campaign_id is None:
            return None
        try:
            return await self._campaigns.book.find(campaign_id)
        except NotFound:
            return None

    def _shares(self, campaign: Campaign | None, volumes: Mapping[str, float]) -> Mapping[str, float]:
        try:
            return self._lessons.mix_for(campaign, volumes)
        except ResponseRefused:  # nothing ever came to any of them
            return {queue: 1 / len(volumes) for queue in volumes}

    async def _volumes(self, gate: str, now: datetime) -> dict[str, float]:
        """Return the contacts of each of a gate's queues in the last days that are known."""
        found = {}
        for queue in self._watched(gate):
            usuals, _ = await self._arrivals.usuals(queue, now)
            found[queue] = float(np.nansum(usuals.history.contacts[-VOLUME_DAYS:]))
        return found

    def _watched(self, gate: str) -> tuple[str, ...]:
        published = self._published()
        state = published.gates.get(gate)
        if state is None or state.policy is None:
            return ()
        return select(state.policy.queues, tuple(published.view.queues()))[0]

    def _standing(self) -> Hashable:
        """Return what tells one standing of all campaigns from another."""
        return tuple(sorted((each.id, each.revision, each.state) for each in self._known()))


def _unseen(queues: tuple[str, ...], edges: tuple[datetime, ...], now: datetime) -> str:
    if not queues:
        return "no queue on the floor is watched by these gates"
    if edges[-1] <= now:
        return "these hours are over"
    if edges[0] > now + FURTHEST:
        return f"nothing is forecast further than {FURTHEST.days // 7} weeks ahead"
    return ""


def _window(edges: tuple[datetime, ...], now: datetime) -> Window:
    """Return the minutes to reckon with: from a week before the first hour, or before now, for sends of then."""
    start = max(edges[0], now) - SPENT_AFTER_MINUTES * _MINUTE
    start = min(start, edges[0])
    return Window(start, now, np.array([(edge - start) // _MINUTE for edge in edges], dtype=np.int64))


def _sources(agents: FloatArray, planned: BoolArray, window: Window) -> tuple[Source, ...]:
    scheduled = np.maximum.reduceat(planned, window.edges[:-1])
    named = np.where(np.isnan(agents), Source.UNKNOWN, np.where(scheduled, Source.SCHEDULED, Source.USUAL))
    return tuple(Source(name) for name in named)


def _agents_said(sources: tuple[Source, ...]) -> str:
    """Return in words where the numbers of agents are from."""
    words = {
        Source.SCHEDULED: "as scheduled",
        Source.USUAL: "as a week before, or as usual at these hours, where no schedule says",
        Source.UNKNOWN: "not known for some hours: no schedule, and too little history",
    }
    if set(sources) == {Source.UNKNOWN}:
        return "not known: no schedule, and too little history"
    return "; ".join(word for source, word in words.items() if source in sources)


def _has_failed(answer: asyncio.Task[Workload]) -> bool:
    return answer.done() and (answer.cancelled() or answer.exception() is not None)
