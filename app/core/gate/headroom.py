"""How much may go now: the policy's caps, less what is given away already."""

from typing import NamedTuple

from app.core.gate.policy import Policy
from app.core.permit.permit import Spent


class Headroom(NamedTuple):
    """What a gate may still give away now (None: no cap), and the cap that says so, as the policy names it."""

    left: int | None
    capped_by: str | None
    cap: int | None


def headroom(policy: Policy | None, spent: Spent) -> Headroom:
    """Return what may be given away now, 0 or more, and which cap binds.

    A wave is everything that is out at once: what live permits may still send counts against max_audience_per_wave.
    max_audience_per_hour counts that too, and what was reported as sent in the last hour.
    """
    caps = []
    if policy is not None and policy.max_audience_per_wave is not None:
        cap = policy.max_audience_per_wave
        caps.append(Headroom(max(0, cap - spent.outstanding), "max_audience_per_wave", cap))
    if policy is not None and policy.max_audience_per_hour is not None:
        cap = policy.max_audience_per_hour
        caps.append(Headroom(max(0, cap - spent.outstanding - spent.sent_last_hour), "max_audience_per_hour", cap))
    return min(caps, key=lambda each: each.left or 0, default=Headroom(None, None, None))
