"""Scores and value figures in memory, for tests of what needs their ports."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from app.core.campaign.value import CampaignValue
from app.core.event import Event
from app.errors import Conflict, NotFound
from app.ports.scores import KeptScore


class MemoryScores:
    """The ScoreStore port. debriefed: campaigns that have a final debrief."""

    def __init__(self, debriefed: Collection[str] = ()) -> None:
        self.debriefed = set(debriefed)
        self._scores: dict[str, KeptScore] = {}

    async def put_scores(self, scores: Sequence[KeptScore]) -> None:
        for each in scores:
            kept = self._scores.get(each.campaign)
            if kept is None or each.is_final or not kept.is_final:
                self._scores[each.campaign] = each

    async def scores(self, start: datetime, until: datetime) -> Sequence[Mapping[str, object]]:
        inside = [each for each in self._scores.values() if start <= each.began_at < until]
        return [each.score for each in sorted(inside, key=lambda each: (each.began_at, each.campaign))]

    async def unscored(self, limit: int) -> Sequence[str]:
        final = {each.campaign for each in self._scores.values() if each.is_final}
        return sorted(self.debriefed - final)[:limit]


class MemoryValues:
    """The ValueStore port. campaigns: those that there are."""

    def __init__(self, campaigns: Collection[str] = ()) -> None:
        self.campaigns = set(campaigns)
        self.events: list[Event] = []
        self._revisions: dict[str, list[CampaignValue]] = {}

    async def value(self, campaign_id: str) -> CampaignValue | None:
        return (await self.values([campaign_id])).get(campaign_id)

    async def values(self, campaign_ids: Collection[str]) -> Mapping[str, CampaignValue]:
        return {name: self._revisions[name][-1] for name in campaign_ids if name in self._revisions}

    async def value_revisions(self, campaign_id: str) -> Sequence[CampaignValue]:
        return self._revisions.get(campaign_id, [])[::-1]

    async def save_values(self, values: Sequence[CampaignValue], events: Sequence[Event]) -> None:
        for each in values:
            newest = len(self._revisions.get(each.campaign, ()))
            if each.campaign not in self.campaigns:
                raise NotFound(f"there is no campaign {each.campaign!r}")
            if each.revision != newest + 1:
                raise Conflict(f"{each.campaign!r} is at {newest}")
        for each in values:
            self._revisions.setdefault(each.campaign, []).append(each)
        self.events.extend(events)
