"""Watching a permit while it is used: the first sign that it must not be used any more ends the wave."""

import asyncio
import time

from app.client import AsyncHoldfire, Permit, Unanswered
from app.core.permit.permit import PermitState


async def why_stop(
    holdfire: AsyncHoldfire,
    permit_id: str,
    check_seconds: float,
    unchecked_seconds: float,
) -> str:
    """Return why nothing more may be sent under a permit, once that is so; meanwhile keep it from expiring.

    check_seconds: how long between two looks. A permit not seen for unchecked_seconds must not be used either.
    """
    checked_at = renewed_at = time.monotonic()
    renew_after: float | None = None
    while True:
        await asyncio.sleep(check_seconds)
        asked_at = time.monotonic()
        left = checked_at + unchecked_seconds - asked_at
        if left <= 0:
            return f"its permit could not be checked for {unchecked_seconds:g} s"
        try:
            async with asyncio.timeout(left):
                permit = await holdfire.permit_state(permit_id)
                checked_at = asked_at
                if permit.must_stop:
                    return _stopped(permit)
                renew_after = renew_after or (permit.expires_at - permit.granted_at).total_seconds() / 2
                if asked_at - renewed_at >= renew_after:
                    await holdfire.renew(permit_id, int(2 * renew_after))
                    renewed_at = asked_at
        except TimeoutError:
            continue
        except Unanswered as fault:
            if fault.lasting:
                return f"its permit cannot be checked: {fault}"


def _stopped(permit: Permit) -> str:
    if permit.state is PermitState.ACTIVE:
        return "the gate lets nothing go any more"
    reason = permit.body.get("reason")
    return f"its permit is {permit.state}: {reason}" if reason else f"its permit is {permit.state}"
