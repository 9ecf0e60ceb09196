"""What the contact center was not told in time: it is never surprised by a send."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.core.gate.ask import Request
from app.core.gate.campaign import ASK_PEOPLE_AGAIN
from app.core.gate.decision import Reason, ReasonCode
from app.core.gate.policy import Policy
from app.core.gate.wording import MINUTE, age_said, moment

Missing = tuple[Reason, datetime]


def untold(policy: Policy, request: Request, now: datetime) -> Iterator[Missing]:
    """Yield a reason for each thing the policy wants told and that was not, and when it could be.

    An ask that names no campaign, or one that nobody made, was announced to nobody.
    """
    if policy.notice_minutes:
        yield from _notice(policy, request, now)
    if policy.briefing_required:
        yield from _briefing(request, now)


def _notice(policy: Policy, request: Request, now: datetime) -> Iterator[Missing]:
    notice, facts = timedelta(minutes=policy.notice_minutes), request.facts
    said = f"this gate wants {age_said(policy.notice_minutes * MINUTE)} of notice"
    if facts is None or facts.announced_at is None:
        yield Reason(ReasonCode.NOTICE_TOO_SHORT, f"{said}; {_do_first(request, 'schedule it')}"), now + notice
        return
    ends_at = facts.announced_at + notice
    if now < ends_at:
        announced, until = (moment(at, now, policy.time_zone) for at in (facts.announced_at, ends_at))
        message = f"{said}; campaign {facts.id!r} was announced at {announced}, so it may go from {until} on"
        yield Reason(ReasonCode.NOTICE_TOO_SHORT, message, since=facts.announced_at), ends_at


def _briefing(request: Request, now: datetime) -> Iterator[Missing]:
    facts, again = request.facts, now + ASK_PEOPLE_AGAIN
    if facts is None or facts.missing_acknowledgements is None:
        message = f"this gate wants an acknowledged briefing; {_do_first(request, 'write its briefing')}"
        yield Reason(ReasonCode.BRIEFING_NOT_ACKNOWLEDGED, message), again
    elif facts.missing_acknowledgements:
        names = ", ".join(facts.missing_acknowledgements)
        message = f"the briefing of campaign {facts.id!r} has not been acknowledged yet by {names}"
        yield Reason(ReasonCode.BRIEFING_NOT_ACKNOWLEDGED, message), again


def _do_first(request: Request, what: str) -> str:
    if request.facts is not None:
        return f"campaign {request.facts.id!r} has none: {what}"
    if request.campaign:
        return f"there is no campaign {request.campaign!r}: make it and {what}"
    return f"name the campaign in `campaign`; if there is none, make it and {what}"
