"""One look at one campaign in the tool that sends it, and what follows from it.

What must stop is stopped first. Then the tool says how it stands, what it sent is booked, and it is told one thing at
most, which is read back: neither its yes nor its no is believed, but what it says of itself afterwards.
"""

import asyncio
import logging
import math
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from app.core.campaign.campaign import Campaign, CampaignState
from app.core.campaign.machine import event
from app.core.event import EventType
from app.core.permit.permit import Permit
from app.core.sending.drive import Command, GiveBack, Move, Next, Wait, next_of
from app.core.sending.standing import MAY_SEND, OVER, SendingState, Standing
from app.errors import Conflict, HoldfireError
from app.ports.senders import Driven, SenderFault
from app.services.watching import NotReady, Watch, why_not_ready

if TYPE_CHECKING:
    from app.services.driving import Driver

log = logging.getLogger(__name__)

BEGINS = (Command.START, Command.RESUME)
BLIND_SECONDS = 10.0  # what runs and cannot be asked about for so long is paused
LEAST_PATIENCE_SECONDS = 2.0


class Reins:
    """One campaign of ours, and the tool's campaigns that make it."""

    def __init__(self, driver: "Driver", campaign: Campaign) -> None:
        self._driver, self._campaign = driver, campaign
        self._around, self._sender, self._abilities = driver.around, driver.sender, driver.sender.abilities
        self._watches: Sequence[Watch] = driver.watches_of(campaign)
        self._given_back = driver.given_back_of(campaign)
        self._read_now: set[str] = set()
        self._told_now: set[str] = set()
        self._began, self._was_quiet = self._around.clock.now(), driver.is_quiet_about(campaign)

    async def look(self) -> None:
        """Look, and do what follows."""
        if self._left() <= 0:
            await self._stop_what_was_seen()
        for watch in self._due():
            await self._read(watch)
        try:
            await self._book()
        finally:  # what cannot be booked is counted all the same
            await self._follow()
        self._say_how_ready()

    async def _follow(self) -> None:
        if self._counts_fewer():
            await self._distrust()
        elif self._is_blind():
            await self._go_blind()
        else:
            await self._go_on()

    async def stop(self) -> None:
        """Pause what must not send, or may have sent too much unseen: beside a look that a tool lets wait."""
        if self._left() <= 0:
            await self._stop_what_was_seen()
        await self._go_blind()

    async def rest(self) -> None:
        """Pause what was seen to send, and book what it sent."""
        for watch in self._watches:
            if watch.standing is not None and watch.may_be_sending:
                await self._tell(watch, Move(Command.PAUSE, watch.part.id, "holdfire ends, and would not see it"))
        await self._book()

    # --- what may go ---

    def _permit(self) -> Permit | None:
        """Return the permit under which may be sent now, None when nothing may."""
        campaign, wave = self._around.book.known(self._campaign.id), self._around.book.wave(self._campaign.id)
        if campaign is None or campaign.state is not CampaignState.RELEASING or wave is None or wave.ended_at:
            return None
        live = (each for each in self._around.permits.of_campaign(campaign.id) if each.id == wave.permit_id)
        permit = next(live, None)
        return None if permit is None or self._around.permits.must_stop(permit) else permit

    def _left(self) -> int:
        permit = self._permit()
        return 0 if permit is None else max(0, permit.allowed - permit.sent - max(0, self._unbooked()))

    def _unbooked(self) -> int:
        """Return how many more the tool counts than are booked; below 0: it counts fewer."""
        now = self._around.clock.now()
        counted = sum(watch.as_part(watch.standing, now).sent for watch in self._watches if watch.standing is not None)
        return counted - self._around.permits.spent_by_campaign(self._campaign.id, now).sent_last_hour

    def _why_stop(self) -> str:
        known = self._around.book.known(self._campaign.id) or self._campaign
        if known.state is not CampaignState.RELEASING:
            return known.reason or f"its campaign is {known.state.replace('_', ' ')}"
        return "no permit allows more"

    def _is_blind(self) -> bool:
        return any(watch.is_blind or watch.standing is None for watch in self._watches)

    def _counts_fewer(self) -> bool:
        """Whether the tool, which has more to send, counts fewer than it did: nobody knows then what it sends."""
        standings = [watch.standing for watch in self._watches if watch.standing is not None]
        is_whole = self._abilities.can_pause and len(standings) == len(self._watches)
        return is_whole and self._unbooked() < 0 and any(each.state not in OVER for each in standings)

    def _look_seconds(self) -> float:
        """Return until when the next look is over: one that takes long comes late, and so does what it finds."""
        return self._driver.look_seconds + 2 * abs((self._around.clock.now() - self._began).total_seconds())

    def _patience(self, watch: Watch) -> float | None:
        """Return for how many seconds to wait for an answer: while what may go meanwhile fits; None: for any."""
        left = self._left()
        if not self._abilities.can_pause or watch.standing is None or watch.read_at is None or left <= 0:
            return None
        if watch.told is Command.PAUSE or not watch.may_be_sending:
            return None
        age = abs((self._around.clock.now() - watch.read_at).total_seconds())
        fast = max(self._abilities.per_second, watch.standing.per_second or 0.0)
        if fast <= 0:
            return None
        fits = left / fast - age - self._abilities.lag_seconds - self._driver.look_seconds
        return max(LEAST_PATIENCE_SECONDS, fits)

    # --- what follows ---

    async def _stop_what_was_seen(self) -> None:
        """Pause what was seen sending before anything is asked: that may take long."""
        for watch in self._watches:
            if self._abilities.can_pause and watch.standing is not None and watch.may_be_sending:
                await self._tell(watch, Move(Command.PAUSE, watch.part.id, self._why_stop()))

    async def _go_on(self) -> None:
        """Do what the rules say of a tool whose every campaign is known."""
        self._give_up_late()
        step, permit = self._next(), self._permit()
        if isinstance(step, Move):
            while isinstance(step, Move) and await self._move(step):
                step = self._next()
        elif isinstance(step, GiveBack) and permit is not None:
            await self._give_back(permit, step)
        elif isinstance(step, Wait) and step.is_trouble:
            await self._in_trouble(self._watches, step.why)

    def _next(self) -> Next:
        """Return what to do next. What was told something in this look already comes last, and then nothing begins."""
        now = self._around.clock.now()
        begins = bool(self._told_now) or any(watch.told in BEGINS for watch in self._watches)
        watches = sorted(self._watches, key=lambda watch: watch.part.id in self._told_now)
        return next_of(
            [watch.as_part(watch.standing, now) for watch in watches if watch.standing is not None],
            self._abilities,
            left=self._left(),
            look_seconds=self._look_seconds(),
            may_begin=not begins and self._unbooked() <= 0 and not any(watch.backs_off(now) for watch in watches),
        )

    async def _move(self, move: Move) -> bool:
        """Do what is to be done; return whether more may have to be paused."""
        watch = next(each for each in self._watches if each.part.id == move.part)
        is_told_already = move.command is Command.PAUSE and watch.part.id in self._told_now
        begins_without = move.command is not Command.PAUSE and self._permit() is None
        if is_told_already or begins_without:  # the floor may have changed while the tool was asked
            return False
        await self._tell(watch, move)
        await self._book()
        return move.command is Command.PAUSE

    async def _distrust(self) -> None:
        """Pause what may be sending, and begin nothing, while the tool counts fewer than it did."""
        fewer = f"it counts fewer than were sent ({-self._unbooked():,} fewer are counted in {self._campaign.id!r})"
        self._driver.failed(self._campaign, SenderFault(fewer))
        for watch in self._watches:
            watch.is_blind = True
            if watch.may_be_sending and watch.part.id not in self._told_now:
                await self._tell(watch, Move(Command.PAUSE, watch.part.id, fewer))
                watch.is_blind = True

    async def _go_blind(self) -> None:
        """Pause what may be sending and cannot be seen: at once where nothing may go, else before too much is gone."""
        left, now = self._left(), self._around.clock.now()
        for watch in self._watches:
            if not self._abilities.can_pause or not watch.may_be_sending or watch.part.id in self._told_now:
                continue
            never_begun = self._around.book.wave(self._campaign.id) is None
            if watch.standing is None and (never_begun or self._was_quiet):
                continue  # nobody saw it send: what nobody let begin is left alone, and the rest is not hammered
            unseen = math.inf if watch.read_at is None else abs((now - watch.read_at).total_seconds())
            told = watch.standing.per_second if watch.standing is not None else None
            fast = max(self._abilities.per_second, told or 0.0)
            gone = fast * (unseen + self._abilities.lag_seconds + self._driver.look_seconds)
            if left <= 0 or unseen >= BLIND_SECONDS or gone >= left:
                why = "it cannot be asked how it stands" if left > 0 else self._why_stop()
                await self._tell(watch, Move(Command.PAUSE, watch.part.id, why))

    def _give_up_late(self) -> None:
        """Count commands to begin that nothing came of, and let some time pass before the next."""
        now = self._around.clock.now()
        for watch in self._watches:
            if watch.told in BEGINS and watch.is_late(self._abilities.takes_seconds, now):
                watch.back_off(now)
                log.warning("sender_did_not_begin", extra={"sender": self._driver.name, "campaign": self._campaign.id})

    async def _give_back(self, permit: Permit, step: GiveBack) -> None:
        if permit.sent == 0:
            why = f"{step.why}; {step.remedy}" if step.remedy else step.why
            self._given_back.once_more(why, self._around.clock.now())
        try:
            await self._around.permits.release(permit.id, self._driver.actor, step.why)
        except Conflict:
            log.debug("permit_gone", extra={"permit": permit.id})

    # --- asking ---

    def _due(self) -> Sequence[Watch]:
        """Return what is to be asked about now: all while something goes or soon may, else each now and then."""
        if self._driver.is_quiet_about(self._campaign):
            for watch in self._watches:
                watch.is_blind = True
            return ()
        now, final = self._around.clock.now(), timedelta(seconds=self._abilities.lag_seconds)
        is_near = self._campaign.state is CampaignState.RELEASING
        unread = [watch for watch in self._watches if watch.part.id not in self._read_now]
        return [watch for watch in unread if watch.is_due(now, final, is_near=is_near)]

    async def _read(self, watch: Watch) -> None:
        """Ask how one stands; what cannot be known is blind, which begins nothing and stops what was seen to go."""
        self._read_now.add(watch.part.id)
        try:
            async with asyncio.timeout(self._patience(watch)):
                standing = await self._sender.status(watch.part.id)
        except (SenderFault, TimeoutError) as fault:
            watch.is_blind = True
            self._driver.failed(
                self._campaign, fault if isinstance(fault, SenderFault) else SenderFault("it took too long to answer")
            )
            return
        except Exception as fault:  # whatever it is, nobody knows how the tool stands
            watch.is_blind = True
            log.exception("sender_failed", extra={"sender": self._driver.name, "campaign": self._campaign.id})
            self._driver.failed(
                self._campaign, SenderFault(f"it could not be asked for a fault of ours ({type(fault).__name__})")
            )
            return
        before, told = watch.standing, watch.told
        watch.saw(standing, self._around.clock.now())
        if told in BEGINS and watch.told is None:
            watch.begun()
            self._given_back.begun()
        if standing.state is SendingState.FINISHED and before is not None and before.state is not standing.state:
            await self._tell_of(EventType.SENDER_FINISHED, watch, "it has nobody left to send to")
        self._note(watch, standing)

    def _note(self, watch: Watch, standing: Standing) -> None:
        part = watch.as_part(standing, self._around.clock.now())
        driven = Driven(
            campaign=self._campaign.id,
            tool_campaign=watch.part.id,
            state=standing.state,
            sent=part.sent,
            target=part.size,
            read_at=self._around.clock.now(),
            trouble=watch.trouble,
        )
        self._driver.answered(driven)

    # --- telling ---

    async def _tell(self, watch: Watch, move: Move) -> None:
        """Tell the tool, and read back whether it did."""
        was_going = watch.standing is not None and (watch.standing.state in MAY_SEND or watch.told is move.command)
        watch.commanded(move.command, self._around.clock.now())
        self._told_now.add(watch.part.id)
        self._around.senders.told(self._driver.name)
        said = await self._say(watch, move.command)
        if move.command in BEGINS and watch.told is not move.command:  # stopped meanwhile, and may begin all the same
            watch.commanded(move.command, self._around.clock.now())
        await self._read(watch)
        if watch.told is None:
            if move.command is not Command.PAUSE:
                await self._tell_of(EventType.SENDER_STARTED, watch, move.why)
            elif was_going:
                await self._tell_of(EventType.SENDER_PAUSED, watch, move.why)
        elif move.command is Command.PAUSE:
            if watch.is_late(self._abilities.takes_seconds, self._around.clock.now()) or said:
                await self._in_trouble([watch], said or "it goes on though it was told to pause")
        elif watch.standing is not None and watch.standing.state is SendingState.SCHEDULED:
            watch.back_off(self._around.clock.now())
            why = "it set a time to begin by itself when it was told to begin; take the date away in the tool"
            await self._tell_of(EventType.SENDER_MISMATCH, watch, why)

    async def _say(self, watch: Watch, command: Command) -> str:
        """Send a command; return what went wrong, "" for nothing: it may have been done all the same."""
        tell = {Command.START: self._sender.start, Command.RESUME: self._sender.resume}
        try:
            await tell.get(command, self._sender.pause)(watch.part.id)
        except SenderFault as fault:
            self._driver.failed(self._campaign, fault)
            return str(fault)
        except Exception as fault:  # whatever it is, it must not keep another from being stopped
            log.exception("sender_failed", extra={"sender": self._driver.name, "campaign": self._campaign.id})
            return f"it could not be told for a fault of ours ({type(fault).__name__})"
        return ""

    # --- booking ---

    async def _book(self) -> None:
        """Book what the tool counts beyond what is booked, on the permit of the last wave, ended or not."""
        wave = self._around.book.wave(self._campaign.id)
        if self._unbooked() > 0 and wave is not None:
            permit = await self._around.permits.find(wave.permit_id)
            await self._around.permits.report(permit.id, permit.sent + max(0, self._unbooked()), self._driver.actor)

    # --- saying ---

    async def _in_trouble(self, watches: Sequence[Watch], why: str) -> None:
        """Say loudly, once per trouble, that a tool sends and is not stopped."""
        for watch in watches:
            if watch.may_be_sending and watch.standing is not None and watch.trouble is None:
                watch.trouble = why
                extra = {"sender": self._driver.name, "campaign": self._campaign.id, "error": why}
                log.error("sender_not_paused", extra=extra)
                await self._tell_of(EventType.SENDER_NOT_PAUSED, watch, why)
                self._around.senders.troubled(self._driver.name, watch.part.id, why)

    async def _tell_of(self, kind: EventType, watch: Watch, why: str) -> None:
        standing = watch.standing
        after: dict[str, object] = {
            "sender": self._driver.name,
            "tool_campaign": watch.part.id,
            "state": None if standing is None else standing.state.value,
            "sent": None if standing is None else standing.sent,
            "target": None if standing is None else standing.target,
        }
        told = event(kind, self._campaign, self._driver.actor, why, self._around.clock.now(), after=after)
        try:
            await self._around.events.append([told])
        except (HoldfireError, OSError) as fault:  # what cannot be told must not keep a tool from being stopped
            log.warning("sender_not_told_of", extra={"sender": self._driver.name, "type": kind, "error": str(fault)})

    def _say_how_ready(self) -> None:
        """Say whether a wave may open."""
        now, final = self._around.clock.now(), timedelta(seconds=self._abilities.lag_seconds)
        why = why_not_ready(self._watches, now, final)
        is_done = why is NotReady.NOBODY_LEFT and self._around.book.wave(self._campaign.id) is not None
        said = None if why is None else f"sender {self._driver.name!r} {why.value}"
        if why is NotReady.NOBODY_LEFT and not is_done:
            said = f"{said}, before anything was let go from here"
        rests = self._given_back.why_not_ready(now) if why is None else None
        if rests is not None:
            said = f"sender {self._driver.name!r} {rests}"
        self._around.senders.looked(self._campaign, why_not=said, is_done=is_done, gives_back=rests is not None)
