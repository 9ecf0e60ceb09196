"""Campaigns: drafted, announced, released in waves, paused, ended."""

from collections.abc import Callable, Mapping
from datetime import datetime

from app.core.gate.answer import CampaignFacts
from app.ports import Clock
from app.ports.campaigns import BriefingStore, CampaignStore
from app.services.permits import Permits


class Campaigns:
    """All campaigns. on_change runs after a change is durable."""

    def __init__(
        self,
        store: CampaignStore,
        briefings: BriefingStore,
        permits: Permits,
        clock: Clock,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._briefings, self._permits, self._clock = store, briefings, permits, clock
        self._on_change = on_change

    async def load(self) -> None:
        """Read every campaign that has not ended, with its briefing."""

    def facts(self, now: datetime) -> Mapping[str, CampaignFacts]:
        """Return, from memory, what answers need to know of each campaign."""
        return {}
