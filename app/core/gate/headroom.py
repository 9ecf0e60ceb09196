"""How much may go now: the policy's caps and what the outlook found safe, less what is given away already."""

from math import ceil
from typing import NamedTuple

from app.core.gate.foresight import Foresight, Room
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


def foreseen(foresight: Foresight, room: Room, spent: Spent) -> int:
    """Return how much of what the outlook found safe is left, 0 or more.

    The outlook reckons with all that was given away by then, along its response curve. What was given away since is
    charged as if each of its mails were one of the most demanding campaign: of the one with the most contacts, or with
    the least room, because less is known of it or its queues have less to spare. So is what went through other gates,
    where it comes to these queues, too.
    """
    if room.audience <= 0:
        return 0
    by_room = room.audience / foresight.least_limited(room.audience)
    since = max(0, spent.given - foresight.given) * _weight(foresight.most_contacts_per_1000(), room, by_room)
    if (elsewhere := foresight.elsewhere) is not None:
        others = max(0, spent.given_elsewhere - elsewhere.given)
        since += others * _weight(elsewhere.contacts_per_1000, room, by_room)
    return max(0, room.audience - ceil(since))


def _weight(contacts_per_1000: float, room: Room, by_room: float) -> float:
    """Return as how many mails of a room one counts that brings so many contacts; at least as by_room says."""
    rate = room.contacts_per_1000
    return max(1.0, by_room, contacts_per_1000 / rate if rate > 0 else 1.0)
