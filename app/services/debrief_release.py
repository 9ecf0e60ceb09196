"""How a campaign was let go: what went before, its permits and waves, and the overrides that stood meanwhile."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.core.campaign.campaign import Campaign
from app.core.debrief.before import is_briefed, limits_of, wanted
from app.core.debrief.question import Before, Limit, OverrideFact, Release, WaveFact
from app.core.event import EventType
from app.core.gate.policy import Policy, parse_policy
from app.core.permit.permit import Permit
from app.errors import NotFound
from app.ports.campaigns import BriefingStore, CampaignStore, Wave
from app.ports.events import EventLog, WrittenEvent
from app.ports.gates import GateStore
from app.ports.overrides import OverrideStore
from app.ports.permits import PermitStore

PAGE = 500
OK = 200


class Released(NamedTuple):
    """How it was let go, what went before, and the limits of the policy that stood at `at`, its first permit."""

    release: Release
    before: Before
    limits: tuple[Limit, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class ReleaseThen:
    """Reads what was written down of a release."""

    permits: PermitStore
    campaigns: CampaignStore
    overrides: OverrideStore
    events: EventLog
    gates: GateStore
    briefings: BriefingStore

    async def of(self, campaign: Campaign, first_at: datetime, last_at: datetime) -> "Released":
        """Return how a campaign was let go between its first and its last message, and what went before."""
        permits = await self._permits(campaign.id)
        asked = await self._events(campaign.id, EventType.DECISION_ASKED)
        paused = await self._events(campaign.id, EventType.CAMPAIGN_PAUSED)
        granted_at = min((permit.granted_at for permit in permits), default=None)
        policy = await self._policy(campaign.gate, granted_at or first_at)
        release = Release(
            permits=len(permits),
            permitted=sum(permit.allowed for permit in permits),
            pauses=len(paused),
            refusals=sum(1 for each in asked if (each.event.after or {}).get("status") != OK),
            waves=tuple(_wave(wave) for wave in await self.campaigns.waves(campaign.id)),
            overrides=tuple(await self._overrides(campaign.gate, first_at, last_at)),
        )
        wanted_at = wanted(campaign, [each.event.at for each in asked], granted_at)
        briefing = await self.briefings.briefing(campaign.id)
        is_required = policy is not None and policy.briefing_required
        before = Before(
            announced_at=campaign.announced_at,
            wanted_at=wanted_at,
            granted_at=granted_at,
            notice_minutes=policy.notice_minutes if policy else None,
            is_briefed=is_briefed(briefing, granted_at or first_at, is_required=is_required),
        )
        return Released(release, before, limits_of(policy), granted_at or first_at)

    async def _policy(self, gate: str, at: datetime) -> Policy | None:
        """Return the policy that stood at an instant; None where none did, or its gate is gone."""
        before = None
        with suppress(NotFound):
            while versions := await self.gates.policy_versions(gate, before, PAGE):
                for version in versions:
                    if version.saved_at <= at:
                        return parse_policy(version.document)
                before = versions[-1].version
        return None

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
