"""Drives email tools: begins, watches and pauses their campaigns so that they keep to the permits of ours.

Nothing of it needs to be kept: what was sent is booked on permits as totals, and how a tool stands it says itself. So
the first look after a crash finds what runs, and goes on with it where a permit lets it, or pauses it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.campaign.campaign import ENDED, Campaign, CampaignState
from app.core.event import Actor
from app.errors import HoldfireError
from app.ports.clock import Clock
from app.ports.events import EventLog
from app.ports.permits import PermitChange
from app.ports.senders import Driven, Sender, SenderBusy, SenderFault, SenderRefused
from app.services.campaign_book import CampaignBook
from app.services.permits import Permits
from app.services.reins import Reins
from app.services.senders import Senders
from app.services.watching import GivenBack, Watch

log = logging.getLogger(__name__)

LONGEST_QUIET_SECONDS = 300.0
REFUSED_QUIET_SECONDS = 60.0  # an account that is tried too often with a wrong password gets locked
FAILING_QUIET_SECONDS = 30.0
LAST_LOOK_SECONDS = 2.0  # for what was under way when holdfire ends: a command that is cut off may be done or not
FAILURES_AT_ONCE = 5  # before the pauses between questions grow


@dataclass(frozen=True, slots=True)
class Driving:
    """What every driver works with, and what makes them."""

    book: CampaignBook
    permits: Permits
    events: EventLog
    senders: Senders
    clock: Clock

    def driver(self, name: str, kind: str, sender: Sender, look_seconds: float) -> "Driver":
        """Return what drives one sender, which is known from now on. look_seconds: between two looks at most."""
        self.senders.employ(name, kind, can_pause=sender.abilities.can_pause)
        driver = Driver(self, name, sender, look_seconds)
        self.permits.subscribe(driver.permits_changed)
        return driver


class Driver:
    """Drives one sender."""

    def __init__(self, around: Driving, name: str, sender: Sender, look_seconds: float) -> None:
        self.around, self.name, self.sender, self.look_seconds = around, name, sender, look_seconds
        self.actor = Actor(f"sender/{name}", name)
        self._watches: dict[str, Watch] = {}
        self._given_back: dict[str, GivenBack] = {}
        self._quiet_until: datetime | None = None
        self._refused_until: dict[str, datetime] = {}
        self._failures = 0
        self._woken = asyncio.Event()
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._stops: dict[str, asyncio.Task[None]] = {}

    async def look(self, seconds: float | None = None) -> None:
        """Look once at every campaign of this sender, and do what follows. What goes wrong with one is logged.

        Returns after so many seconds at the latest: one that a tool lets wait must not keep others from being stopped.
        A look that lasts longer goes on, and no other at its campaign begins before it has ended; but what must stop
        meanwhile is stopped.
        """
        self._woken.clear()
        campaigns = self._campaigns()
        if not campaigns:
            self.around.senders.idle(self.name)
        named = {part.id for each in campaigns if each.sender for part in each.sender.campaigns}
        self._watches = {name: watch for name, watch in self._watches.items() if name in named}
        ids = {each.id for each in campaigns}
        self.around.senders.keep(self.name, {each.id for each in self._handed()})
        self._refused_until = {name: until for name, until in self._refused_until.items() if name in ids}
        self._given_back = {name: given for name, given in self._given_back.items() if name in ids}
        self._looks, self._stops = _undone(self._looks), _undone(self._stops)
        for campaign in campaigns:
            if campaign.id not in self._looks:
                self._looks[campaign.id] = asyncio.create_task(self._looked(campaign))
            elif campaign.id not in self._stops:
                self._stops[campaign.id] = asyncio.create_task(self._stopped(campaign))
        if tasks := [*self._looks.values(), *self._stops.values()]:
            await asyncio.wait(tasks, timeout=seconds)

    async def woken(self) -> None:
        """Return when a permit of one of its campaigns has changed since the last look began."""
        await self._woken.wait()

    async def rest(self) -> None:
        """Pause what runs: nobody will look at it for a while. Permits stay, and it goes on after the next start."""
        looks, self._looks, self._stops = [*self._looks.values(), *self._stops.values()], {}, {}
        if looks:
            await asyncio.wait(looks, timeout=LAST_LOOK_SECONDS)
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)
        if self.sender.abilities.can_pause:
            await asyncio.gather(*(self._rested(campaign) for campaign in self._campaigns()))

    def permits_changed(self, changes: Sequence[PermitChange]) -> None:
        """Look soon when a permit of a campaign of this sender is new or stands otherwise: it may have to stop.

        What was sent under it is no reason: who looks books that, and would look on and on.
        """
        changed = {each.after.campaign for each in changes if not each.before or each.before.state != each.after.state}
        known = (self.around.book.known(campaign_id) for campaign_id in changed if campaign_id is not None)
        if any(campaign is not None and self._is_mine(campaign) for campaign in known):
            self._woken.set()

    # --- what its reins ask ---

    def watches_of(self, campaign: Campaign) -> Sequence[Watch]:
        """Return what is remembered of each of the tool's campaigns that make one of ours."""
        parts = campaign.sender.campaigns if campaign.sender else ()
        for part in parts:
            known = self._watches.get(part.id)
            if known is None or known.part != part:
                self._watches[part.id] = Watch(part, self.around.clock.now())
        return [self._watches[part.id] for part in parts]

    def given_back_of(self, campaign: Campaign) -> GivenBack:
        """Return what is remembered of a campaign's waves that were given back: nothing once its plan has changed."""
        known = self._given_back.get(campaign.id)
        if known is None or known.release != campaign.release:
            known = self._given_back[campaign.id] = GivenBack(campaign.release)
        return known

    def failed(self, campaign: Campaign, fault: SenderFault) -> None:
        """Note that the tool could not be asked or told, and ask less often; what must stop is told so all the same.

        A tool that refuses may do so for one campaign: only about that one it is asked less often.
        """
        self.around.senders.failed(self.name, str(fault))
        if isinstance(fault, SenderRefused):
            self._refused_until[campaign.id] = self.around.clock.now() + timedelta(seconds=REFUSED_QUIET_SECONDS)
            return
        self._failures += 1
        seconds = self._quiet_seconds(fault)
        self._quiet_until = self.around.clock.now() + timedelta(seconds=seconds) if seconds else None

    def answered(self, driven: Driven) -> None:
        """Note that the tool said how one of its campaigns stands."""
        self.around.senders.answered(self.name, driven)
        self._failures, self._quiet_until = 0, None

    def is_quiet_about(self, campaign: Campaign) -> bool:
        """Tell whether nothing is to be asked about a campaign now."""
        now = self.around.clock.now()
        return any(
            until is not None and now < until for until in (self._quiet_until, self._refused_until.get(campaign.id))
        )

    # --- its own ---

    def _quiet_seconds(self, fault: SenderFault) -> float:
        """Return for how long to ask nothing after a fault."""
        if isinstance(fault, SenderBusy):
            return min(LONGEST_QUIET_SECONDS, max(self.look_seconds, fault.retry_after_seconds))
        growing = self._failures - FAILURES_AT_ONCE
        return min(FAILING_QUIET_SECONDS, self.look_seconds * 2.0 ** min(growing, 10)) if growing > 0 else 0.0

    async def _looked(self, campaign: Campaign) -> None:
        await self._done(campaign, "sender_not_driven", Reins(self, campaign).look())

    async def _stopped(self, campaign: Campaign) -> None:
        await self._done(campaign, "sender_not_stopped", Reins(self, campaign).stop())

    async def _rested(self, campaign: Campaign) -> None:
        await self._done(campaign, "sender_not_rested", Reins(self, campaign).rest())

    async def _done(self, campaign: Campaign, otherwise: str, work: Awaitable[None]) -> None:
        try:
            await work
        except (HoldfireError, OSError) as fault:
            log.warning(otherwise, extra={"sender": self.name, "campaign": campaign.id, "error": str(fault)})
        except Exception:  # a fault in one campaign must not keep another from being stopped
            log.exception("sender_failed", extra={"sender": self.name, "campaign": campaign.id})

    def _campaigns(self) -> Sequence[Campaign]:
        """Return the campaigns handed to this sender. What two of them name in the tool is driven for one only.

        Those that are going come before those that ended, which are looked at for a day; those that have begun before
        others, which may come to name the same later; and older before younger.
        """
        owners: dict[str, str] = {}
        driven = []
        for campaign in sorted(self._handed(), key=self._rank):
            ids = [part.id for part in campaign.sender.campaigns] if campaign.sender else []
            if other := next((owners[each] for each in ids if each in owners), None):
                why = f"campaign {other!r} is sent by the same campaign of sender {self.name!r}"
                self.around.senders.looked(campaign, why_not=why)
            else:
                owners |= dict.fromkeys(ids, campaign.id)
                driven.append(campaign)
        return driven

    def _rank(self, campaign: Campaign) -> tuple[bool, bool, datetime]:
        return campaign.state in ENDED, self.around.book.wave(campaign.id) is None, campaign.created_at

    def _handed(self) -> Sequence[Campaign]:
        known = (self.around.book.known(campaign_id) for campaign_id in self.around.book.ids())
        return [each for each in known if each is not None and self._is_mine(each)]

    def _is_mine(self, campaign: Campaign) -> bool:
        if campaign.sender is None or campaign.sender.sender != self.name:
            return False
        return campaign.state is not CampaignState.DRAFT


def _undone(tasks: Mapping[str, asyncio.Task[None]]) -> dict[str, asyncio.Task[None]]:
    return {name: task for name, task in tasks.items() if not task.done()}
