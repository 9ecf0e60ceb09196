"""Who waits so far back that changes of staffing are not followed for them, and is still there as agents leave.

Those are told what the present head-count promises (staffing_change.MOST_PLACES). Where it only rises that is worse
than what comes; where it falls it is better, by any amount, and no figure of theirs may be believed.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np

from app.core.forecast.chain import Stretch, Walk
from app.core.forecast.series import MINUTE_SECONDS, BoolArray
from app.core.forecast.staffing_change import MOST_PLACES, Queueing
from app.core.forecast.waits import still_waiting

NEGLIGIBLE_CHANCE = 1e-5
"""A part of the contacts so small changes no service level that anybody reads, and no mean wait by a second."""


def unfollowed(walk: Walk) -> BoolArray:
    """Return whether too many wait so at any step, for each row: its figures are better then than what is to come."""
    found = np.zeros(len(walk.sizes), dtype=np.bool_)
    for position, left_at in _until_agents_leave(walk.staffing):
        queue = Queueing(walk.staffing[position].agents, walk.drain, max(walk.sizes))
        for row in range(len(walk.sizes)):
            waiting = walk.points(position, row)[:, queue.agents :]
            found[row] |= any(
                waiting[step, _stays_from(queue, left_at - step * MINUTE_SECONDS / walk.steps_per_minute) :].sum()
                > NEGLIGIBLE_CHANCE
                for step in np.flatnonzero(waiting[:, MOST_PLACES:].sum(axis=1) > NEGLIGIBLE_CHANCE).tolist()
            )
    return found


def _until_agents_leave(staffing: Sequence[Stretch]) -> Iterator[tuple[int, float]]:
    """Yield each stretch that a lower head-count follows, and how many seconds after its beginning."""
    for position, stretch in enumerate(staffing):
        lower = next((later for later in staffing[position + 1 :] if later.agents < stretch.agents), None)
        if lower is not None:
            yield position, (lower.first - stretch.first) * MINUTE_SECONDS


def _stays_from(queue: Queueing, seconds: float) -> int:
    """Return how many must be ahead of a contact that is not followed for it to be waiting still, after so long."""
    theta = queue.drain.given_up_per_second

    def chance(ahead: int) -> float:
        """Return the probability, 0..1, that who has so many ahead is waiting still; it rises with them."""
        return float(still_waiting(np.array([float(ahead)]), queue.per_second, theta, seconds)[0])

    behind = range(MOST_PLACES, max(queue.places, MOST_PLACES))
    return MOST_PLACES + bisect_left(behind, NEGLIGIBLE_CHANCE, key=chance)
