"""Campaigns: drafted, announced, changed, started, paused, resumed, cancelled by people; released by holdfire."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from app.core.campaign.briefing import Briefing
from app.core.campaign.campaign import ENDED, Campaign, CampaignState
from app.core.campaign.change import changed, drafted, merged
from app.core.campaign.machine import CampaignStep, StepRefused, event, step
from app.core.campaign.request import Plan, PlanRefused, parse_plan, plan_document
from app.core.event import Actor, Event, EventType
from app.core.gate.answer import CampaignFacts
from app.core.permit.permit import PermitStep, Spent
from app.core.problem import Problem
from app.errors import Conflict, Invalid, NotFound
from app.ports.campaigns import BriefingStore, CampaignStore, Wave
from app.ports.clock import Clock
from app.services.campaign_book import CampaignBook
from app.services.permits import Permits

STOPS = {CampaignStep.PAUSE: PermitStep.PAUSE, CampaignStep.CANCEL: PermitStep.REVOKE}


class Impossible(Conflict):
    """The campaign cannot do that from where it stands; reading it again changes nothing about that."""


class Progress(NamedTuple):
    """How far a campaign has come: what its permits say, and its last wave (None before the first)."""

    spent: Spent
    wave: Wave | None


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
        self.book = CampaignBook(store)

    async def load(self) -> None:
        """Read every campaign that has not ended, with its briefing."""
        await self.book.load(self._briefings, self._clock.now())
        await self._permits.watch(self.book.ids())

    # --- reading ---

    async def find(self, campaign_id: str) -> Campaign:
        """Return one. Raises NotFound."""
        found = await self.book.find(campaign_id)
        await self._permits.watch([campaign_id])
        return found

    def on_their_way(self, gate: str) -> Sequence[Campaign]:
        """Return, from memory, a gate's campaigns that are scheduled or further and have not ended."""
        known = [self.book.known(campaign_id) for campaign_id in self.book.ids()]
        resting = ENDED | {CampaignState.DRAFT}
        return [each for each in known if each is not None and each.gate == gate and each.state not in resting]

    def known(self, campaign_id: str) -> Campaign | None:
        """Return, from memory, one that has not ended long ago; None for any other."""
        return self.book.known(campaign_id)

    def progress(self, campaign: Campaign) -> Progress:
        """Return how far a campaign has come."""
        return Progress(self._permits.spent_by_campaign(campaign.id, self._clock.now()), self.book.wave(campaign.id))

    async def page(
        self,
        *,
        gate: str | None = None,
        states: Sequence[CampaignState] = (),
        start: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Campaign]:
        """Return campaigns newest first by (created_at, id); start and until bound earliest_start where given."""
        found = await self._store.campaigns(
            gate=gate, states=states, start=start, until=until, before=before, limit=limit
        )
        await self._permits.watch([campaign.id for campaign in found])
        return found

    async def waves(self, campaign_id: str) -> Sequence[Wave]:
        """Return all waves of a campaign in their order. Raises NotFound."""
        return await self._store.waves(campaign_id)

    def facts(self, now: datetime) -> Mapping[str, CampaignFacts]:
        """Return, from memory, what answers need to know of each campaign."""
        return self.book.facts(lambda campaign: self._permits.spent_by_campaign(campaign, now))

    def briefing_changed(self, briefing: Briefing) -> None:
        """Take note of a briefing as it is now."""
        self.book.note_briefing(briefing)
        self._on_change()

    # --- what people do ---

    async def create(self, document: Mapping[str, object], actor: Actor, reason: str = "") -> Campaign:
        """Draft a campaign and return it.

        Raises Invalid with one problem per fault, an unknown gate among them, or Conflict when its id is taken.
        """
        now = self._clock.now()
        draft = drafted(self._plan(document, actor.name), now)
        created = event(EventType.CAMPAIGN_CREATED, draft, actor, reason, now, after=plan_document(draft))
        async with self.book.lock(draft.id):
            try:
                await self.book.add(draft, created)
            except NotFound as fault:
                raise _unknown_gate(fault) from fault
            await self._permits.watch([draft.id])
        self._on_change()
        return draft

    async def change(
        self, campaign_id: str, changes: Mapping[str, object], actor: Actor, reason: str = "", *, expected: int
    ) -> Campaign:
        """Change members of a campaign's plan, as by a JSON merge patch; `expected` is the revision its author saw.

        Raises NotFound, Impossible for one that has ended, Invalid with one problem per fault, or Conflict when
        somebody was faster.
        """
        async with self.book.lock(campaign_id):
            campaign, now = await self._expected(campaign_id, expected), self._clock.now()
            plan = self._plan(merged(campaign, changes), campaign.owner)
            after = self._changed(campaign, plan, actor, now)
            told = _difference(campaign, after, actor, reason, now)
            try:
                saved = await self.book.save(after, [told])
            except NotFound as fault:
                raise _unknown_gate(fault) from fault
        self._on_change()
        return saved

    async def delete(self, campaign_id: str, actor: Actor, reason: str = "", *, expected: int) -> None:
        """Delete a draft; its events stay. Raises NotFound, Impossible for any other, Conflict on another revision."""
        async with self.book.lock(campaign_id):
            campaign = await self._expected(campaign_id, expected)
            if campaign.state is not CampaignState.DRAFT:
                raise Impossible(f"campaign {campaign_id!r} was announced; cancel it, so that everybody is told")
            before = plan_document(campaign)
            now = self._clock.now()
            deleted = event(EventType.CAMPAIGN_DELETED, campaign, actor, reason, now, before=before)
            await self.book.remove(campaign, deleted)
        self._on_change()

    async def take(
        self,
        campaign_id: str,
        what: CampaignStep,
        actor: Actor,
        reason: str = "",
        *,
        expected: int | None = None,
    ) -> Campaign:
        """Let a person's step happen: schedule, start, pause, resume or cancel. Raises NotFound or Impossible.

        When a pause or a cancellation returns, the campaign's permits are paused or revoked. expected: the revision
        that whoever decides saw; Conflict where it is another one by now.
        """
        async with self.book.lock(campaign_id):
            find = self.book.find(campaign_id) if expected is None else self._expected(campaign_id, expected)
            campaign, now = await find, self._clock.now()
            after, told = _stepped(campaign, what, actor, reason, now)
            events = [told]
            if after.state is CampaignState.SCHEDULED and after.is_due(now):
                after, due = _stepped(after, CampaignStep.BECOME_DUE, actor, reason, now)
                events.append(due)
            saved = await self.book.save(after, events)
            if what in STOPS:
                why = reason or f"campaign {campaign_id!r}: {what.value}"
                await self._permits.stop_campaign(campaign_id, STOPS[what], actor=actor, reason=why)
        self._on_change()
        return saved

    def _plan(self, document: Mapping[str, object], owner: str) -> Plan:
        try:
            return parse_plan(document, owner=owner, now=self._clock.now())
        except PlanRefused as refused:
            raise Invalid("the campaign was refused; nothing was changed", refused.problems) from refused

    def _changed(self, campaign: Campaign, plan: Plan, actor: Actor, now: datetime) -> Campaign:
        spent = self._permits.spent_by_campaign(campaign.id, now)
        try:
            return changed(campaign, plan, spent.outstanding + spent.sent_last_hour, actor, now)
        except PlanRefused as refused:
            raise Invalid("the campaign was refused; nothing was changed", refused.problems) from refused
        except StepRefused as refused:
            raise Impossible(str(refused)) from refused

    async def _expected(self, campaign_id: str, expected: int) -> Campaign:
        campaign = await self.book.find(campaign_id)
        if campaign.revision != expected:
            raise Conflict(
                f"campaign {campaign_id!r} is at revision {campaign.revision}, not {expected}; read it again, "
                "then make your change on top"
            )
        return campaign


def _stepped(
    campaign: Campaign, what: CampaignStep, actor: Actor, reason: str, now: datetime
) -> tuple[Campaign, Event]:
    try:
        return step(campaign, what, actor, reason, now=now)
    except StepRefused as refused:
        raise Impossible(str(refused)) from refused


def _difference(before: Campaign, after: Campaign, actor: Actor, reason: str, now: datetime) -> Event:
    """Return the event of a changed plan: the members that changed, as they were and as they are."""
    old, new = _shown(before), _shown(after)
    names = [name for name in old if old[name] != new[name]]
    was, became = {name: old[name] for name in names}, {name: new[name] for name in names}
    return event(EventType.CAMPAIGN_CHANGED, after, actor, reason, now, before=was, after=became)


def _shown(campaign: Campaign) -> dict[str, object]:
    announced = campaign.announced_at.isoformat() if campaign.announced_at else None
    return plan_document(campaign) | {"state": campaign.state.value, "announced_at": announced}


def _unknown_gate(fault: NotFound) -> Invalid:
    return Invalid("the campaign was refused; nothing was changed", [Problem("/gate", str(fault))])
