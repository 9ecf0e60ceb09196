"""Where a campaign can go from where it stands: one table, and who may take each step.

Persons and programs with a key schedule, start, pause, resume and cancel. holdfire itself does the rest: it looks at
the clock (become_due, postpone, give_up), at the gate (release, hold) and at what was sent (finish). What the gate
paused goes on when the gate lets it; what a person paused waits for a person.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.core.campaign.campaign import ENDED, PAUSED_BY_GATE, Campaign, CampaignState, ReleaseMode
from app.core.event import HOLDFIRE, Actor, Event, EventType


class CampaignStep(StrEnum):
    """What can happen to a campaign."""

    SCHEDULE = "schedule"
    BECOME_DUE = "become_due"
    POSTPONE = "postpone"
    START = "start"
    RELEASE = "release"
    HOLD = "hold"
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"
    CANCEL = "cancel"
    GIVE_UP = "give_up"


class StepRefused(ValueError):
    """A campaign cannot take a step from where it stands; str() says what it can do instead."""


_S = CampaignState
_DO = CampaignStep
MACHINE: Mapping[tuple[CampaignState, CampaignStep], CampaignState] = {
    (_S.DRAFT, _DO.SCHEDULE): _S.SCHEDULED,
    (_S.SCHEDULED, _DO.BECOME_DUE): _S.WAITING,
    (_S.SCHEDULED, _DO.PAUSE): _S.PAUSED,
    (_S.SCHEDULED, _DO.CANCEL): _S.CANCELLED,
    (_S.SCHEDULED, _DO.GIVE_UP): _S.GAVE_UP,
    (_S.WAITING, _DO.POSTPONE): _S.SCHEDULED,
    (_S.WAITING, _DO.START): _S.RELEASING,
    (_S.WAITING, _DO.RELEASE): _S.RELEASING,
    (_S.WAITING, _DO.PAUSE): _S.PAUSED,
    (_S.WAITING, _DO.FINISH): _S.DONE,
    (_S.WAITING, _DO.CANCEL): _S.CANCELLED,
    (_S.WAITING, _DO.GIVE_UP): _S.GAVE_UP,
    (_S.RELEASING, _DO.HOLD): _S.PAUSED,
    (_S.RELEASING, _DO.PAUSE): _S.PAUSED,
    (_S.RELEASING, _DO.FINISH): _S.DONE,
    (_S.RELEASING, _DO.CANCEL): _S.CANCELLED,
    (_S.RELEASING, _DO.GIVE_UP): _S.GAVE_UP,
    (_S.PAUSED, _DO.RELEASE): _S.RELEASING,
    (_S.PAUSED, _DO.PAUSE): _S.PAUSED,
    (_S.PAUSED, _DO.RESUME): _S.SCHEDULED,
    (_S.PAUSED, _DO.FINISH): _S.DONE,
    (_S.PAUSED, _DO.CANCEL): _S.CANCELLED,
    (_S.PAUSED, _DO.GIVE_UP): _S.GAVE_UP,
}
BY_PERSONS = (_DO.SCHEDULE, _DO.START, _DO.PAUSE, _DO.RESUME, _DO.CANCEL)
TOLD_AS: Mapping[CampaignStep, EventType] = {
    _DO.SCHEDULE: EventType.CAMPAIGN_SCHEDULED,
    _DO.BECOME_DUE: EventType.CAMPAIGN_DUE,
    _DO.POSTPONE: EventType.CAMPAIGN_SCHEDULED,
    _DO.START: EventType.CAMPAIGN_STARTED,
    _DO.RELEASE: EventType.CAMPAIGN_STARTED,
    _DO.HOLD: EventType.CAMPAIGN_PAUSED,
    _DO.PAUSE: EventType.CAMPAIGN_PAUSED,
    _DO.RESUME: EventType.CAMPAIGN_RESUMED,
    _DO.FINISH: EventType.CAMPAIGN_DONE,
    _DO.CANCEL: EventType.CAMPAIGN_CANCELLED,
    _DO.GIVE_UP: EventType.CAMPAIGN_GAVE_UP,
}


def step(
    campaign: Campaign, what: CampaignStep, actor: Actor = HOLDFIRE, reason: str = "", *, now: datetime
) -> tuple[Campaign, Event]:
    """Return the campaign after a step, and the event that tells of it. Raises StepRefused; the revision stays."""
    fault = _fault(campaign, what)
    if fault is None and what in BY_PERSONS and what is not CampaignStep.CANCEL and campaign.is_overdue(now):
        fault = f"was to be given up at {_text(campaign.give_up_at)}; change give_up_at first"
    if fault is not None:
        raise StepRefused(f"campaign {campaign.id!r} {fault}")
    after = replace(
        campaign, state=MACHINE[campaign.state, what], reason=reason, **_changes(campaign, what, actor, now)
    )
    kind = TOLD_AS[what]
    if kind is EventType.CAMPAIGN_STARTED and campaign.started_at is not None:
        kind = EventType.CAMPAIGN_RESUMED
    return after, event(kind, after, actor, reason, now, before=where(campaign), after=where(after))


def allowed(campaign: Campaign) -> tuple[CampaignStep, ...]:
    """Return the steps that a person can take now."""
    return tuple(what for what in BY_PERSONS if (campaign.state, what) in MACHINE and _fault(campaign, what) is None)


def event(
    kind: EventType,
    campaign: Campaign,
    actor: Actor,
    reason: str,
    now: datetime,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> Event:
    """Return an event of a campaign."""
    return Event(kind, now, actor, f"campaign/{campaign.id}", reason, campaign.gate, campaign.id, before, after)


def where(campaign: Campaign) -> dict[str, object]:
    """Return, JSON-ready, how a campaign stands: what those who are told of a step want to know."""
    return {
        "state": campaign.state.value,
        "paused_by": campaign.paused_by,
        "title": campaign.title,
        "audience": campaign.audience,
        "held_out": campaign.held_out,
        "announced_at": _text(campaign.announced_at),
        "earliest_start": _text(campaign.earliest_start),
        "give_up_at": _text(campaign.give_up_at),
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _changes(campaign: Campaign, what: CampaignStep, actor: Actor, now: datetime) -> dict[str, Any]:
    """Return what a step changes beside the state and its reason."""
    changes: dict[str, Any] = {}
    match what:
        case CampaignStep.SCHEDULE:
            changes = {"announced_at": now}
        case CampaignStep.START | CampaignStep.RELEASE:
            changes = {"started_at": campaign.started_at or now, "paused_by": None}
        case CampaignStep.HOLD:
            changes = {"paused_by": PAUSED_BY_GATE}
        case CampaignStep.PAUSE:
            changes = {"paused_by": actor.id if actor.name == PAUSED_BY_GATE else actor.name}
        case CampaignStep.RESUME:
            changes = {"paused_by": None}
        case CampaignStep.FINISH | CampaignStep.CANCEL | CampaignStep.GIVE_UP:
            changes = {"ended_at": now, "paused_by": None}
        case CampaignStep.BECOME_DUE | CampaignStep.POSTPONE:
            pass
    return changes


def _fault(campaign: Campaign, what: CampaignStep) -> str | None:
    """Return why a campaign cannot take a step now, None when it can."""
    if (campaign.state, what) not in MACHINE:
        return _not_from_here(campaign, what)
    if what is CampaignStep.START and campaign.release.mode is not ReleaseMode.MANUAL:
        return f"starts by itself, when its gate lets it (its release mode is {campaign.release.mode.value!r})"
    if campaign.state is CampaignState.PAUSED and (fault := _paused_fault(campaign, what)):
        return fault
    if what is CampaignStep.RELEASE and campaign.awaits_start:
        return "is released by hand; a person has to start it"
    return None


def _paused_fault(campaign: Campaign, what: CampaignStep) -> str | None:
    by_gate = campaign.paused_by == PAUSED_BY_GATE
    if what is CampaignStep.RESUME and by_gate:
        return "was paused by its gate; it goes on by itself when the gate lets it"
    if what is CampaignStep.PAUSE and not by_gate:
        return f"is paused already, by {campaign.paused_by}"
    if what is CampaignStep.RELEASE and not by_gate:
        return f"was paused by {campaign.paused_by}; a person has to resume it"
    return None


def _not_from_here(campaign: Campaign, what: CampaignStep) -> str:
    stands = f"is {campaign.state.replace('_', ' ')}"
    if campaign.state in ENDED:
        return f"{stands}: it has ended, and nothing can happen to it any more"
    can = [each.value for each in allowed(campaign)]
    if campaign.state is CampaignState.DRAFT:
        can.append("delete")
    return f"{stands}, so the step {what.value!r} is not possible; possible are: {', '.join(can)}"
