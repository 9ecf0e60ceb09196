"""What a calendar shows, gathered from the services: the campaigns of some days, and what they are judged by."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from app.core.campaign.campaign import Campaign, CampaignState
from app.core.campaign.span import LONGEST
from app.core.gate.policy import Policy
from app.errors import HoldfireError
from app.services.container import Services
from app.services.workloads import Moved, Workload
from app.web.calendar.entries import Around, placed
from app.web.calendar.period import Period

MOST = 2000
PAGE = 200
UNDATED = 20
LONG_AGO = timedelta(days=31)
FAR_AHEAD = timedelta(days=366)
QUICKLY_SECONDS = 0.5
PATIENTLY_SECONDS = 20.0


async def campaigns_of(services: Services, period: Period, gate: str | None) -> list[Campaign]:
    """Return the campaigns that go, went or are planned in a period: of a gate, or of all."""
    edges = period.edges
    start, end = edges[0], edges[-1]
    book = services.campaigns
    known = [found for name in book.book.ids() if (found := book.known(name)) is not None]
    dated = await _pages(services, gate=gate, start=start - LONGEST, until=end)
    undated = await _pages(services, gate=gate, before=(end, ""), oldest=start - LONG_AGO)
    every = {each.id: each for each in (*dated, *undated, *known) if gate in (None, each.gate)}
    return [each for each in every.values() if (when := placed(each)) and when.start < end and start < when.end]


async def next_of(services: Services, since: datetime, gate: str | None) -> Campaign | None:
    """Return the first campaign planned for an instant or later, within a year of it; None where there is none."""
    states = (CampaignState.DRAFT, CampaignState.SCHEDULED)
    planned = await _pages(services, gate=gate, states=states, start=since, until=since + FAR_AHEAD)
    return min(planned, key=lambda each: (each.earliest_start or since, each.id), default=None)


async def without_a_time(services: Services, gate: str | None) -> list[Campaign]:
    """Return the newest drafts that nobody has given a time yet."""
    drafts = await services.campaigns.page(gate=gate, states=(CampaignState.DRAFT,), limit=PAGE)
    return [each for each in drafts if each.earliest_start is None][:UNDATED]


async def _pages(
    services: Services, *, before: tuple[datetime, str] | None = None, oldest: datetime | None = None, **asked: Any
) -> list[Campaign]:
    """Return all pages of a question, newest first; oldest: campaigns made before it are not looked at."""
    found: list[Campaign] = []
    while len(found) < MOST:
        page = await services.campaigns.page(**asked, before=before, limit=PAGE)
        found += page
        if len(page) < PAGE or (oldest is not None and page[-1].created_at < oldest):
            break
        before = page[-1].created_at, page[-1].id
    return found


def around(services: Services, campaigns: Iterable[Campaign], period: Period) -> Around:
    """Return what campaigns are judged by, all from memory."""
    now = services.clock.now()
    gates = {campaign.gate for campaign in campaigns}
    watched = {gate: frozenset(services.workloads.queues_of([gate])) for gate in gates}
    queues = {each.id: frozenset(dict(each.queue_mix)) or watched[each.gate] for each in campaigns}
    masses = np.cumsum(services.learning.kernel().masses)
    half = int(np.searchsorted(masses, masses[-1] / 2))
    return Around(policies(services), services.campaigns.facts(now), queues, titles(services), half, now, period.zone)


def policies(services: Services) -> Mapping[str, Policy]:
    """Return the policy of each gate that has one."""
    gates = services.evaluator.published.gates
    return {name: state.policy for name, state in gates.items() if state.policy is not None}


def titles(services: Services) -> Mapping[str, str]:
    """Return what people call queues that they named."""
    return {queue: own.title for queue, own in services.evaluator.floor.targets.items() if own.title}


def queues_shown(services: Services, gate: str | None) -> tuple[str, ...]:
    """Return the queues whose hours a calendar shows: a gate's, or all that any gate watches."""
    gates = [gate] if gate else sorted(services.evaluator.published.gates)
    return services.workloads.queues_of(gates)


async def load_of(
    services: Services,
    queues: tuple[str, ...],
    edges: tuple[datetime, ...],
    *,
    seconds: float,
    moved: Moved | None = None,
) -> Workload | None:
    """Return the work of the hours between edges, None where it takes longer than so many seconds: ask again then.

    What cannot be told says why.
    """
    try:
        return await asyncio.wait_for(asyncio.shield(services.workloads.hours(queues, edges, moved)), seconds)
    except TimeoutError:
        return None
    except HoldfireError as fault:
        return Workload(services.clock.now(), edges, unknown=str(fault))
