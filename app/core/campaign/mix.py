"""Which queues a campaign's contacts come to, as far as its makers say."""

from collections.abc import Mapping

from app.core.floor.fields import name_fault
from app.core.gate.fields import Fields, shown

MOST_QUEUES = 50
SUM_TOLERANCE = 0.005
ROUNDING = 1e-9


def queue_mix(fields: Fields) -> tuple[tuple[str, float], ...]:
    """Return the (queue, share) pairs of the member `queue_mix`, by queue; () when it is absent or refused.

    It is an object {queue: share} of shares above 0 whose sum is 1 to within half a per cent; they are made to add up
    to exactly 1. Queues that no source has named yet are taken: their data may come later.
    """
    if not fields.has("queue_mix"):
        return ()
    given, faults = fields.get("queue_mix"), len(fields.problems)
    if not isinstance(given, Mapping) or not given or len(given) > MOST_QUEUES:
        wanted = f"an object of 1 to {MOST_QUEUES} queues with their shares"
        fields.refuse(f'{shown(given)} must be {wanted}, like {{"orders": 0.7, "billing": 0.3}}', "queue_mix")
        return ()
    shares = {str(queue): _share(fields, queue, share) for queue, share in given.items()}
    total = sum(shares.values())
    if len(fields.problems) == faults and abs(total - 1) > SUM_TOLERANCE:
        fields.refuse(f"the shares add up to {total:g}; they must add up to 1", "queue_mix")
    if len(fields.problems) > faults:
        return ()
    exact = abs(total - 1) < ROUNDING
    return tuple((queue, share if exact else share / total) for queue, share in sorted(shares.items()))


def _share(fields: Fields, queue: object, share: object) -> float:
    if fault := name_fault(queue):
        fields.refuse(f"a queue of this name there cannot be: {fault}", "queue_mix", str(queue))
    if isinstance(share, int | float) and not isinstance(share, bool) and 0 < share <= 1:
        return float(share)
    fields.refuse(f"{shown(share)} must be a share: above 0, at most 1", "queue_mix", str(queue))
    return 0.0
