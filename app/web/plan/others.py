"""Who else has a claim on a send's queues: campaigns announced or under way, and live permits, through any gate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.campaign.campaign import Campaign
from app.core.campaign.span import span
from app.core.gate.decide import select
from app.core.permit.permit import Permit
from app.services.container import Services
from app.services.published import GateState

MOST_PERMITS = 200


@dataclass(frozen=True, slots=True)
class OtherCampaign:
    """A campaign that comes to the same queues. starts, ends: when it goes out, as far as its plan tells.

    left: how many it has still to send to; queues: those of ours that it comes to.
    """

    campaign: Campaign
    left: int
    starts: datetime
    ends: datetime
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Others:
    """Everybody else on the same queues: campaigns, and permits that belong to none of these."""

    campaigns: Sequence[OtherCampaign] = ()
    permits: Sequence[Permit] = ()


def others_on(services: Services, state: GateState, campaign: Campaign | None, *, but: str = "") -> Others:
    """Return who else has a claim on the queues that a gate's send comes to. From memory only.

    but: a permit that is the asker's own.
    """
    ours = _queues(services, state) | _named(campaign)
    own = campaign.id if campaign else None
    campaigns: list[OtherCampaign] = []
    permits: list[Permit] = []
    for gate in services.evaluator.published.gates.values():
        watched = _queues(services, gate)
        for each in services.campaigns.on_their_way(gate.gate):
            shared = (_named(each) or watched) & ours
            if each.id != own and shared:
                campaigns += _going(services, each, tuple(sorted(shared)))
        if watched & ours:
            permits += services.permits.in_flight(gate.gate, MOST_PERMITS)
    known = {each.campaign.id for each in campaigns} | {own}
    loose = [each for each in permits if each.outstanding and each.campaign not in known - {None} and each.id != but]
    return Others(campaigns, loose)


def _going(services: Services, campaign: Campaign, shared: tuple[str, ...]) -> Iterator[OtherCampaign]:
    """Yield a campaign that has somebody left, with when it goes."""
    spent, when = services.campaigns.progress(campaign).spent, span(campaign)
    left = campaign.recipients - spent.sent_last_hour  # of a campaign: all that it ever sent
    if left > 0 and when is not None:
        yield OtherCampaign(campaign, left, when.start, when.end, shared)


def _queues(services: Services, state: GateState) -> frozenset[str]:
    if state.policy is None:
        return frozenset()
    on_floor = tuple(services.evaluator.published.view.queues())
    return frozenset(select(state.policy.queues, on_floor)[0])


def _named(campaign: Campaign | None) -> frozenset[str]:
    return frozenset(dict(campaign.queue_mix)) if campaign else frozenset()
