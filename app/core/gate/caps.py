"""How many may go at most: what is left of the policy's caps, of the campaign's audience, of its probing wave."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from app.core.gate.ask import Request
from app.core.gate.campaign import ASK_PEOPLE_AGAIN
from app.core.gate.decision import Reason, ReasonCode
from app.core.gate.foresight import ASK_SOONEST, Foresight, Standing, ask_again
from app.core.gate.foretold import blind, no_more, unreckoned
from app.core.gate.headroom import foreseen, headroom
from app.core.gate.policy import Policy
from app.core.permit.permit import Spent

_CAPPED = {"max_audience_per_wave": "at once", "max_audience_per_hour": "in an hour"}


class Limit(NamedTuple):
    """What is left of one cap, 0 or more; what to say where it binds, and when to ask again."""

    left: int
    reason: Reason
    retry_at: datetime


def gate_limit(policy: Policy | None, request: Request, spent: Spent, now: datetime) -> Iterator[Limit]:
    """Yield the limit that the policy's tightest cap sets; none without caps."""
    room = headroom(policy, spent)
    if room.left is None or room.cap is None or room.capped_by is None:
        return
    allowed = f"the policy allows {room.cap:,} {_CAPPED[room.capped_by]}"
    if room.left == room.cap:
        code, message = ReasonCode.AUDIENCE_ABOVE_WAVE_LIMIT, allowed
    else:
        code = ReasonCode.HEADROOM_SPENT
        message = f"{allowed}; {room.cap - room.left:,} are given away, {room.left:,} are left"
    yield Limit(room.left, _reason(code, message, room.left, request), _frees_at(spent, now))


def campaign_limits(request: Request, now: datetime) -> Iterator[Limit]:
    """Yield the limits that the campaign itself sets; none without a campaign."""
    facts = request.facts
    if facts is None:
        return
    left = max(0, facts.audience - facts.sent - facts.spent.outstanding)
    message = f"{left:,} of the {facts.audience:,} people of campaign {facts.id!r} are left"
    reason = _reason(ReasonCode.CAMPAIGN_AUDIENCE_SPENT, message, left, request)
    yield Limit(left, reason, _frees_at(facts.spent, now))
    if facts.wave_limit is not None:
        out = facts.spent.outstanding
        probe = max(0, facts.wave_limit - out)
        message = f"a wave of campaign {facts.id!r} may have {facts.wave_limit:,} people, to see first what it does"
        if out:
            message += f"; {out:,} are given away"
        reason = _reason(ReasonCode.CAMPAIGN_PROBING, message, probe, request)
        yield Limit(probe, reason, now + ASK_PEOPLE_AGAIN)


def outlook_limit(
    policy: Policy | None, foresight: Foresight | None, request: Request, spent: Spent, now: datetime
) -> Iterator[Limit]:
    """Yield what is left of the send that the outlook found safe; none for a policy without an outlook.

    Nothing is left for a campaign that the outlook does not know: mail of no campaign may be much more harmless.
    """
    if policy is None or policy.outlook is None or spent.is_counted:
        return
    campaign = request.facts.id if request.facts else None
    room = foresight.room(campaign) if foresight else None
    if foresight is not None and campaign is not None and campaign not in dict(foresight.rooms):
        yield Limit(0, unreckoned(campaign), now + ASK_SOONEST)
        return
    if foresight is None or room is None:
        yield Limit(0, blind(foresight, Standing.MISSING, now), now + ASK_SOONEST)
        return
    left = foreseen(foresight, room, spent)
    yield Limit(left, no_more(room, policy, left, request.audience, now), ask_again(foresight, campaign, now))


def _reason(code: ReasonCode, message: str, left: int, request: Request) -> Reason:
    return Reason(code, message, observed=request.audience, op="<=", limit=left, unit="recipients")


def _frees_at(spent: Spent, now: datetime) -> datetime:
    """Return when more may be left: by time alone where that is known, else whenever a sender reports."""
    return spent.frees_at if spent.frees_at is not None and spent.frees_at > now else now + ASK_PEOPLE_AGAIN
