"""What can be done to a permit: each function returns the permit as it is then, and the events that tell of it.

Pure: nothing is changed, `now` is passed in. What the table in permit.py does not name is refused, never ignored.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from app.core.event import HOLDFIRE, Actor, Event, EventType
from app.core.permit.permit import LIVE, MACHINE, Permit, PermitState, PermitStep

Changed = tuple[Permit, tuple[Event, ...]]

EVENT_OF: Mapping[PermitStep, EventType] = {
    PermitStep.REPORT_ALL: EventType.PERMIT_USED,
    PermitStep.PAUSE: EventType.PERMIT_PAUSED,
    PermitStep.RESUME: EventType.PERMIT_RESUMED,
    PermitStep.RELEASE: EventType.PERMIT_RELEASED,
    PermitStep.EXPIRE: EventType.PERMIT_EXPIRED,
    PermitStep.REVOKE: EventType.PERMIT_REVOKED,
}


class StepRefused(Exception):
    """A permit does not take this step from where it stands; str() is a sentence for people. Nothing was changed."""


def step(permit: Permit, taken: PermitStep, now: datetime, reason: str = "") -> Permit:
    """Return the permit after one step of its machine. Raises StepRefused for a step that its state does not have."""
    after = MACHINE.get((permit.state, taken))
    if after is None:
        raise StepRefused(_refusal(permit, taken))
    return replace(permit, state=after, changed_at=now, reason=reason)


def is_for(permit: Permit, taken: PermitStep, now: datetime) -> bool:
    """Tell whether a permit can take a step now: one whose time is over can only expire, or be reported used."""
    late = is_over(permit, now) and taken not in (PermitStep.EXPIRE, PermitStep.REPORT_ALL)
    return (permit.state, taken) in MACHINE and not late


def take(permit: Permit, taken: PermitStep, actor: Actor, now: datetime, reason: str = "") -> Changed:
    """Return the permit after one step, and the event that says who took it and why.

    Raises StepRefused for a step that it cannot take now.
    """
    if (permit.state, taken) in MACHINE and not is_for(permit, taken, now):
        raise StepRefused(f"permit {permit.id!r} {_standing(permit, now)}, so it cannot {taken}")
    after = step(permit, taken, now, reason)
    return after, (event_of(EVENT_OF[taken], permit, after, actor, reason),)


def is_over(permit: Permit, now: datetime) -> bool:
    """Tell whether a live permit's time is over, so that it has to expire."""
    return permit.state in LIVE and now >= permit.expires_at


def expire(permit: Permit, now: datetime) -> Changed:
    """Return a live permit expired: nobody reported what is left of it, and that is charged no longer."""
    left = f"{permit.outstanding:,} of {permit.allowed:,} were not reported as sent"
    return take(permit, PermitStep.EXPIRE, HOLDFIRE, now, left)


def report(permit: Permit, sent: int, actor: Actor, now: datetime) -> Changed:
    """Return the permit with `sent`, the total so far, booked; a live one is used when that is all it allowed.

    A total no higher than the one known says nothing new: no change, no event. One above `allowed` is booked as it is,
    and the event says by how much. What was sent was sent: an ended permit takes a report, too, and stays ended.
    """
    if sent <= permit.sent:
        return permit, ()
    booked = replace(permit, sent=sent, changed_at=now)
    over = f"{sent - permit.allowed:,} more than allowed" if sent > permit.allowed else ""
    events = (event_of(EventType.PERMIT_REPORTED, permit, booked, actor, over),)
    if permit.state not in LIVE or sent < permit.allowed:
        return booked, events
    used, told = take(booked, PermitStep.REPORT_ALL, actor, now, over)
    return used, events + told


def renew(permit: Permit, ttl_seconds: float, actor: Actor, now: datetime) -> Changed:
    """Return a live permit that ends ttl_seconds from now, or as before where that is later; a paused one resumes.

    Whether its gate says go is for the caller to see. Raises StepRefused for one that has ended or whose time is over,
    and for a paused one of a campaign's wave: that wave is over, and what it did not send comes with a later one.
    """
    if permit.state not in LIVE or is_over(permit, now):
        raise StepRefused(f"permit {permit.id!r} {_standing(permit, now)}; ask for a new one")
    if permit.state is PermitState.PAUSED and permit.wave is not None:
        raise StepRefused(
            f"permit {permit.id!r} was paused, and wave {permit.wave} of campaign {permit.campaign!r} with it is over; "
            "what is left of it comes with a later wave"
        )
    longer = replace(permit, expires_at=max(permit.expires_at, now + timedelta(seconds=ttl_seconds)), changed_at=now)
    events = (event_of(EventType.PERMIT_RENEWED, permit, longer, actor),)
    if permit.state is PermitState.ACTIVE:
        return longer, events
    active, resumed = take(longer, PermitStep.RESUME, actor, now)
    return active, events + resumed


def granted(permit: Permit, actor: Actor) -> Event:
    """Return the event of a permit that was just given."""
    return event_of(EventType.PERMIT_GRANTED, None, permit, actor)


def event_of(kind: EventType, before: Permit | None, after: Permit, actor: Actor, reason: str = "") -> Event:
    """Return an event about a permit, with what it was and what it is."""
    return Event(
        type=kind,
        at=after.changed_at or after.granted_at,
        actor=actor,
        subject=f"permit/{after.id}",
        reason=reason,
        gate=after.gate,
        campaign=after.campaign,
        before=None if before is None else _side(before),
        after=_side(after),
    )


def _side(permit: Permit) -> dict[str, object]:
    return {
        "state": permit.state.value,
        "allow": permit.allowed,
        "sent": permit.sent,
        "expires_at": permit.expires_at.isoformat(),
        "decision_id": permit.decision_id,
        "wave": permit.wave,
    }


def _refusal(permit: Permit, taken: PermitStep) -> str:
    can = [each.value for state, each in MACHINE if state is permit.state]
    allowed = f"from there it can {', '.join(can)}" if can else "nothing can be done to it any more"
    return f"permit {permit.id!r} is {permit.state}, so it cannot {taken}; {allowed}"


def _standing(permit: Permit, now: datetime) -> str:
    return f"was over at {permit.expires_at:%H:%M:%S} UTC" if is_over(permit, now) else f"is {permit.state}"
