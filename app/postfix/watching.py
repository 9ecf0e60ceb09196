"""A permit in use, looked at every second; and one that is used no more, reported and given back."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from app.client import AsyncHoldfire, Permit, Unanswered
from app.core.permit.permit import LIVE, PermitState
from app.postfix.allowance import UNSEEN_SECONDS, Grant, is_usable

log = logging.getLogger(__name__)

TTL_SECONDS = 120  # how long what nobody reported stays charged if this program dies
LOOK_SECONDS = 1.0
IDLE_SECONDS = 30.0  # a permit under which nothing passes for so long is given back
SETTLE_PAUSE_SECONDS = 5.0
SETTLE_SECONDS = 900.0  # how long a count that cannot be reported is tried again


class Over(NamedTuple):
    """Why a permit is used no more. is_stop: nothing may pass, under it or the next, until holdfire says so."""

    why: str
    is_stop: bool


class Seen(Protocol):
    """Who is told that a permit stood at an instant, and that its time is not over before another."""

    def __call__(self, at: float, usable_until: float | None = None) -> None: ...


class Watch:
    """Keeps one permit: looks at it, reports with each look what passed, and has it last.

    current gives the permit as it is used, None once it is used no more. look_seconds: between two looks.
    """

    def __init__(
        self,
        holdfire: AsyncHoldfire,
        permit_id: str,
        current: Callable[[], Grant | None],
        seen: Seen,
        look_seconds: float = LOOK_SECONDS,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._holdfire, self._id, self._current, self._seen = holdfire, permit_id, current, seen
        self._look_seconds, self._monotonic = look_seconds, monotonic
        self._reported = 0
        self._renewed_at = monotonic()

    async def until_over(self) -> Over:
        """Return why the permit is used no more."""
        while True:
            grant = self._current()
            if grant is None:
                return Over("used", is_stop=False)
            if (over := self._by_itself(grant)) is not None:
                return over
            try:
                async with asyncio.timeout(UNSEEN_SECONDS):
                    if (over := await self._look(grant)) is not None:
                        return over
            except TimeoutError:
                continue
            except Unanswered as fault:
                if fault.lasting:
                    return Over(str(fault), is_stop=True)
            await asyncio.sleep(self._look_seconds)

    def _by_itself(self, grant: Grant) -> Over | None:
        now = self._monotonic()
        if grant.passed >= grant.allow:
            return Over("used up", is_stop=False)
        if not is_usable(grant, now):
            return Over("it could not be looked at", is_stop=True)
        if now - grant.taken_at > IDLE_SECONDS:
            return Over("nothing passes", is_stop=False)
        return None

    async def _look(self, grant: Grant) -> Over | None:
        now = self._monotonic()
        permit = await self._tell(grant)
        self._reported = max(self._reported, permit.sent)
        if permit.must_stop:
            used_up = permit.state is PermitState.USED
            return Over("used up" if used_up else f"permit {permit.state}, must stop", is_stop=not used_up)
        self._seen(now)
        if now - self._renewed_at >= TTL_SECONDS / 2:
            await self._holdfire.renew(self._id, TTL_SECONDS)
            self._renewed_at = now
            self._seen(now, now + TTL_SECONDS)
        return None

    async def _tell(self, grant: Grant) -> Permit:
        if grant.passed > self._reported:
            return await self._holdfire.report(self._id, grant.passed)
        return await self._holdfire.permit_state(self._id)


async def settle(
    holdfire: AsyncHoldfire, rule: str, grant: Grant, monotonic: Callable[[], float] = time.monotonic
) -> None:
    """Report what passed under a permit that is used no more, and give back the rest.

    Where that cannot be done, it stays charged until the permit expires; the log says so.
    """
    give_up_at = monotonic() + SETTLE_SECONDS
    while True:
        try:
            permit = await _last_word(holdfire, grant)
            if permit.state in LIVE:
                await holdfire.release(grant.permit_id)
        except Unanswered as fault:
            if fault.lasting or monotonic() >= give_up_at:
                told = {"rule": rule, "permit": grant.permit_id, "passed": grant.passed, "error": str(fault)}
                log.warning("postfix_policy_unsettled", extra=told)
                return
        else:
            return
        await asyncio.sleep(SETTLE_PAUSE_SECONDS)


async def _last_word(holdfire: AsyncHoldfire, grant: Grant) -> Permit:
    if grant.passed:
        return await holdfire.report(grant.permit_id, grant.passed)
    return await holdfire.permit_state(grant.permit_id)
