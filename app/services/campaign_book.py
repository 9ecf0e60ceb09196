"""What is known of every campaign, in memory, never ahead of the store: changed only after a change is durable."""

import asyncio
from collections import ChainMap
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar
from weakref import WeakValueDictionary

import msgspec

from app.core.campaign.briefing import Briefing
from app.core.campaign.campaign import ENDED, Campaign, ReleaseMode
from app.core.campaign.pace import FULL_PERCENT, Outcome, Pace, gap_seconds, judge, next_wave
from app.core.event import Event
from app.core.gate.answer import CampaignFacts
from app.core.permit.permit import Spent
from app.errors import Conflict
from app.ports.campaigns import BriefingStore, CampaignStore, Wave

T = TypeVar("T")
WATCHED_AFTER_END = timedelta(days=1)
PAGE = 500


class CampaignBook:
    """Campaigns that have not ended, and those that did lately, each with its pace, last wave and briefing's standing.

    Of every campaign that ever ended it keeps enough to go on refusing: its name never becomes a mere label again.
    Whoever reads a campaign to change it holds its lock until the change is kept.
    """

    def __init__(self, store: CampaignStore) -> None:
        self._store = store
        self._campaigns: dict[str, Campaign] = {}
        self._paces: dict[str, Pace] = {}
        self._waves: dict[str, Wave] = {}
        self._missing: dict[str, tuple[str, ...]] = {}
        self._facts: dict[str, CampaignFacts] = {}
        self._ended: dict[str, CampaignFacts] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def load(self, briefings: BriefingStore, now: datetime) -> None:
        """Read what is kept of all campaigns, also what other processes changed."""
        fresh = CampaignBook(self._store)
        await fresh._read(briefings, now)
        self._campaigns, self._paces, self._waves = fresh._campaigns, fresh._paces, fresh._waves
        self._missing, self._facts, self._ended = fresh._missing, fresh._facts, fresh._ended

    async def _read(self, briefings: BriefingStore, now: datetime) -> None:
        before = None
        while page := await self._store.campaigns(before=before, limit=PAGE):
            before = page[-1].created_at, page[-1].id
            for campaign in page:
                self._put(campaign)
        self.forget(now)
        watched = self.ids()
        self._paces = {name: _pace(text) for name, text in (await self._store.paces()).items()}
        self._missing = {name: each.missing for name, each in (await briefings.briefings(watched)).items()}
        for name in watched:
            if self._campaigns[name].started_at is not None and (waves := await self._store.waves(name)):
                self._waves[name] = waves[-1]

    # --- reading ---

    def lock(self, campaign_id: str) -> asyncio.Lock:
        """Return what keeps everybody else from changing a campaign; it is there for as long as somebody uses it."""
        return self._locks.setdefault(campaign_id, asyncio.Lock())

    def known(self, campaign_id: str) -> Campaign | None:
        """Return a campaign that has not ended, or not long ago; None for any other name."""
        return self._campaigns.get(campaign_id)

    async def find(self, campaign_id: str) -> Campaign:
        """Return any campaign. Raises NotFound."""
        return self._campaigns.get(campaign_id) or await self._store.campaign(campaign_id)

    def ids(self) -> Sequence[str]:
        """Return the ids of all that have not ended, or not long ago."""
        return list(self._campaigns)

    def pace(self, campaign_id: str) -> Pace:
        """Return how a campaign's release is paced."""
        return self._paces.get(campaign_id, Pace())

    def wave(self, campaign_id: str) -> Wave | None:
        """Return a campaign's last wave, open or over; None before the first."""
        return self._waves.get(campaign_id)

    def next_wave_at(self, campaign: Campaign) -> datetime | None:
        """Return the earliest instant at which a campaign's next wave may open; None: at any time."""
        last = self.wave(campaign.id)
        if last is None:
            return None
        gap = gap_seconds(self.pace(campaign.id), campaign.release.wave_gap_seconds)
        return last.opened_at + timedelta(seconds=gap)

    def fact(self, campaign_id: str, spent: Spent) -> CampaignFacts | None:
        """Return what answers need to know of one campaign, ended or not, as of now; None for a name that none has."""
        campaign = self._campaigns.get(campaign_id)
        return self._ended.get(campaign_id) if campaign is None else self._fact(campaign, spent)

    def facts(self, spent: Callable[[str], Spent]) -> Mapping[str, CampaignFacts]:
        """Return what answers need to know of each campaign. spent: what its permits say of one that has not ended."""
        present = {}
        for name, campaign in self._campaigns.items():
            if campaign.state in ENDED:
                continue
            given, known = spent(name), self._facts.get(name)
            if known is None or known.spent != given:
                known = self._facts[name] = self._fact(campaign, given)
            present[name] = known
        return ChainMap(present, self._ended)

    # --- changing ---

    async def add(self, campaign: Campaign, event: Event) -> Campaign:
        """Keep a new campaign. Raises Conflict when its id is taken, NotFound for an unknown gate."""

        async def work() -> Campaign:
            await self._store.add_campaign(campaign, event)
            return self._put(campaign)

        return await _to_the_end(work())

    async def save(self, campaign: Campaign, events: Sequence[Event]) -> Campaign:
        """Keep a campaign as it is now, one revision on, and return that. Raises Conflict when somebody was faster."""

        async def work() -> Campaign:
            saved = replace(campaign, revision=campaign.revision + 1)
            try:
                await self._store.save_campaign(saved, events, expected=campaign.revision)
            except Conflict:
                self._put(await self._store.campaign(campaign.id))
                raise
            return self._put(saved)

        return await _to_the_end(work())

    async def remove(self, campaign: Campaign, event: Event) -> None:
        """Delete a campaign. Raises Conflict when somebody was faster."""

        async def work() -> None:
            await self._store.delete_campaign(campaign.id, event, expected=campaign.revision)
            for kept in (self._campaigns, self._paces, self._waves, self._missing, self._facts):
                kept.pop(campaign.id, None)

        await _to_the_end(work())

    async def open_wave(self, wave: Wave, event: Event) -> None:
        """Keep a wave that was opened. Raises Conflict when its number is taken."""

        async def work() -> None:
            await self._store.add_wave(wave, event)
            self._waves[wave.campaign] = wave

        await _to_the_end(work())

    async def save_wave(self, wave: Wave, event: Event | None = None) -> None:
        """Keep what became of a campaign's last wave."""

        async def work() -> None:
            await self._store.save_wave(wave, event)
            self._waves[wave.campaign] = wave

        await _to_the_end(work())

    async def keep_pace(self, campaign_id: str, pace: Pace) -> None:
        """Keep a campaign's pace; nothing is written when it is the same."""
        if pace == self.pace(campaign_id):
            return

        async def work() -> None:
            await self._store.save_pace(campaign_id, msgspec.json.encode(pace).decode())
            self._paces[campaign_id] = pace
            self._facts.pop(campaign_id, None)

        await _to_the_end(work())

    def note_briefing(self, briefing: Briefing) -> None:
        """Take note of who still has to acknowledge a briefing."""
        self._missing[briefing.campaign] = briefing.missing
        self._facts.pop(briefing.campaign, None)

    def forget(self, now: datetime) -> None:
        """Drop what ended a day ago, except that it ended."""
        long_ago = now - WATCHED_AFTER_END
        over = [name for name, each in self._campaigns.items() if each.ended_at and each.ended_at <= long_ago]
        for name in over:
            for kept in (self._campaigns, self._paces, self._waves, self._missing):
                kept.pop(name, None)

    def _put(self, campaign: Campaign) -> Campaign:
        self._campaigns[campaign.id] = campaign
        self._facts.pop(campaign.id, None)
        if campaign.state in ENDED:
            self._ended[campaign.id] = self._fact(campaign, Spent())
        return campaign

    def _fact(self, campaign: Campaign, spent: Spent) -> CampaignFacts:
        return CampaignFacts(
            id=campaign.id,
            gate=campaign.gate,
            audience=campaign.recipients,
            state=campaign.state,
            traffic_class=campaign.traffic_class,
            announced_at=campaign.announced_at,
            earliest_start=campaign.earliest_start,
            give_up_at=campaign.give_up_at,
            paused_by=campaign.paused_by,
            missing_acknowledgements=self._missing.get(campaign.id),
            wave_limit=_wave_limit(campaign, self.pace(campaign.id)),
            spent=spent,
            sent=spent.sent_last_hour,
            awaits_start=campaign.awaits_start,
        )


def _wave_limit(campaign: Campaign, pace: Pace) -> int | None:
    """Return how many the next wave may have; None for one that goes out as a whole and is not slowed."""
    better = judge(pace, Outcome.GOOD)
    if campaign.release.mode is not ReleaseMode.WAVES and better.percent == FULL_PERCENT:
        return None
    return next_wave(better, campaign.full_wave, campaign.recipients)


def _pace(text: str) -> Pace:
    return msgspec.json.decode(text, type=Pace)


async def _to_the_end(work: Awaitable[T]) -> T:
    """Return what `work` returns. Who waits may go away: then it still ends, and memory is as the store is."""
    return await asyncio.shield(asyncio.ensure_future(work))
