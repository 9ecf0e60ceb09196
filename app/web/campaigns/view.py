"""A campaign as its page shows it: where it stands, its life as a line, its waves and permits, and its plan. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.core.campaign.briefing import Briefing
from app.core.campaign.campaign import ENDED, Campaign, CampaignState, TrafficClass
from app.core.campaign.handover import Handover
from app.core.campaign.machine import CampaignStep, allowed
from app.core.campaign.span import expected_contacts
from app.core.event import MEANINGS, Event, EventType
from app.core.gate.policy import Policy
from app.core.permit.permit import LIVE, Permit, Spent
from app.ports.campaigns import Wave
from app.ports.events import WrittenEvent
from app.web.campaigns.words import (
    WORDS,
    Instant,
    Told,
    briefed,
    mark_of,
    notice,
    notice_ends,
    release_in_words,
    shown,
    stands,
)
from app.web.format import NONE, number, percent

CLASSES = {TrafficClass.PROMOTIONAL: "Promotional", TrafficClass.SERVICE: "Service"}
DONE, NOW, AHEAD = "done", "now", "ahead"
# States whose reason says more than that the gate lets it go.
TELLING = frozenset(CampaignState) - {CampaignState.DRAFT, CampaignState.SCHEDULED, CampaignState.RELEASING}
ENDINGS = {"used": "all of it sent"}


@dataclass(frozen=True, slots=True)
class Known:
    """All that a campaign's page is made of. events: newest first; titles: what queues are called.

    not_ready: why the tool that sends it is not ready for a wave, None where it is or there is none.
    """

    campaign: Campaign
    spent: Spent
    waves: Sequence[Wave]
    permits: Sequence[Permit]
    briefing: Briefing | None
    policy: Policy | None
    events: Sequence[WrittenEvent]
    must_stop: Callable[[Permit], bool]
    titles: Mapping[str, str]
    now: datetime
    zone: ZoneInfo
    not_ready: str | None = None


class Stage(NamedTuple):
    """A step of a campaign's life: whether it is done, now or ahead; at None: at no known instant."""

    word: str
    place: str
    at: Instant | None
    note: str


class WaveRow(NamedTuple):
    """A wave. fill: the share of it that was sent, 0..1."""

    name: str
    opened: Instant
    sent: str
    allowed: str
    fill: float
    ending: str
    is_open: bool


class PermitRow(NamedTuple):
    """A permit. state: whose shape it wears."""

    id: str
    state: str
    word: str
    wave: str
    granted: Instant
    ends: Instant
    sent: str
    allowed: str
    why: str


class Happened(NamedTuple):
    """One thing that was done to the campaign."""

    at: Instant
    what: str
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class CampaignPage:
    """The whole page, printable. steps: what can be done with it now; is_draft: it can be deleted."""

    id: str
    title: str
    gate: str
    state: str
    word: str
    stands: str
    reason: str
    revision: int
    steps: tuple[CampaignStep, ...]
    is_draft: bool
    has_ended: bool
    sent: str
    outstanding: str
    left: str
    recipients: str
    fill: float
    out: float
    notice: Told
    briefing: Told
    stages: tuple[Stage, ...]
    facts: tuple[tuple[str, str], ...]
    waves: tuple[WaveRow, ...]
    permits: tuple[PermitRow, ...]
    log: tuple[Happened, ...]
    is_debriefable: bool
    at: Instant


def campaign_page(known: Known) -> CampaignPage:
    """Return a campaign's page as of now."""
    campaign, spent = known.campaign, known.spent
    sent, out = spent.sent_last_hour, spent.outstanding  # of a campaign: all that it ever sent
    return CampaignPage(
        id=campaign.id,
        title=campaign.title,
        gate=campaign.gate,
        state=mark_of(campaign.state),
        word=WORDS[campaign.state],
        stands=stands(campaign, known.zone),
        reason=campaign.reason if campaign.state in TELLING else "",
        revision=campaign.revision,
        steps=allowed(campaign),
        is_draft=campaign.state is CampaignState.DRAFT,
        has_ended=campaign.ended_at is not None,
        sent=number(sent),
        outstanding=number(out),
        left=number(max(0, campaign.recipients - sent - out)),
        recipients=number(campaign.recipients),
        fill=min(1.0, sent / campaign.recipients),
        out=min(1.0, (sent + out) / campaign.recipients),
        notice=notice(known.policy, campaign, known.now, known.zone),
        briefing=briefed(known.policy, known.briefing),
        stages=tuple(_stages(known)),
        facts=tuple(_facts(known)),
        waves=tuple(_wave_row(wave, known.zone) for wave in reversed(known.waves)),
        permits=tuple(_permit_row(permit, known) for permit in known.permits),
        log=tuple(_happened(event, known) for event in known.events),
        is_debriefable=sent > 0,
        at=shown(known.now, known.zone),
    )


# --- its life ---------------------------------------------------------------------------------------------------------


def _stages(known: Known) -> Iterator[Stage]:
    """Yield the steps of a campaign's life in their order; exactly one is now, unless it has ended."""
    campaign, zone, policy = known.campaign, known.zone, known.policy
    yield Stage("Drafted", DONE if campaign.announced_at else NOW, shown(campaign.created_at, zone), campaign.owner)
    announced = campaign.announced_at
    if announced is None:
        yield Stage("Announced", AHEAD, None, "")
    else:
        is_now = campaign.state is CampaignState.SCHEDULED
        yield Stage("Announced", NOW if is_now else DONE, shown(announced, zone), "")
        if policy is not None and policy.notice_minutes:
            over = notice_ends(policy, announced)
            yield Stage("Notice over", DONE if known.now >= over else AHEAD, shown(over, zone), "")
    yield from _begins(known)
    yield from _ends(known)


def _begins(known: Known) -> Iterator[Stage]:
    campaign, zone = known.campaign, known.zone
    if (start := campaign.earliest_start) is not None:
        place = DONE if campaign.started_at or campaign.ended_at or known.now >= start else AHEAD
        yield Stage("Earliest start", place, shown(start, zone), "")
    if campaign.state is CampaignState.WAITING:
        yield Stage("Waiting", NOW, None, campaign.reason)
    if campaign.started_at is not None:
        is_now = campaign.state is CampaignState.RELEASING
        yield Stage("Released", NOW if is_now else DONE, shown(campaign.started_at, zone), "")
    elif campaign.ended_at is None:
        yield Stage("Released", AHEAD, None, "")
    if campaign.state is CampaignState.PAUSED:
        yield Stage("Paused", NOW, None, f"by {campaign.paused_by}" if campaign.paused_by else "")


def _ends(known: Known) -> Iterator[Stage]:
    campaign, zone = known.campaign, known.zone
    if campaign.ended_at is not None:
        yield Stage(WORDS[campaign.state], NOW, shown(campaign.ended_at, zone), campaign.reason)
        return
    if campaign.give_up_at is not None:
        yield Stage("Given up, if not done by", AHEAD, shown(campaign.give_up_at, zone), "")
    yield Stage("Done", AHEAD, None, "")


# --- what it is -------------------------------------------------------------------------------------------------------


def _facts(known: Known) -> Iterator[tuple[str, str]]:
    campaign = known.campaign
    held = f"; {campaign.held_out:,} more picked at random get nothing" if campaign.held_out else ""
    yield "Goes to", f"{campaign.recipients:,}{held}"
    yield "Goes out", release_in_words(campaign)
    if campaign.sender is not None:
        yield "Sent by", _sent_by(campaign.sender, known)
    yield "Kind", ", ".join(filter(None, (campaign.kind, CLASSES[campaign.traffic_class].lower())))
    contacts = expected_contacts(campaign)
    said = f"{number(campaign.contacts_per_1000)} per 1,000, {contacts:,} in all" if contacts is not None else NONE
    yield "Contacts to expect", said
    if campaign.queue_mix:
        parts = (f"{known.titles.get(queue, queue)} {percent(share)}" for queue, share in campaign.queue_mix)
        yield "Come to", ", ".join(parts)
    yield "Gate", campaign.gate
    yield "Owner", campaign.owner or NONE
    yield "Id", campaign.id


def _sent_by(handover: Handover, known: Known) -> str:
    tools = ", ".join(part.id for part in handover.campaigns)
    said = f"{handover.sender}, as its {'campaign' if len(handover.campaigns) == 1 else 'campaigns'} {tools}"
    is_going = known.campaign.state not in ENDED | {CampaignState.DRAFT}
    return f"{said}; {known.not_ready}" if known.not_ready and is_going else said


def _wave_row(wave: Wave, zone: ZoneInfo) -> WaveRow:
    return WaveRow(
        f"{wave.number}{', probing' if wave.is_probe else ''}",
        shown(wave.opened_at, zone),
        number(wave.sent),
        number(wave.allowed),
        min(1.0, wave.sent / wave.allowed) if wave.allowed else 0.0,
        ENDINGS.get(wave.ending, wave.ending) if wave.ended_at else "open",
        wave.ended_at is None,
    )


def _permit_row(permit: Permit, known: Known) -> PermitRow:
    stops = permit.state in LIVE and known.must_stop(permit)
    return PermitRow(
        permit.id,
        "none" if permit.state not in LIVE else "hold" if stops else "send",
        "Must stop" if stops else permit.state.capitalize(),
        NONE if permit.wave is None else str(permit.wave),
        shown(permit.granted_at, known.zone),
        shown(permit.expires_at, known.zone),
        number(permit.sent),
        number(permit.allowed),
        permit.reason,
    )


def _happened(event: WrittenEvent, known: Known) -> Happened:
    told = event.event
    meaning = MEANINGS[told.type].text.replace("a campaign's", "its").replace("a campaign", "it")
    what = f"{meaning[:1].upper()}{meaning[1:]}{_changed(told)}"
    return Happened(shown(told.at, known.zone), what, told.actor.name, told.reason)


def _changed(told: Event) -> str:
    """Return which members of a plan changed, from what to what; nothing for any other event."""
    if told.type is not EventType.CAMPAIGN_CHANGED or told.before is None or told.after is None:
        return ""
    members = (
        f"{name.replace('_', ' ')} {_plain(told.before[name])} → {_plain(told.after.get(name))}" for name in told.before
    )
    said = "; ".join(members)
    return f": {said}" if said else ""


def _plain(value: object) -> str:
    match value:
        case None | "":
            return NONE
        case bool() | str():
            return str(value)
        case int() | float():
            return number(value)
        case list() | tuple():
            return ", ".join(_plain(each) for each in value)
        case Mapping():
            return ", ".join(
                f"{name.replace('_', ' ')} {_plain(each)}" for name, each in value.items() if each is not None
            )
        case _:
            return str(value)
