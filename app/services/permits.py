"""Permits: headroom given away one ask at a time, and taken back.

A grant is one transaction on the store's writer thread, where the gate is looked at again with the sums as they are
then. Whether a sender must stop is never read from there: it follows from how its gate stands in memory now.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from app.core.event import Actor
from app.core.gate.answer import Answered
from app.core.permit import steps
from app.core.permit.permit import Permit, PermitState, PermitStep, Spent
from app.core.permit.request import DEFAULT_TTL_SECONDS, PermitRequest
from app.errors import Conflict
from app.ports.clock import Clock
from app.ports.keys import ApiKey
from app.ports.permits import Granted, Held, PermitChange, PermitStore
from app.services.answering import Answering, Looked
from app.services.asks import Asks
from app.services.permit_answers import PermitAnswer
from app.services.permit_keeping import PermitKeeper
from app.services.permit_standing import look_past_caps, look_to_go_on, why_stop
from app.services.permit_sums import KEPT, PermitSums
from app.services.permit_taking import PermitTaker
from app.services.published import Published
from app.services.reply import is_go


class _ShutError(Exception):
    """The gate lets nothing go now; looked is what was seen."""

    def __init__(self, looked: Looked) -> None:
        super().__init__()
        self.looked = looked


class Permits:
    """Grants, changes and ends permits. on_change runs after a change is durable.

    Whatever the interleaving, faults and repeats: what is granted never exceeds the headroom, nor what a campaign is
    granted its audience; no permit is given while the gate does not say go. A gate in shadow mode limits nobody.
    """

    def __init__(
        self,
        store: PermitStore,
        answering: Answering,
        asks: Asks,
        clock: Clock,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._answering, self._clock, self._on_change = store, answering, clock, on_change
        self._sums = PermitSums(Held((), ()))
        self._taker = PermitTaker(store, lambda: self._sums, answering, asks, clock=clock, on_change=on_change)
        self._keeper = PermitKeeper(store, lambda: self._sums, answering, clock=clock, on_change=on_change)
        store.subscribe(self._take_in)

    # --- life ---

    async def load(self) -> None:
        """Read what every gate has given away. To be called once, before anything is asked.

        More than the last hour is read: the clock may be ahead, and be set right while this process lives.
        """
        self._sums = PermitSums(await self._store.held(self._clock.now() - KEPT))

    async def reload(self) -> None:
        """Read it anew: another process has given or taken back. Commits of this one are neither lost nor doubled."""

        def stand_anew(held: Held, sent: Mapping[str, Spent]) -> None:
            self._sums = PermitSums(held)
            self._sums.watch(sent)

        await self._store.recount(self._clock.now() - KEPT, self._sums.watched(), stand_anew)
        self._on_change()

    def gate_changed(self, published: Published | None = None) -> None:
        """Begin to pause the active permits whose gate, or campaign, lets nothing go now. For Evaluator.subscribe."""
        self._keeper.gate_changed(published)

    async def follow(self) -> None:
        """Expire what is over and pause what must stop, as of now; return once that is durable. Raises NotDurable."""
        await self._keeper.follow()

    async def run(self, stop: asyncio.Event) -> None:
        """Follow about once a second of the clock until `stop` is set. Faults are logged, never raised."""
        await self._keeper.run(stop)

    def subscribe(self, listener: Callable[[Sequence[PermitChange]], None]) -> None:
        """Call `listener` on the event loop after every commit that changed permits, in the order of commits."""
        self._store.subscribe(listener)

    # --- what is given away, from memory ---

    def spent(self, gate: str, now: datetime) -> Spent:
        """Return what a gate has given away."""
        return self._sums.of_gate(gate, now)

    async def watch(self, campaigns: Sequence[str]) -> None:
        """Know from now on all that these campaigns ever sent: what `spent_by_campaign` says of them is whole then."""
        new = [campaign for campaign in campaigns if not self._sums.watches(campaign)]
        if new:
            stored = await self._store.spent_by_campaign(new, self._clock.now())
            self._sums.watch(dict.fromkeys(new, Spent()) | dict(stored))

    def spent_by_campaign(self, campaign: str, now: datetime) -> Spent:  # noqa: ARG002  # as `spent` is asked
        """Return what a campaign has given away; in place of the last hour all it ever sent, 0 unless it is watched."""
        return self._sums.of_campaign(campaign)

    def of_campaign(self, campaign: str) -> Sequence[Permit]:
        """Return a campaign's live permits."""
        return self._sums.live_of(campaign)

    def in_flight(self, gate: str, limit: int) -> Sequence[Permit]:
        """Return a gate's live permits, the newest first, at most `limit`."""
        return self._sums.live_at(gate, limit)

    def must_stop(self, permit: Permit) -> bool:
        """Tell whether nothing more may be sent under a permit.

        So it is when it is not active, when its time is over, and while its gate or its campaign does not say go. Caps
        do not count: they were counted when it was given.
        """
        if permit.state is not PermitState.ACTIVE or self._clock.now() >= permit.expires_at:
            return True
        return why_stop(self._answering, permit.gate, permit.campaign) is not None

    # --- taking ---

    async def take(self, asker: ApiKey, asked: PermitRequest, idempotency_key: str | None = None) -> PermitAnswer:
        """Return the answer to an ask, with a durable permit where it may go; dry_run: what that would be.

        The same key and request again within 24 hours: the same answer while its permit may be used, the present
        refusal while its gate is shut or it is paused, Conflict once it has ended. A refused ask is asked anew.
        Raises NotFound for an unknown gate, Invalid for a key that stood for another request, Conflict for one whose
        ask is being settled, NotDurable when it could not be written down: nothing was reserved then.
        """
        return await self._taker.take(asker, asked, idempotency_key)

    async def take_for_campaign(
        self, campaign: str, gate: str, audience: int, ttl_seconds: int, wave: int
    ) -> Permit | Answered:
        """Return a durable permit for a wave, of `audience` or as many as may go; or the answer that refuses it.

        Raises NotFound for an unknown gate, NotDurable when it could not be written down.
        """
        asked = PermitRequest(audience, gate, campaign, accept_partial=True, ttl_seconds=ttl_seconds)
        return await self._taker.take_for_campaign(asked, wave)

    # --- what becomes of a permit ---

    async def find(self, permit_id: str) -> Permit:
        """Return one permit. Raises NotFound."""
        return await self._store.permit(permit_id)

    async def page(
        self,
        *,
        gate: str | None = None,
        campaign: str | None = None,
        states: Sequence[PermitState] = (),
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Permit]:
        """Return permits newest first by (granted_at, id); `before` is the last (granted_at, id) already seen."""
        return await self._store.permits(gate=gate, campaign=campaign, states=states, before=before, limit=limit)

    async def grants(self, gate: str, start: datetime, until: datetime, step_seconds: int) -> Sequence[Granted]:
        """Return what a gate gave in [start, until), summed up by campaign and step, in order of time."""
        return await self._store.grants(gate, start, until, step_seconds)

    async def report(self, permit_id: str, sent: int, actor: Actor) -> Permit:
        """Book the total sent under a permit so far, and return it; a total no higher than known changes nothing.

        An ended permit takes reports, too: what was sent was sent. Raises NotFound, NotDurable.
        """
        return await self._change(permit_id, lambda permit, now: steps.report(permit, sent, actor, now))

    async def renew(
        self, asker: ApiKey, permit_id: str, ttl_seconds: int = DEFAULT_TTL_SECONDS
    ) -> Permit | PermitAnswer:
        """Return a live permit that ends ttl_seconds from now, never earlier than before; a paused one is active again.

        While its gate does not say go for its campaign it is left as it is, and the hold is returned; so is a paused
        one that still allows more than its campaign may probe with. Raises NotFound, NotDurable, Conflict when it has
        ended, or was of a wave that has.
        """
        actor = Actor(asker.id, asker.name)

        def step(permit: Permit, now: datetime) -> steps.Changed:
            renewed = steps.renew(permit, ttl_seconds, actor, now)
            self._require_go(permit)
            return renewed

        try:
            permit = await self._change(permit_id, step)
            self._require_go(permit)
        except _ShutError as shut:
            self.gate_changed()
            return self._taker.refuse(asker, shut.looked, {"must_stop": True})
        return permit

    async def release(self, permit_id: str, actor: Actor, reason: str = "") -> Permit:
        """End a live permit: what is not reported as sent is free again.

        Raises NotFound, Conflict when it has ended or its time is over, NotDurable.
        """
        return await self._step(permit_id, PermitStep.RELEASE, actor, reason)

    async def revoke(self, permit_id: str, actor: Actor, reason: str) -> Permit:
        """Withdraw a live permit: its sender must stop.

        Raises NotFound, Conflict when it has ended or its time is over, NotDurable.
        """
        return await self._step(permit_id, PermitStep.REVOKE, actor, reason)

    async def end(self, permit_id: str, step: PermitStep, *, actor: Actor, reason: str) -> Permit:
        """Take a step with a permit and return it; one that the step is not for, ended ones above all, stays as it is.

        One whose time is over expires instead. Raises NotFound, NotDurable.
        """

        def taken(permit: Permit, now: datetime) -> steps.Changed:
            if steps.is_over(permit, now):
                return steps.expire(permit, now)
            return steps.take(permit, step, actor, now, reason) if steps.is_for(permit, step, now) else (permit, ())

        return await self._change(permit_id, taken)

    async def stop_campaign(self, campaign: str, step: PermitStep, *, actor: Actor, reason: str) -> Sequence[Permit]:
        """Take a step (pause, revoke, release) with every live permit of a campaign; return those it was for.

        All in one transaction. Raises NotDurable.
        """
        now = self._clock.now()

        def taken(permit: Permit) -> steps.Changed | None:
            return steps.take(permit, step, actor, now, reason) if steps.is_for(permit, step, now) else None

        changed = await self._store.change_live(None, campaign, now, taken)
        if changed:
            self._on_change()
        return changed

    def _take_in(self, changes: Sequence[PermitChange]) -> None:
        self._sums.take_in(changes)

    async def _step(self, permit_id: str, step: PermitStep, actor: Actor, reason: str) -> Permit:
        return await self._change(permit_id, lambda permit, now: steps.take(permit, step, actor, now, reason))

    async def _change(self, permit_id: str, step: Callable[[Permit, datetime], steps.Changed]) -> Permit:
        now = self._clock.now()
        try:
            permit = await self._store.change(permit_id, now, lambda permit: step(permit, now))
        except steps.StepRefused as fault:
            raise Conflict(str(fault)) from fault
        self._on_change()
        return permit

    def _require_go(self, permit: Permit) -> None:
        """Raise _ShutError while a permit's gate, or its campaign, does not say go. Runs on any thread."""
        if permit.state is PermitState.PAUSED:
            looked = look_to_go_on(self._answering, permit)
        else:
            looked = look_past_caps(self._answering, permit.gate, permit.campaign)
        if not is_go(looked):
            raise _ShutError(looked)
