"""Taking a permit: what is asked is answered from memory where it is refused, and by the store where it may go."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from app.core.event import HOLDFIRE, Actor
from app.core.gate.answer import Answered
from app.core.permit import steps
from app.core.permit.permit import LIVE, Permit, PermitState, PermitStep
from app.core.permit.request import PermitRequest
from app.errors import Conflict, HoldfireError
from app.ports.clock import Clock
from app.ports.keys import ApiKey
from app.ports.permits import Grant, PermitAsk, PermitStore, Repeat
from app.services.answering import Answering, Looked
from app.services.asks import Asks, Question
from app.services.permit_answers import PermitAnswer, granted, held_while_paused, rate_limit, without_permit
from app.services.permit_granting import Settlement
from app.services.permit_repeats import Asked, AskKey, digest_of, other_request
from app.services.permit_standing import look_past_caps
from app.services.permit_sums import PermitSums
from app.services.reply import Headers, is_go, status_of

log = logging.getLogger(__name__)


class _Keyed(NamedTuple):
    """The key that an ask may be repeated under, and what it asks."""

    key: AskKey
    digest: bytes


class PermitTaker:
    """Settles asks for permits. What it promises is said in Permits, which hands them on."""

    def __init__(
        self,
        store: PermitStore,
        sums: Callable[[], PermitSums],
        answering: Answering,
        asks: Asks,
        *,
        clock: Clock,
        on_change: Callable[[], None],
    ) -> None:
        self._store, self._sums, self._answering, self._asks = store, sums, answering, asks
        self._clock, self._on_change = clock, on_change
        self._asked = Asked()

    async def take(self, asker: ApiKey, asked: PermitRequest, idempotency_key: str | None) -> PermitAnswer:
        """Return the answer to an ask, with a durable permit where it may go."""
        settlement = self._settlement(asked, Actor(asker.id, asker.name))
        if asked.dry_run:
            return self.refuse(asker, self._look(settlement), {"dry_run": True})
        if idempotency_key is None:
            return await self._settle(asker, settlement, None)
        keyed, now = _Keyed(AskKey(asker.id, idempotency_key), digest_of(asked)), self._clock.now()
        with self._asked.in_flight(*keyed, now):
            return await self._settle(asker, settlement, keyed)

    async def take_for_campaign(self, asked: PermitRequest, wave: int) -> Permit | Answered:
        """Return a durable permit for a wave, or the answer that refuses it."""
        settlement = self._settlement(asked, HOLDFIRE, wave)
        if (refused := self._refused_by_memory(settlement)) is not None:
            return refused.answered
        outcome = await self._store.grant(self._ask(settlement, None))
        if not isinstance(outcome, Grant):
            return settlement.seen.answered
        self._note_use(outcome)
        shut = await self._withdraw_if_shut(outcome.permit)
        return outcome.permit if shut is None else shut.answered

    def refuse(self, asker: ApiKey, looked: Looked, members: Mapping[str, object] | None = None) -> PermitAnswer:
        """Return an answer that reserves nothing, noted in the decision log: a refusal, or that of a dry run."""
        request = looked.request
        question = Question(looked.state.gate, request.audience, request.campaign, request.accept_partial)
        ask = self._asks.tell(asker.id, question, looked, status_of(looked, asker.profile))
        self._asks.count(ask, looked.at)
        return without_permit(
            *(looked, ask.row.id, self._rate(looked), self._clock.wall_seconds), profile=asker.profile, members=members
        )

    async def _settle(self, asker: ApiKey, settlement: Settlement, keyed: _Keyed | None) -> PermitAnswer:
        is_new = keyed is None or self._asked.was_refused(keyed.key, self._clock.now())  # nothing is there to repeat
        if is_new and (refused := self._refused_by_memory(settlement)) is not None:
            return self._nothing_granted(asker, refused, keyed)
        if keyed is not None:
            self._asked.forget(keyed.key)  # from here on something may be granted under it, heard of or not
        outcome = await self._store.grant(self._ask(settlement, keyed))
        if isinstance(outcome, Repeat) and keyed is not None:
            return await self._repeat(asker, settlement.asked, outcome, keyed)
        if not isinstance(outcome, Grant):
            return self._nothing_granted(asker, settlement.seen, keyed)
        self._note_use(outcome)
        if (shut := await self._withdraw_if_shut(outcome.permit)) is not None:
            return self.refuse(asker, _as_asked(shut, settlement.asked))
        return granted(outcome.body, settlement.seen, outcome.permit, self._rate(settlement.seen))

    def _nothing_granted(self, asker: ApiKey, looked: Looked, keyed: _Keyed | None) -> PermitAnswer:
        """Return a refusal, and remember what was asked under its key: there is nothing to repeat."""
        if keyed is not None:
            self._asked.refuse(*keyed, looked.at)
        return self.refuse(asker, looked)

    def _settlement(self, asked: PermitRequest, actor: Actor, wave: int | None = None) -> Settlement:
        return Settlement(self._answering, self._clock.wall_seconds, asked, actor, wave)

    def _ask(self, settlement: Settlement, keyed: _Keyed | None) -> PermitAsk:
        return PermitAsk(
            gate=settlement.asked.gate,
            campaign=settlement.asked.campaign,
            key_id=settlement.actor.id,
            at=self._clock.now(),
            settle=settlement,
            idempotency_key=keyed.key.idempotency_key if keyed else None,
            request_sha256=keyed.digest if keyed else b"",
        )

    def _look(self, settlement: Settlement) -> Looked:
        """Return the answer with what is given away as memory has it, which follows every commit."""
        asked, now, sums = settlement.asked, self._clock.now(), self._sums()
        of_campaign = None
        if asked.campaign is not None and sums.watches(asked.campaign):
            of_campaign = sums.of_campaign(asked.campaign)
        return settlement.look(sums.of_gate(asked.gate, now), of_campaign)

    def _refused_by_memory(self, settlement: Settlement) -> Looked | None:
        """Return the refusal that a transaction would come to as well, None where it may come to another answer."""
        looked = self._look(settlement)
        may_go = is_go(looked) or self._sums().is_due(looked.at, settlement.asked.gate)
        return None if may_go else looked

    def _note_use(self, grant: Grant) -> None:
        """Count a permit that an override let go."""
        if grant.decision.override_id is not None:
            self._asks.note_use(grant.decision.override_id, grant.decision.at)

    async def _withdraw_if_shut(self, permit: Permit) -> Looked | None:
        """Return the hold of a gate that closed while a permit was being written down, and take the permit back.

        None while the gate says go. Where it cannot be taken back now it stays charged, and must_stop.
        """
        self._on_change()
        looked = look_past_caps(self._answering, permit.gate, permit.campaign)
        if is_go(looked):
            return None
        now, reason = self._clock.now(), f"closed while it was being given: {looked.answered.reasons[0].message}"

        def revoke(present: Permit) -> steps.Changed:
            if not steps.is_for(present, PermitStep.REVOKE, now):
                return present, ()
            return steps.take(present, PermitStep.REVOKE, HOLDFIRE, now, reason)

        try:
            await self._store.change(permit.id, now, revoke, forget=True)
        except HoldfireError as fault:
            log.warning("permit_not_withdrawn", extra={"permit": permit.id, "error": str(fault)})
        return looked

    async def _repeat(self, asker: ApiKey, asked: PermitRequest, repeat: Repeat, keyed: _Keyed) -> PermitAnswer:
        if repeat.request_sha256 != keyed.digest:
            raise other_request(keyed.key.idempotency_key)
        permit, now = await self._store.permit(repeat.permit_id), self._clock.now()
        if permit.state not in LIVE or steps.is_over(permit, now):
            standing = "is over" if permit.state in LIVE else f"is {permit.state}"
            raise Conflict(f"permit {permit.id!r}, given for this ask, {standing}; ask for more under a new key")
        looked = look_past_caps(self._answering, permit.gate, permit.campaign)
        if not is_go(looked):
            return self.refuse(asker, _as_asked(looked, asked))
        if permit.state is PermitState.PAUSED:
            return self.refuse(asker, _as_asked(held_while_paused(looked, permit), asked))
        return granted(repeat.body, looked, permit, self._rate(looked), is_repeat=True)

    def _rate(self, looked: Looked) -> Headers:
        spent = self._sums().of_gate(looked.state.gate, looked.at)
        return rate_limit(looked, spent, self._clock.wall_seconds)


def _as_asked(looked: Looked, asked: PermitRequest) -> Looked:
    """Return a refusal in terms of what was asked."""
    request = replace(looked.request, audience=asked.audience, accept_partial=asked.accept_partial)
    return looked._replace(request=request)
