"""What a debrief is made from, gathered from everybody who knows a part of it, as of one instant."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from app.core.campaign.campaign import Campaign
from app.core.debrief.question import COMPLAINTS, Question, QueueFacts, Send, Subject
from app.core.debrief.tagging import Tally
from app.core.debrief.window import STEP, Look, floored, look_of
from app.core.forecast.refused import ResponseRefused
from app.core.gate.decide import select
from app.ports.permits import PermitStore, Sending
from app.services.debrief_floor import FloorThen
from app.services.debrief_release import ReleaseThen
from app.services.learning import Learning
from app.services.predictions import Predictions
from app.services.published import Published
from app.services.tallies import Tallies

HOLDOUT = "/holdout"
BESIDE, MEANWHILE = timedelta(hours=24), timedelta(hours=4)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Underway:
    """What went out of a campaign: its sends in order, what may still go, and what nobody accounted for."""

    sends: tuple[Send, ...]
    outstanding: int
    lapsed: int
    is_assumed: bool


@dataclass(frozen=True, slots=True)
class DebriefInputs:
    """Gathers."""

    permits: PermitStore
    tallies: Tallies
    learning: Learning
    floor: FloorThen
    release: ReleaseThen
    predictions: Predictions
    published: Callable[[], Published]
    complaint_reasons: tuple[str, ...] = COMPLAINTS

    async def sent(self, campaign_id: str) -> Underway:
        """Return what went out of a campaign. Where nobody ever reported, what was permitted counts as sent."""
        sendings = await self.permits.sendings(_EVER, campaign=campaign_id)
        lapsed = sum(sending.lapsed for sending in sendings)
        reported = any(sending.messages for sending in sendings)
        sends = [Send(each.minute_at, each.messages if reported else each.lapsed) for each in _by_minute(sendings)]
        outstanding = sum(sending.outstanding for sending in sendings)
        return Underway(tuple(send for send in sends if send.messages), outstanding, lapsed, is_assumed=not reported)

    async def question(self, campaign: Campaign, sent: Underway, now: datetime, *, is_final: bool) -> Question:
        """Return the question of a campaign of which something was sent, as of now. Raises NotComputed."""
        first, last = sent.sends[0].at, sent.sends[-1].at
        tallies = await self.tallies.of([campaign.id, f"{campaign.id}{HOLDOUT}"])
        own = tuple(tally for tally in tallies if tally.campaign == campaign.id)
        own = tuple(tally for tally in own if tally.bucket_at >= floored(first))
        others = await self._others(campaign.id, first, last)
        zone = self._time_zone(campaign.gate)
        look = look_of(sent.sends, now) or Look(floored(first), floored(first) + STEP)
        queues = await self._queues(campaign, own, look, zone)
        released = await self.release.of(campaign, first, last)
        return Question(
            subject=self._subject(campaign),
            at=now,
            is_final=is_final,
            time_zone=zone,
            sends=sent.sends,
            outstanding=sent.outstanding,
            release=released.release,
            queues=queues,
            tallies=own,
            held_out_tallies=tuple(tally for tally in tallies if tally.campaign != campaign.id),
            bin_shares=self.learning.bin_shares(),
            others=others,
            unaccounted=sent.lapsed,
            is_assumed_sent=sent.is_assumed,
            before=released.before,
            limits=released.limits,
            predicted=await self.predictions.of(campaign, sent.sends, released.at),
            complaint_reasons=self.complaint_reasons,
        )

    def _subject(self, campaign: Campaign) -> Subject:
        return Subject(
            id=campaign.id,
            title=campaign.title,
            kind=campaign.kind,
            gate=campaign.gate,
            state=campaign.state.value,
            audience=campaign.audience,
            recipients=campaign.recipients,
            held_out=campaign.held_out,
            expected_per_1000=round(self.learning.rate_before(campaign).mean, 2),
            expected_from=self.learning.said_of(campaign),
        )

    async def _others(self, campaign_id: str, first: datetime, last: datetime) -> tuple[str, ...]:
        """Return the campaigns that were sent in the day before, or meanwhile."""
        sendings = await self.permits.sendings(first - BESIDE)
        named = {each.campaign for each in sendings if each.messages and each.minute_at <= last + MEANWHILE}
        return tuple(sorted(name for name in named if name is not None and name != campaign_id))

    async def _queues(
        self, campaign: Campaign, tallies: Sequence[Tally], look: Look, time_zone: str
    ) -> tuple[QueueFacts, ...]:
        names = {*self._of_gate(campaign.gate), *dict(campaign.queue_mix), *(tally.queue for tally in tallies)}
        found = [await self.floor.queue(name, look, time_zone) for name in sorted(names)]
        shares = self._shares(campaign, found)
        return tuple(
            replace(facts, lifted=self._lifted(campaign.id, facts), share=shares.get(facts.queue, 0.0))
            for facts in found
        )

    def _shares(self, campaign: Campaign, found: Sequence[QueueFacts]) -> Mapping[str, float]:
        volumes = {facts.queue: sum(value or 0.0 for value in facts.came_in.values) for facts in found}
        try:
            return self.learning.mix_for(campaign, volumes)
        except ResponseRefused:  # nothing ever came to any of them
            return {}

    def _lifted(self, campaign_id: str, facts: QueueFacts) -> tuple[float, ...]:
        start = facts.came_in.start
        lift = self.learning.lift(facts.queue, start, start + len(facts.came_in.values) * STEP, without=campaign_id)
        return tuple(lift.tolist()) if np.any(lift) else ()

    def _of_gate(self, gate: str) -> Sequence[str]:
        state = self.published().gates.get(gate)
        if state is None or state.policy is None:
            return ()
        return select(state.policy.queues, tuple(self.published().view.queues()))[0]

    def _time_zone(self, gate: str) -> str:
        state = self.published().gates.get(gate)
        return state.policy.time_zone if state and state.policy else "UTC"


def _by_minute(sendings: Sequence[Sending]) -> list[Sending]:
    """Return one entry per minute, in order, of what may have gone through several gates."""
    found: dict[datetime, Sending] = {}
    for each in sendings:
        known = found.get(each.minute_at)
        merged = (
            each
            if known is None
            else known._replace(messages=known.messages + each.messages, lapsed=known.lapsed + each.lapsed)
        )
        found[each.minute_at] = merged
    return [found[minute] for minute in sorted(found)]
