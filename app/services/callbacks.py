"""Callbacks: an ask that was refused waits, and its asker is told when it may go after all, with its permit.

Each waiting ask is given at most one permit, whatever crashes: it is always taken under the same idempotency key, and
that it was given, and the message that says so, are one transaction.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from app.core.event import EventType
from app.core.permit.permit import LIVE
from app.core.permit.request import PermitRequest
from app.core.webhooks.standard import enveloped
from app.errors import Conflict, HoldfireError, Invalid, NotFound
from app.ports.callbacks import ASK_PREFIX, CallbackStore, WaitingAsk, WaitState
from app.ports.clock import Clock
from app.ports.keys import ApiKey
from app.ports.webhooks import Delivery, Receiver
from app.services.answering import Answering
from app.services.destinations import Destinations
from app.services.permits import Permits
from app.services.reply import is_go
from app.services.webhooks import new_secret

MAX_WAITING, MAX_WAITING_OF_ONE = 1_000, 250
KEPT = timedelta(days=30)
PRUNED_EVERY = timedelta(hours=1)
POINTER = "/callback_url"
# Of a refusal, what makes it a problem document: it says nothing about the ask.
_PROBLEM_MEMBERS = ("type", "title", "status", "detail", "instance", "request_id", "errors")

log = logging.getLogger(__name__)


class _Ask(NamedTuple):
    """What makes two asks the same: who asks, under which key, and what."""

    key_id: str
    idempotency_key: str | None
    asked: PermitRequest


class Callbacks:
    """Waiting asks. asker_of returns the key of that id while it is valid, None from then on."""

    def __init__(
        self,
        store: CallbackStore,
        permits: Permits,
        answering: Answering,
        destinations: Destinations,
        *,
        asker_of: Callable[[str], ApiKey | None],
        clock: Clock,
    ) -> None:
        self._store, self._permits, self._answering, self._destinations = store, permits, answering, destinations
        self._asker_of, self._clock = asker_of, clock
        self._waiting: dict[_Ask, WaitingAsk] = {}
        self._adding = asyncio.Lock()
        self._changed = asyncio.Event()
        self._pruned_at = clock.now()

    async def load(self) -> None:
        """Read what waits. To be called once, before anything is asked."""
        self._waiting = {_same(ask): ask for ask in await self._store.waiting()}

    async def check(self, asked: PermitRequest) -> None:
        """Raise Invalid when its callback_url must not be sent to; nothing happens without one."""
        if asked.callback_url is not None:
            try:
                await self._destinations.of(asked.callback_url, POINTER)
            except Invalid as fault:
                raise Invalid(
                    "the permit cannot be asked for like this; nothing was reserved", fault.problems
                ) from fault

    def key_of(self, asker: ApiKey, asked: PermitRequest, idempotency_key: str | None) -> str | None:
        """Return the idempotency key to answer an ask under: of one that waits, that of the permit it waits for."""
        waiting = self._waiting.get(_Ask(asker.id, idempotency_key, asked))
        return idempotency_key if waiting is None else waiting.permit_key

    async def wait(self, asker: ApiKey, asked: PermitRequest, idempotency_key: str | None) -> WaitingAsk:
        """Return the refused ask, waiting for ttl_seconds; the one that waits already where it is the same.

        Raises Conflict when 1,000 wait, or 250 of this asker; NotDurable.
        """
        async with self._adding:
            same = _Ask(asker.id, idempotency_key, asked)
            if (present := self._waiting.get(same)) is not None:
                return present
            self._refuse_crowd(asker)
            now = self._clock.now()
            over = now + timedelta(seconds=asked.ttl_seconds)
            ask = WaitingAsk(f"{ASK_PREFIX}{secrets.token_hex(10)}", *same, new_secret(), now, over)
            await self._store.add_ask(ask)
            self._waiting[same] = ask
            return ask

    async def answered(self, asker: ApiKey, asked: PermitRequest, idempotency_key: str | None) -> None:
        """Let an ask wait no longer, because the same was asked again and may go. Raises NotDurable."""
        ask = self._waiting.get(_Ask(asker.id, idempotency_key, asked))
        if ask is not None:
            await self._end(ask, WaitState.WITHDRAWN, "it was asked again, and answered directly", None)

    async def find(self, ask_id: str) -> WaitingAsk:
        """Return one. Raises NotFound."""
        return await self._store.ask(ask_id)

    async def may_go(self, ask: WaitingAsk) -> bool:
        """Tell whether an ask was given a permit under which may be sent now."""
        return ask.permit_id is not None and not self._permits.must_stop(await self._permits.find(ask.permit_id))

    async def receiver(self, delivery: Delivery) -> Receiver:
        """Return where the message to a waiting asker goes.

        Raises Invalid while its permit must not be used, Conflict once that has ended, NotFound.
        """
        ask = await self._store.ask(delivery.receiver_id)
        if ask.permit_id is not None:
            permit = await self._permits.find(ask.permit_id)
            if permit.state not in LIVE:
                raise Conflict(f"permit {permit.id!r} is {permit.state}; nothing may be sent under it any more")
            if self._permits.must_stop(permit):
                raise Invalid(f"permit {permit.id!r} must not be used now: its gate is shut, or its time is over")
        return Receiver(ask.asked.callback_url or "", [ask.secret])

    def gate_changed(self, _: object = None) -> None:
        """Look at what waits soon. For Evaluator.subscribe."""
        self._changed.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Offer whenever gates were evaluated, until `stop` is set. Faults are logged, never raised."""
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            changed = asyncio.create_task(self._changed.wait())
            await asyncio.wait({stopping, changed}, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            self._changed.clear()
            await self.offer()
            await self._prune()
        stopping.cancel()

    async def offer(self) -> None:
        """Give a permit to every ask that may go now, oldest first, and end those that waited long enough."""
        for ask in list(self._waiting.values()):
            try:
                await self._offer(ask)
            except (HoldfireError, OSError) as fault:
                log.warning("callback_not_settled", extra={"permit_request": ask.id, "error": str(fault)})

    def _refuse_crowd(self, asker: ApiKey) -> None:
        """Raise Conflict where too many wait already: nobody may take all the places."""
        if len(self._waiting) >= MAX_WAITING:
            raise Conflict(f"{MAX_WAITING:,} asks wait already; ask again after a while, without callback_url")
        if sum(ask.key_id == asker.id for ask in self._waiting.values()) >= MAX_WAITING_OF_ONE:
            raise Conflict(
                f"{MAX_WAITING_OF_ONE} asks of this key wait already; let them end, or ask without callback_url"
            )

    async def _offer(self, ask: WaitingAsk) -> None:
        asker, is_over = self._asker_of(ask.key_id), self._clock.now() >= ask.gives_up_at
        if asker is None:
            return await self._give_up(ask, "the key it was asked with is not valid any more")
        if not is_over and not self._would_go(ask):
            return None
        try:
            answer = await self._permits.take(asker, ask.asked, ask.permit_key)
        except (NotFound, Invalid) as fault:
            return await self._give_up(ask, str(fault))
        except Conflict as fault:  # its permit has ended, or is just being given: then the next look finds it
            return await self._give_up(ask, str(fault)) if is_over else None
        said = msgspec.json.decode(answer.body, type=dict[str, Any])
        if answer.permit is not None:
            ended = replace(ask, permit_id=answer.permit.id)
            return await self._end(ended, WaitState.GRANTED, "it may go", said)
        return await self._give_up(ask, f"it may not go within {ask.asked.ttl_seconds} s", said) if is_over else None

    def _would_go(self, ask: WaitingAsk) -> bool:
        """Tell from memory whether asking is worth while, so that waiting fills no log."""
        asked = ask.asked
        request = self._answering.request(asked.audience, asked.campaign, accept_partial=asked.accept_partial)
        try:
            return is_go(self._answering.look(asked.gate, request))
        except NotFound:
            return True  # asking says so properly

    async def _give_up(self, ask: WaitingAsk, reason: str, said: dict[str, Any] | None = None) -> None:
        held = {"decision": "hold", "proceed": False, "gate": ask.asked.gate, "campaign": ask.asked.campaign}
        await self._end(ask, WaitState.GAVE_UP, reason, said or held)

    async def _end(self, ask: WaitingAsk, state: WaitState, reason: str, said: dict[str, Any] | None) -> None:
        ended = replace(ask, state=state, ended_at=self._clock.now(), reason=reason)
        await self._store.end_ask(ended, None if said is None else _message(ended, said))
        self._waiting.pop(_same(ask), None)

    async def _prune(self) -> None:
        now = self._clock.now()
        if now - self._pruned_at >= PRUNED_EVERY:
            self._pruned_at = now
            with suppress(HoldfireError):  # what stays is pruned an hour later
                await self._store.prune_asks(now - KEPT)


def _same(ask: WaitingAsk) -> _Ask:
    return _Ask(ask.key_id, ask.idempotency_key, ask.asked)


def _message(ask: WaitingAsk, said: dict[str, Any]) -> bytes:
    kind = EventType.DECISION_SEND if ask.state is WaitState.GRANTED else EventType.DECISION_HOLD
    told = {name: value for name, value in said.items() if name not in _PROBLEM_MEMBERS}
    data = told | {"permit_request_id": ask.id, "state": ask.state.value, "reason": ask.reason}
    more = {"reasons": [], "read_at": f"/api/v1/decisions/{said.get('decision_id')}"}
    return enveloped(kind, ask.ended_at or ask.created_at, data, shorter=more)
