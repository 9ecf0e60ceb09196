"""What a look at the gate says to a release: go on, stop and be careful, or only wait."""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from app.core.campaign.campaign import Campaign
from app.core.gate.decision import Reason, ReasonCode, Verdict
from app.errors import NotFound
from app.services.answering import Answering
from app.services.permit_standing import look_past_caps
from app.services.reply import is_go

# What the answers know of the campaign is older than the campaign: the next publication knows better.
NOT_KNOWN_YET = frozenset({ReasonCode.CAMPAIGN_NOT_STARTED, ReasonCode.CAMPAIGN_PAUSED, ReasonCode.CAMPAIGN_ENDED})
# A hold that says nothing about the floor: when it is over there is nothing to be careful about.
NOT_THE_FLOOR = frozenset(
    {
        ReasonCode.OUTSIDE_SEND_WINDOW,
        ReasonCode.NOTICE_TOO_SHORT,
        ReasonCode.BRIEFING_NOT_ACKNOWLEDGED,
        ReasonCode.CAMPAIGN_OF_OTHER_GATE,
    }
)


class Stand(Enum):
    """What a look at the gate says to a release."""

    GO = "go"
    HELD = "held"
    CLOSED = "closed"  # held for another reason than the floor
    UNKNOWN = "unknown"
    NOT_YET = "not yet"  # what the gate knows of the campaign is out of date


class Look(NamedTuple):
    """How the gate stands for a campaign, and in a sentence why."""

    stand: Stand
    why: str


def look_for(answering: Answering, campaign: Campaign) -> Look:
    """Return how its gate stands for a campaign now. Caps are left aside: no room at this moment is no hold."""
    try:
        looked = look_past_caps(answering, campaign.gate, campaign.id)
    except NotFound as fault:
        return Look(Stand.UNKNOWN, str(fault))
    reasons = looked.answered.reasons
    why = reasons[0].message if reasons else ""
    if is_go(looked):
        return Look(Stand.GO, why)
    if looked.answered.verdict is Verdict.UNKNOWN:
        return Look(Stand.UNKNOWN, why)
    return Look(_stand_of_hold(reasons), why)


def _stand_of_hold(reasons: Sequence[Reason]) -> Stand:
    if reasons[0].code in NOT_KNOWN_YET:
        return Stand.NOT_YET
    return Stand.CLOSED if {reason.code for reason in reasons} <= NOT_THE_FLOOR else Stand.HELD
