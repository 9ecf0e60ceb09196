"""Releases: campaigns whose time has come are let go wave by wave, each wave under its own permit.

After each publication of the evaluator every campaign is looked at once, and moves by what it finds: the clock, the
gate, its permits. What it did is written down before it counts, so that a release that was cut short anywhere goes on
where it stood; a wave whose permit was given but not written down is found by that permit, and opened no second time.

In doubt it waits for the next look. Only a gate that says go, seen from memory and again inside the transaction that
gives the permit, opens a wave.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from app.core.campaign.campaign import ENDED, PAUSED_BY_GATE, Campaign, CampaignState, ReleaseMode
from app.core.campaign.machine import CampaignStep, event, step
from app.core.campaign.pace import Outcome, judge, next_wave
from app.core.event import HOLDFIRE, Event, EventType
from app.core.permit.permit import Permit, PermitState, PermitStep
from app.errors import HoldfireError
from app.ports.campaigns import Wave
from app.ports.clock import Clock
from app.services.answering import Answering
from app.services.campaign_book import CampaignBook
from app.services.permits import Permits
from app.services.published import Published
from app.services.release_looks import Stand, look_for
from app.services.senders import Senders

log = logging.getLogger(__name__)

WAVE_TTL_SECONDS = 3_600
GOING = frozenset({CampaignState.WAITING, CampaignState.RELEASING, CampaignState.PAUSED})


class Releases:
    """Moves every campaign on. on_change runs after something was moved. senders: whether driven tools are ready."""

    def __init__(
        self,
        book: CampaignBook,
        permits: Permits,
        answering: Answering,
        clock: Clock,
        on_change: Callable[[], None] = lambda: None,
        *,
        senders: Senders | None = None,
    ) -> None:
        self._book, self._permits, self._answering, self._clock = book, permits, answering, clock
        self._on_change, self._senders = on_change, senders or Senders(clock)
        self._since = clock.now()  # permits of an earlier run were counted then, or are not: the pace only stays slower
        self._taken: dict[str, datetime] = {}  # when a tool took the last permit that its campaign's pace has counted

    async def run(
        self, stop: asyncio.Event, subscribe: Callable[[Callable[[Published], None]], Callable[[], None]]
    ) -> None:
        """Advance after each publication, until `stop` is set. Publications that come meanwhile count as one.

        Permits are read anew before the first: another process may have given one for a wave, and be gone since.
        """
        published, is_current = asyncio.Event(), False
        unsubscribe = subscribe(lambda _: published.set())
        try:
            while not stop.is_set():
                waits = [asyncio.ensure_future(published.wait()), asyncio.ensure_future(stop.wait())]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for wait in waits:
                    wait.cancel()
                published.clear()
                if not stop.is_set():
                    is_current = is_current or await self._read_permits()
                    if is_current:
                        await self.advance()
        finally:
            unsubscribe()

    async def _read_permits(self) -> bool:
        """Read anew what was given, and return whether that could be done."""
        try:
            await self._permits.reload()
        except (HoldfireError, OSError) as fault:
            log.warning("permits_not_read", extra={"error": str(fault)})
            return False
        return True

    async def advance(self) -> None:
        """Move every campaign as far as it can go now. What goes wrong with one is logged and tried again."""
        self._book.forget(self._clock.now())
        moved = False
        for campaign_id in self._book.ids():
            try:
                async with self._book.lock(campaign_id):
                    moved = await self._advance(campaign_id) or moved
            except (HoldfireError, OSError) as fault:
                log.warning("release_not_advanced", extra={"campaign": campaign_id, "error": str(fault)})
            except Exception:
                log.exception("release_failed", extra={"campaign": campaign_id})
        if moved:
            self._on_change()

    async def _advance(self, campaign_id: str) -> bool:
        """Move one campaign; return whether anything was written down."""
        before = self._book.known(campaign_id), self._book.wave(campaign_id)
        campaign = before[0]
        if campaign is None or campaign.state is CampaignState.DRAFT:
            return False
        await self._release(campaign)
        return before != (self._book.known(campaign_id), self._book.wave(campaign_id))

    async def _release(self, campaign: Campaign) -> None:
        now = self._clock.now()
        await self._adopt(campaign)
        if campaign.state not in ENDED:
            campaign = await self._by_the_clock(campaign, now)
        if _must_rest(campaign):
            await self._stop(campaign)
        elif campaign.state in GOING:
            campaign = await self._by_the_gate(campaign)
        wave = await self._follow_wave(campaign, now)
        if campaign.state in GOING and wave is None and self._is_sent(campaign, now):
            await self._step(campaign, CampaignStep.FINISH, "everybody was sent to")
        elif campaign.state in GOING and wave is None and self._senders.is_done(campaign):
            await self._step(campaign, CampaignStep.FINISH, self._nobody_left(campaign, now))
        elif campaign.state is CampaignState.RELEASING and wave is None:
            if campaign.release.mode is ReleaseMode.BY_TOOL:
                await self._count_taken(campaign)
            else:
                await self._open(campaign, now)

    # --- what moves a campaign ---

    async def _by_the_clock(self, campaign: Campaign, now: datetime) -> Campaign:
        """Return the campaign after its deadline, or its start, has come."""
        if campaign.is_overdue(now):
            sent = self._permits.spent_by_campaign(campaign.id, now).sent_last_hour
            why = f"its deadline is over; {sent:,} of {campaign.recipients:,} were sent"
            return await self._step(campaign, CampaignStep.GIVE_UP, why)
        if campaign.state is CampaignState.SCHEDULED and campaign.is_due(now):
            return await self._step(campaign, CampaignStep.BECOME_DUE, "its time has come")
        return campaign

    async def _by_the_gate(self, campaign: Campaign) -> Campaign:
        """Return the campaign released or held as the gate says; its pace remembers trouble before anything else."""
        if campaign.awaits_start:
            return campaign
        look = look_for(self._answering, campaign)
        if look.stand is Stand.HELD:
            await self._judge(campaign, Outcome.HELD)
        if look.stand is Stand.UNKNOWN and campaign.started_at is not None:
            await self._judge(campaign, Outcome.BAD)
        if look.stand is Stand.GO:
            if campaign.state is not CampaignState.RELEASING and not self._awaits_tool(campaign):
                return await self._step(campaign, CampaignStep.RELEASE, look.why or "its gate lets it go")
        elif look.stand is not Stand.NOT_YET and campaign.state is CampaignState.RELEASING:
            return await self._step(campaign, CampaignStep.HOLD, look.why)
        return campaign

    async def _stop(self, campaign: Campaign) -> None:
        """Stop what the permits of a paused or ended campaign may still send; mostly that was done at once."""
        what = PermitStep.REVOKE if campaign.state in ENDED else PermitStep.PAUSE
        live = self._permits.of_campaign(campaign.id)
        if any(what is PermitStep.REVOKE or permit.state is PermitState.ACTIVE for permit in live):
            stands = campaign.state.replace("_", " ")
            why = f"campaign {campaign.id!r} is {stands}"
            await self._permits.stop_campaign(campaign.id, what, actor=HOLDFIRE, reason=why)

    async def _step(self, campaign: Campaign, what: CampaignStep, why: str) -> Campaign:
        after, told = step(campaign, what, HOLDFIRE, why, now=self._clock.now())
        saved = await self._book.save(after, [told])
        if saved.state in ENDED:
            await self._stop(saved)
        return saved

    async def _judge(self, campaign: Campaign, outcome: Outcome) -> None:
        await self._book.keep_pace(campaign.id, judge(self._book.pace(campaign.id), outcome))

    def _awaits_tool(self, campaign: Campaign) -> bool:
        """Tell whether its email tool, which asks for the permits itself, has not asked for any yet."""
        by_tool = campaign.release.mode is ReleaseMode.BY_TOOL and campaign.state is CampaignState.WAITING
        sent = self._permits.spent_by_campaign(campaign.id, self._clock.now()).sent_last_hour
        return by_tool and not sent and not self._permits.of_campaign(campaign.id)

    def _is_sent(self, campaign: Campaign, now: datetime) -> bool:
        spent = self._permits.spent_by_campaign(campaign.id, now)
        return spent.outstanding == 0 and spent.sent_last_hour >= campaign.recipients

    def _nobody_left(self, campaign: Campaign, now: datetime) -> str:
        sent = self._permits.spent_by_campaign(campaign.id, now).sent_last_hour
        return f"its sender has nobody left to send to; {sent:,} of {campaign.recipients:,} were sent"

    # --- waves ---

    async def _adopt(self, campaign: Campaign) -> None:
        """Write down the wave of a permit that was given just before a crash; take it back where it must not go now."""
        last = self._book.wave(campaign.id)
        number = last.number if last else 0
        for permit in self._permits.of_campaign(campaign.id):
            if permit.wave is not None and permit.wave > number:
                if campaign.state is CampaignState.RELEASING and not self._permits.must_stop(permit):
                    await self._write_down(campaign, permit)
                else:
                    why = "its wave was never opened, and must not be any more"
                    await self._permits.end(permit.id, PermitStep.REVOKE, actor=HOLDFIRE, reason=why)
                return

    async def _follow_wave(self, campaign: Campaign, now: datetime) -> Wave | None:
        """Return the open wave with what was sent of it; None when there is none, or it is over now."""
        wave = self._book.wave(campaign.id)
        if wave is None or wave.ended_at is not None:
            return None
        permit = await self._permit(campaign, wave.permit_id)
        wave = replace(wave, sent=permit.sent)
        if permit.state is PermitState.ACTIVE and campaign.state is CampaignState.RELEASING:
            if wave != self._book.wave(campaign.id):
                await self._book.save_wave(wave)
            return wave
        if permit.state is PermitState.ACTIVE:  # the gate went on before it was told to stop; the campaign did not
            permit = await self._permits.end(
                permit.id, PermitStep.PAUSE, actor=HOLDFIRE, reason=campaign.reason or "its campaign was stopped"
            )
        ending = permit.state
        if ending is PermitState.PAUSED and campaign.state is CampaignState.RELEASING:
            await self._judge(campaign, Outcome.HELD)
        over = replace(wave, ended_at=now, ending=ending.value)
        await self._book.save_wave(over, _wave_event(EventType.WAVE_COMPLETED, campaign, over, now, permit.reason))
        return None

    async def _permit(self, campaign: Campaign, permit_id: str) -> Permit:
        live = (permit for permit in self._permits.of_campaign(campaign.id) if permit.id == permit_id)
        return next(live, None) or await self._permits.find(permit_id)

    async def _open(self, campaign: Campaign, now: datetime) -> None:
        """Open the next wave when it is time for it and the gate gives a permit."""
        last, better = self._book.wave(campaign.id), judge(self._book.pace(campaign.id), Outcome.GOOD)
        earliest = self._book.next_wave_at(campaign)
        if earliest is not None and now < earliest:
            return
        if self._senders.why_not(campaign) is not None:
            return
        if last is not None:
            await self._take_back(campaign, last)
        spent = self._permits.spent_by_campaign(campaign.id, now)
        left = campaign.recipients - spent.sent_last_hour - spent.outstanding
        if left <= 0:
            return
        given = await self._permits.take_for_campaign(
            campaign.id,
            campaign.gate,
            next_wave(better, campaign.full_wave, left),
            WAVE_TTL_SECONDS,
            last.number + 1 if last else 1,
        )
        if isinstance(given, Permit):
            await self._write_down(campaign, given)

    async def _count_taken(self, campaign: Campaign) -> None:
        """Count a permit that the tool took as a good look at the gate: the next one may be for more."""
        taken = max((permit.granted_at for permit in self._permits.of_campaign(campaign.id)), default=self._since)
        if taken > self._taken.get(campaign.id, self._since):
            self._taken[campaign.id] = taken
            await self._judge(campaign, Outcome.GOOD)

    async def _take_back(self, campaign: Campaign, last: Wave) -> None:
        """Revoke what former waves left live, so that nobody sends two at once, and note what they sent at last."""
        for permit in self._permits.of_campaign(campaign.id):
            if permit.wave is not None:
                why = "its wave is over; the next one opens"
                await self._permits.end(permit.id, PermitStep.REVOKE, actor=HOLDFIRE, reason=why)
        sent = (await self._permit(campaign, last.permit_id)).sent
        if sent != last.sent:
            await self._book.save_wave(replace(last, sent=sent))

    async def _write_down(self, campaign: Campaign, permit: Permit) -> None:
        """Write down the wave that a permit opens, and that the gate was good when it did."""
        pace = self._book.pace(campaign.id)
        wave = Wave(
            campaign=campaign.id,
            number=permit.wave or 1,
            permit_id=permit.id,
            allowed=permit.allowed,
            opened_at=permit.granted_at,
            is_probe=pace.is_probing,
            sent=permit.sent,
        )
        await self._book.open_wave(wave, _wave_event(EventType.WAVE_OPENED, campaign, wave, self._clock.now()))
        await self._book.keep_pace(campaign.id, judge(pace, Outcome.GOOD))


def _must_rest(campaign: Campaign) -> bool:
    """Tell whether a person paused it, or it has ended: nothing of it may be sent."""
    return campaign.state in ENDED or (campaign.state is CampaignState.PAUSED and campaign.paused_by != PAUSED_BY_GATE)


def _wave_event(kind: EventType, campaign: Campaign, wave: Wave, now: datetime, why: str = "") -> Event:
    after: dict[str, object] = {
        "wave": wave.number,
        "permit_id": wave.permit_id,
        "allow": wave.allowed,
        "is_probe": wave.is_probe,
        "sent": wave.sent,
    }
    if wave.ended_at is not None:
        after["ending"] = wave.ending
    return event(kind, campaign, HOLDFIRE, why, now, after=after)
