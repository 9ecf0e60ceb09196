"""How campaigns are spoken of: their states, what they wait for, what the contact center was told. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.core.campaign.briefing import ANYBODY, Briefing
from app.core.campaign.campaign import ENDED, PAUSED_BY_GATE, Campaign, CampaignState, ReleaseMode
from app.core.gate.policy import Policy
from app.web.format import duration, iso, number
from app.web.instants import moment

S = CampaignState
GOING = (S.RELEASING, S.PAUSED, S.WAITING, S.SCHEDULED)
WORDS = {
    S.DRAFT: "Draft",
    S.SCHEDULED: "Scheduled",
    S.WAITING: "Waiting",
    S.RELEASING: "Being sent",
    S.PAUSED: "Paused",
    S.DONE: "Done",
    S.CANCELLED: "Cancelled",
    S.GAVE_UP: "Given up",
}
_STANDS = {
    S.DRAFT: "It sends nothing, and the contact center has not been told. Announce it when its plan is right.",
    S.RELEASING: "It goes out, as fast as its gate lets it.",
    S.DONE: "All of its audience was sent to.",
    S.CANCELLED: "It was cancelled: nothing more of it may go.",
    S.GAVE_UP: "Its deadline came before it was done: nothing more of it may go.",
}
MARKS = {S.RELEASING: "send", S.PAUSED: "hold", S.WAITING: "throttle"}
KEPT, NOT_KEPT, OPEN = "send", "hold", "none"


class Instant(NamedTuple):
    """An instant for machines and for people."""

    iso: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """One thing the contact center wants to be told: state is whose shape it wears, `none` where nobody asks for it."""

    state: str
    word: str
    sentence: str


def shown(at: datetime, zone: ZoneInfo) -> Instant:
    """Return an instant for a page."""
    return Instant(iso(at), moment(at, zone))


def mark_of(state: CampaignState) -> str:
    """Return the shape a state wears."""
    return MARKS.get(state, "none")


def stands(campaign: Campaign, zone: ZoneInfo) -> str:
    """Return how a campaign stands, and what happens next, in a sentence."""
    if campaign.state is S.SCHEDULED:
        start = campaign.earliest_start
        when = f"at {moment(start, zone)}" if start else "now"
        return f"It is announced. Its time comes {when}; {_then(campaign)}."
    if campaign.state is S.WAITING:
        return f"Its time has come; {_waits(campaign)}."
    if campaign.state is S.PAUSED:
        return _paused(campaign)
    return _STANDS[campaign.state]


def _then(campaign: Campaign) -> str:
    if campaign.release.mode is ReleaseMode.MANUAL:
        return "then somebody has to start it, and its gate is asked"
    if campaign.release.mode is ReleaseMode.BY_TOOL:
        return "then its email tool may ask for permits"
    return "then it goes as soon as its gate lets it"


def _waits(campaign: Campaign) -> str:
    if campaign.awaits_start:
        return "somebody has to start it"
    if campaign.release.mode is ReleaseMode.BY_TOOL:
        return "its email tool has not been given a permit yet"
    return "its gate has not let it go yet"


def _paused(campaign: Campaign) -> str:
    if campaign.paused_by == PAUSED_BY_GATE:
        return "Its gate paused it; it goes on by itself when the gate lets it."
    return f"{campaign.paused_by or 'Somebody'} paused it; it goes on when somebody resumes it."


def ended(campaign: Campaign) -> bool:
    """Return whether nothing can happen to it any more."""
    return campaign.state in ENDED


def release_in_words(campaign: Campaign) -> str:
    """Return how a campaign goes out."""
    release = campaign.release
    match release.mode:
        case ReleaseMode.MANUAL:
            return "By hand: somebody starts it, and the gate is asked"
        case ReleaseMode.WHEN_READY:
            return "When its gate lets it"
        case ReleaseMode.BY_TOOL:
            return "By its email tool, which asks for each permit"
        case ReleaseMode.WAVES:
            size, gap = number(release.audience_per_wave), duration(release.wave_gap_seconds)
            return f"In waves of {size}, {gap} apart, each when its gate lets it"


# --- what the contact center is told ----------------------------------------------------------------------------------


def notice_ends(policy: Policy | None, announced_at: datetime) -> datetime:
    """Return from when on an announcement is old enough for a policy."""
    return announced_at + timedelta(minutes=policy.notice_minutes if policy else 0)


def notice(policy: Policy | None, campaign: Campaign, now: datetime, zone: ZoneInfo) -> Told:
    """Return whether the contact center hears of a campaign in time."""
    minutes, announced = policy.notice_minutes if policy else 0, campaign.announced_at
    if not minutes:
        said = f"Announced {moment(announced, zone)}." if announced else "Not announced yet."
        return Told(OPEN, "Not asked for", f"{said} The gate asks for no notice.")
    wanted = f"The gate wants {duration(minutes * 60)} of notice"
    if announced is None:
        until = moment(notice_ends(policy, now), zone)
        return Told(NOT_KEPT, "Not announced", f"{wanted}: announced now, it may go from {until} on.")
    until_at = notice_ends(policy, announced)
    said = f"{wanted}; announced {moment(announced, zone)}"
    start = campaign.started_at or campaign.earliest_start or announced
    if until_at <= max(start, now):
        return Told(KEPT, "Kept", f"{said}.")
    return Told(NOT_KEPT, "Too short", f"{said}, so it may go from {moment(until_at, zone)} on, not earlier.")


def briefed(policy: Policy | None, briefing: Briefing | None) -> Told:
    """Return whether the contact center has read what it needs to know of a campaign."""
    is_wanted = policy is not None and policy.briefing_required
    unmet, asked = (NOT_KEPT, "The gate wants it read before anything goes.") if is_wanted else (OPEN, "")
    if briefing is None:
        return Told(unmet, "Missing", f"Nobody has written a briefing yet. {asked}".strip())
    if not briefing.missing:
        return Told(KEPT, "Read", f"Version {briefing.version} is read by everybody who was asked to.")
    nobody = briefing.missing == (ANYBODY,)
    who = (
        "no queue or team has"
        if nobody
        else f"{', '.join(briefing.missing)} {'have' if len(briefing.missing) > 1 else 'has'} not"
    )
    said = f"Version {briefing.version} is written; {who} acknowledged it yet."
    return Told(unmet, "Not read", f"{said} {asked}".strip())
