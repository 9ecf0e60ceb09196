"""What mail brings to a gate's queues: mail that went in the last days, and mail that may go, through any gate.

Several gates may watch one queue, and a campaign may name queues that its own gate does not watch. What goes through
one gate therefore counts at every gate to whose queues it brings contacts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from app.core.campaign.campaign import Campaign
from app.core.forecast.case import Rate
from app.core.forecast.foresee import Sender, Shares
from app.core.forecast.known import QueueKnown, SendKnown
from app.core.forecast.learn import GammaRate
from app.core.gate.decide import select
from app.core.gate.foresight import Elsewhere
from app.errors import NotFound
from app.ports.permits import PermitStore, Sending
from app.services.campaigns import Campaigns
from app.services.flows import Flows
from app.services.learning import Learning
from app.services.published import GateState

BEHIND_MINUTES = 72 * 60
LONGEST_PERMIT = timedelta(hours=24)
ANY_AUDIENCE = 100_000_000


class Watched(NamedTuple):
    """A gate whose future is looked into: gates has all there are, on_floor all queues that are reported.

    volumes: the contacts expected of each of the gate's queues in `minutes` from now on, campaigns aside.
    """

    state: GateState
    gates: Mapping[str, GateState]
    on_floor: tuple[str, ...]
    volumes: Mapping[str, float]
    minutes: int
    now: datetime


@dataclass(frozen=True, slots=True)
class OutlookMail:
    """Tells. For the services that make outlooks."""

    arrivals: Flows
    lessons: Learning
    sent: PermitStore
    campaigns: Campaigns

    async def sent_lately(self, watched: Watched) -> tuple[SendKnown, ...]:
        """Return what was sent in the last days, as late as it can have been; what may still go, as if it went now."""
        messages: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for sending in await self.sent.sendings(watched.now - timedelta(minutes=BEHIND_MINUTES) - LONGEST_PERMIT):
            listed = messages.setdefault((sending.gate, sending.campaign or ""), [])
            listed += _messages(sending, watched.now)
        found = []
        for (gate, name), each in messages.items():
            campaign = await self._campaign(name)
            shares = await self._shares_of(gate, campaign, watched)
            if each and shares:
                found.append(SendKnown(name, self._rate(campaign), shares, tuple(each)))
        return tuple(found)

    def senders(self, watched: Watched) -> tuple[Sender, ...]:
        """Return who may send through the gate: anybody without a campaign, and each campaign on its way."""
        anybody = Sender("", self._rate(None), self._shares(None, watched.volumes), ANY_AUDIENCE)
        on_their_way = self.campaigns.on_their_way(watched.state.gate)
        return (anybody, *(self.sender(campaign, watched.volumes) for campaign in on_their_way))

    def sender(self, campaign: Campaign, volumes: Mapping[str, float]) -> Sender:
        """Return a campaign as it may send. volumes: of its gate's queues."""
        shares = self._shares(campaign, volumes)
        return Sender(campaign.id, self._rate(campaign), shares, max(1, campaign.recipients))

    def sender_of_kind(self, kind: str, volumes: Mapping[str, float]) -> Sender:
        """Return mail of a kind as it may go without a campaign; in place of anybody's."""
        rate = _rate(self.lessons.rate_of_kind(kind))
        return Sender("", rate, _scaled(self.lessons.mix_of_kind(kind, {}, volumes), volumes), ANY_AUDIENCE)

    def elsewhere(self, watched: Watched) -> Elsewhere | None:
        """Return what other gates had given away, and the most demanding of it; None where none of it comes here."""
        rates = []
        for other in watched.gates.values():
            if other.policy is None or other.gate == watched.state.gate:
                continue
            campaigns = self.campaigns.on_their_way(other.gate)
            if watched.volumes.keys() & _queues(other, watched):
                rates += [self._rate(None), *map(self._rate, campaigns)]
            else:
                rates += [self._rate(each) for each in campaigns if watched.volumes.keys() & dict(each.queue_mix)]
        if not rates:
            return None
        return Elsewhere(watched.state.spent.given_elsewhere, max(rate.mean for rate in rates))

    async def _campaign(self, name: str) -> Campaign | None:
        """Return a campaign, also one that ended long ago: its mail brings contacts for days. None: it is none."""
        if not name:
            return None
        try:
            return await self.campaigns.book.find(name)
        except NotFound:
            return None

    def _rate(self, campaign: Campaign | None) -> Rate:
        return _rate(self.lessons.rate_for(campaign))

    def _shares(self, campaign: Campaign | None, volumes: Mapping[str, float]) -> Shares:
        return _scaled(self.lessons.mix_for(campaign, volumes), volumes)

    async def _shares_of(self, gate: str, campaign: Campaign | None, watched: Watched) -> Shares:
        """Return the share of each queue, of mail that went through any gate; () where none of it comes here.

        Where nobody knows any more which queues a gate watched, its mail counts as the watched gate's own.
        """
        other = watched.gates.get(gate)
        if gate == watched.state.gate or other is None or other.policy is None:
            return self._shares(campaign, watched.volumes)
        queues = _queues(other, watched)
        named = dict(campaign.queue_mix) if campaign is not None else {}
        if not watched.volumes.keys() & {*queues, *named}:
            return ()
        volumes = {queue: await self._volume(queue, watched) for queue in queues}
        if not any(volumes.values()):
            volumes = dict.fromkeys(queues, 1.0)
        mix = self.lessons.mix_for(campaign, volumes)
        return tuple(sorted((queue, share) for queue, share in mix.items() if queue in watched.volumes))

    async def _volume(self, queue: str, watched: Watched) -> float:
        if queue in watched.volumes:
            return watched.volumes[queue]
        forecast = await self.arrivals.forecast(queue, watched.now, watched.minutes)
        return float(np.nansum(forecast.expected.values))


def volumes(queues: Iterable[QueueKnown]) -> dict[str, float]:
    """Return the contacts that are expected of each queue in the minutes that are known, campaigns aside."""
    return {queue.queue: float(queue.expected.sum()) for queue in queues}


def _rate(believed: GammaRate) -> Rate:
    return Rate(believed.mean, believed.sd / believed.mean)


def _scaled(mix: Mapping[str, float], volumes: Mapping[str, float]) -> Shares:
    """Return the share of each of the gate's queues, together 1: contacts said to come elsewhere may come here."""
    named = {queue: share for queue, share in mix.items() if queue in volumes}
    total = sum(named.values())
    if total <= 0:
        named, total = dict.fromkeys(volumes, 1.0), float(len(volumes))
    return tuple(sorted((queue, share / total) for queue, share in named.items()))


def _queues(gate: GateState, watched: Watched) -> tuple[str, ...]:
    return () if gate.policy is None else select(gate.policy.queues, watched.on_floor)[0]


def _messages(sending: Sending, now: datetime) -> list[tuple[float, float]]:
    """Return (minute, messages): of what is over when the last of it can have gone, at minute 0 what may still go."""
    minute = min(0.0, ((sending.until or sending.minute_at) - now) / timedelta(minutes=1))
    over = float(sending.messages + sending.lapsed)
    listed = [(minute, over)] if over and minute >= -BEHIND_MINUTES else []
    return [*listed, (0.0, float(sending.outstanding))] if sending.outstanding else listed
