"""Why a campaign itself may not send now, whatever its gate says."""

from datetime import datetime, timedelta

from app.core.campaign.campaign import ENDED, PAUSED_BY_GATE, CampaignState
from app.core.gate.ask import CampaignFacts, Request
from app.core.gate.decision import Reason, ReasonCode
from app.core.gate.policy import Policy
from app.core.gate.wording import moment

# A person has to do something; who waits for that asks again about every minute.
ASK_PEOPLE_AGAIN = timedelta(minutes=1)
# Nothing that could still happen lets it go; whoever goes on asking should do so seldom.
ASK_ENDED_AGAIN = timedelta(hours=1)

Stop = tuple[Reason, datetime]


def stopped(request: Request, policy: Policy | None, gate: str, now: datetime) -> Stop | None:
    """Return why the campaign named in an ask may not send through this gate now, and when to ask again; None: it may.

    A name that no campaign has stops nothing.
    """
    facts = request.facts
    if facts is None:
        return None
    zone = policy.time_zone if policy else "UTC"
    return _elsewhere(facts, gate, now) or _ended(facts, zone, now) or _paused(facts, now) or _unbegun(facts, zone, now)


def _elsewhere(facts: CampaignFacts, gate: str, now: datetime) -> Stop | None:
    if facts.gate == gate:
        return None
    message = f"campaign {facts.id!r} goes through gate {facts.gate!r}, not {gate!r}; ask that one"
    return Reason(ReasonCode.CAMPAIGN_OF_OTHER_GATE, message), now + ASK_ENDED_AGAIN


def _ended(facts: CampaignFacts, zone: str, now: datetime) -> Stop | None:
    if facts.state in ENDED:
        said = f"campaign {facts.id!r} has ended ({facts.state.replace('_', ' ')}); nothing more of it may go"
    elif facts.give_up_at is not None and now >= facts.give_up_at:
        said = f"campaign {facts.id!r} was to be given up at {moment(facts.give_up_at, now, zone)}; nothing more may go"
    else:
        return None
    return Reason(ReasonCode.CAMPAIGN_ENDED, said), now + ASK_ENDED_AGAIN


def _paused(facts: CampaignFacts, now: datetime) -> Stop | None:
    """A pause by the gate ends when the gate says so; every other one when a person resumes it."""
    if facts.state is not CampaignState.PAUSED or facts.paused_by == PAUSED_BY_GATE:
        return None
    by = f" by {facts.paused_by}" if facts.paused_by else ""
    message = f"campaign {facts.id!r} was paused{by}; somebody has to resume it"
    return Reason(ReasonCode.CAMPAIGN_PAUSED, message), now + ASK_PEOPLE_AGAIN


def _unbegun(facts: CampaignFacts, zone: str, now: datetime) -> Stop | None:
    code, soon = ReasonCode.CAMPAIGN_NOT_STARTED, now + ASK_PEOPLE_AGAIN
    if facts.state is CampaignState.DRAFT:
        return Reason(code, f"campaign {facts.id!r} is a draft; schedule it first"), soon
    if facts.earliest_start is not None and now < facts.earliest_start:
        begins = moment(facts.earliest_start, now, zone)
        return Reason(code, f"campaign {facts.id!r} may not begin before {begins}"), facts.earliest_start
    if facts.awaits_start:
        return Reason(code, f"campaign {facts.id!r} is released by hand, and nobody has started it yet"), soon
    return None
