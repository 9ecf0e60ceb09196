"""How a campaign was let go: its permits, pauses, refusals and waves, and the overrides that stood meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.campaign.campaign import Campaign
from app.core.debrief.question import OverrideFact, Release, WaveFact
from app.core.event import EventType
from app.core.permit.permit import Permit
from app.ports.campaigns import CampaignStore, Wave
from app.ports.events import EventLog, WrittenEvent
from app.ports.overrides import OverrideStore
from app.ports.permits import PermitStore

PAGE = 500
OK = 200


@dataclass(frozen=True, slots=True)
class ReleaseThen:
    """Reads what was written down of a release."""

    permits: PermitStore
    campaigns: CampaignStore
    overrides: OverrideStore
    events: EventLog

    async def of(self, campaign: Campaign, first_at: datetime, last_at: datetime) -> Release:
        """Return how a campaign was let go between its first and its last message."""
        permits = await self._permits(campaign.id)
        asked = await self._events(campaign.id, EventType.DECISION_ASKED)
        paused = await self._events(campaign.id, EventType.CAMPAIGN_PAUSED)
        return Release(
            permits=len(permits),
            permitted=sum(permit.allowed for permit in permits),
            pauses=len(paused),
            refusals=sum(1 for each in asked if (each.event.after or {}).get("status") != OK),
            waves=tuple(_wave(wave) for wave in await self.campaigns.waves(campaign.id)),
            overrides=tuple(await self._overrides(campaign.gate, first_at, last_at)),
        )

    async def _permits(self, campaign_id: str) -> Sequence[Permit]:
        found: list[Permit] = []
        before = None
        while page := await self.permits.permits(campaign=campaign_id, before=before, limit=PAGE):
            found += page
            before = page[-1].granted_at, page[-1].id
        return found

    async def _events(self, campaign_id: str, kind: EventType) -> Sequence[WrittenEvent]:
        found: list[WrittenEvent] = []
        before = None
        while page := await self.events.events(type=kind, campaign=campaign_id, before=before, limit=PAGE):
            found += page
            before = page[-1].seq
        return found

    async def _overrides(self, gate: str, first_at: datetime, last_at: datetime) -> Sequence[OverrideFact]:
        found: list[OverrideFact] = []
        before = None
        while page := await self.overrides.overrides(gate, ends_after=first_at, before=before, limit=PAGE):
            found += [
                OverrideFact(
                    *(each.id, each.effect.value, each.starts_at, each.ends_at, each.created_by, each.comment),
                    used=each.used_count,
                )
                for each in page
                if each.starts_at <= last_at
            ]
            before = page[-1].created_at, page[-1].id
        return found[::-1]


def _wave(wave: Wave) -> WaveFact:
    return WaveFact(
        wave.number, wave.opened_at, wave.ended_at, wave.allowed, wave.sent, is_probe=wave.is_probe, ending=wave.ending
    )
