"""What may pass now: a permit used up recipient by recipient, and when the next may be asked for.

Pure: each function returns the allowance as it is then. `now` is monotonic seconds of this machine. Whatever is not
known counts against passing: a permit not seen for a while, or whose time may be over, lets nothing through.

The order of things: `take` for each message; where no permit covers it, `wanted` says how many to ask for, if it is
time to ask; what comes of that is `granted` or `refused`. A permit in use is `seen` again and again, until it is used
no more and `ended`, or holdfire stops it and `refused` says so.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from app.core.campaign.pace import Outcome, Pace, gap_seconds, judge, next_wave
from app.core.permit.request import MAX_AUDIENCE
from app.postfix.rules import Terms

FULL_PACE = Pace()
UNSEEN_SECONDS = 5.0  # a permit not seen for so long lets nothing pass
BURST_SECONDS = 10.0  # what a slow hour of the rate may save up for one rush
SECONDS_PER_MINUTE = 60.0


class Taken(StrEnum):
    """What a message was told."""

    PASSED = "passed"
    PACED = "paced"  # the permit would cover it, the rate does not yet
    UNCOVERED = "uncovered"  # no permit covers it


@dataclass(frozen=True, slots=True)
class Grant:
    """A permit in use: allow recipients, of which passed are through. seen_at: when it was last known to stand.

    usable_until: when its time is over at the earliest. taken_at: when something last passed, or it was given.
    """

    permit_id: str
    allow: int
    seen_at: float
    usable_until: float
    taken_at: float
    passed: int = 0


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one rule's mail may do. ask_at: no permit is asked for earlier; opens_at: none for a new wave.

    former: the last permit, used up or no longer needed, where holdfire did not stop it: what it covered already may go
    on for as long as it would have been believed to stand. spare: what is left of the present wave where its permit was
    given back unused. debt: recipients that the rate has
    yet to make up for, as of settled_at; it shrinks with time.
    """

    terms: Terms
    grant: Grant | None = None
    former: Grant | None = None
    ask_at: float = float("-inf")
    opens_at: float = float("-inf")
    spare: int = 0
    pace: Pace = FULL_PACE
    debt: float = 0.0
    settled_at: float = 0.0


def take(allowance: Allowance, recipients: int, now: float) -> tuple[Allowance, Taken]:
    """Return whether a message may pass, and what is left after it: all its recipients, or none.

    recipients 0: those of a message that were counted before; it still needs a permit that stands, or stood just now.
    """
    grant, former = allowance.grant, allowance.former
    if recipients == 0 and former is not None and is_usable(former, now):
        return allowance, Taken.PASSED
    if grant is None or not is_usable(grant, now) or grant.passed + recipients > grant.allow:
        return allowance, Taken.UNCOVERED
    debt = _debt(allowance, now)
    if debt > 0 and recipients > 0:
        return allowance, Taken.PACED
    used = replace(grant, passed=grant.passed + recipients, taken_at=now)
    return replace(allowance, grant=used, debt=debt + recipients, settled_at=now), Taken.PASSED


def wanted(allowance: Allowance, recipients: int, now: float) -> int | None:
    """Return how many to ask for so that a message is covered, and others after it; None: not now.

    After a hold that is a small wave first, as for every release; but never less than the message has. Before the next
    wave may open it is what is left of the present one.
    """
    if now < allowance.ask_at:
        return None
    if now < allowance.opens_at:
        return allowance.spare if 0 < recipients <= allowance.spare else None
    wave = next_wave(judge(allowance.pace, Outcome.GOOD), allowance.terms.wave, MAX_AUDIENCE)
    return max(recipients, wave)


def asking(allowance: Allowance, until: float) -> Allowance:
    """Return the allowance while it is asked for more: its permit ends, and nobody else asks before an instant."""
    return replace(allowance, grant=None, former=allowance.grant or allowance.former, ask_at=until)


def closed(allowance: Allowance) -> Allowance:
    """Return the allowance for good: nothing passes any more, and nothing is asked for."""
    return replace(allowance, grant=None, former=None, ask_at=float("inf"))


def granted(allowance: Allowance, grant: Grant, now: float) -> Allowance:
    """Return the allowance with a permit to use. The wave after a new one opens a gap later at the earliest."""
    given = replace(allowance, grant=grant, former=None, spare=0, ask_at=now)
    if now < allowance.opens_at:
        return given
    pace = judge(allowance.pace, Outcome.GOOD)
    return replace(given, pace=pace, opens_at=now + gap_seconds(pace, allowance.terms.wave_gap_seconds))


def refused(allowance: Allowance, outcome: Outcome, pause_seconds: float, now: float) -> Allowance:
    """Return the allowance where there is no permit, or none any more. outcome: HELD, or BAD where nothing is known."""
    pace = judge(allowance.pace, outcome)
    return replace(allowance, grant=None, former=None, spare=0, pace=pace, ask_at=now + pause_seconds)


def seen(allowance: Allowance, permit_id: str, at: float, usable_until: float | None = None) -> Allowance:
    """Return the allowance after a look at its permit at an instant showed that it stands; not if it is another's."""
    grant = allowance.grant
    if grant is None or grant.permit_id != permit_id:
        return allowance
    until = grant.usable_until if usable_until is None else max(grant.usable_until, usable_until)
    return replace(allowance, grant=replace(grant, seen_at=max(grant.seen_at, at), usable_until=until))


def ended(allowance: Allowance) -> Allowance:
    """Return the allowance without its permit, which is used up, or not needed for now."""
    grant = allowance.grant
    if grant is None:
        return allowance
    return replace(allowance, grant=None, former=grant, spare=grant.allow - grant.passed)


def is_usable(grant: Grant, now: float) -> bool:
    """Return whether a permit is known to stand."""
    return now < grant.usable_until and now - grant.seen_at <= UNSEEN_SECONDS


def _debt(allowance: Allowance, now: float) -> float:
    """Return what the rate has yet to make up for; below 0: what it has saved up. 0 without a rate."""
    if allowance.terms.per_minute is None:
        return 0.0
    per_second = allowance.terms.per_minute / SECONDS_PER_MINUTE
    saved = max(1.0, per_second * BURST_SECONDS) - 1.0
    return max(-saved, allowance.debt - per_second * max(0.0, now - allowance.settled_at))
