"""Sends in flight: campaigns on their way with their waves, and permits that are out; finished for printing. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.campaign.campaign import PAUSED_BY_GATE, Campaign, CampaignState, ReleaseMode
from app.core.campaign.machine import CampaignStep, allowed
from app.core.permit.permit import Permit
from app.ports.campaigns import Wave
from app.web.format import clock_time, iso, number

UNNAMED = "no campaign"
ON_THEIR_WAY = (CampaignState.RELEASING, CampaignState.PAUSED, CampaignState.WAITING, CampaignState.SCHEDULED)
_MARKS = {CampaignState.RELEASING: "send", CampaignState.PAUSED: "hold", CampaignState.WAITING: "throttle"}
OFFERED = {CampaignStep.PAUSE: "Pause", CampaignStep.RESUME: "Resume", CampaignStep.CANCEL: "Cancel"}
MOST_PARTS = 40
LEAST_GAP = 0.004  # between two waves on a bar


@dataclass(frozen=True, slots=True)
class Part:
    """A wave as a part of a bar of length 1: where it begins, how long it is, and how much of that was sent."""

    start: float
    length: float
    sent: float


@dataclass(frozen=True, slots=True)
class Flight:
    """A permit that is out and belongs to no wave. fill: the share of it that was reported as sent, 0..1."""

    id: str
    title: str
    state: str
    word: str
    sent: str
    allowed: str
    fill: float
    ends: str
    ends_text: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Journey:
    """A campaign on its way. fill: the share of its audience that was reported as sent, 0..1; parts: its waves.

    now: what its last wave does. steps: what people may do with it now, as (step, word).
    """

    id: str
    title: str
    state: str
    word: str
    sent: str
    audience: str
    fill: float
    parts: tuple[Part, ...]
    now: str
    when: str
    when_text: str
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Flights:
    """What is on its way through a gate."""

    flights: tuple[Flight, ...] = ()
    journeys: tuple[Journey, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.flights and not self.journeys


NOTHING = Flights()


@dataclass(frozen=True, slots=True)
class Going:
    """A campaign on its way with all that is shown of it. sent: all it ever sent; waves: all of them, in order.

    next_at: the earliest instant at which its next wave may open, None where that is any time.
    """

    campaign: Campaign
    sent: int = 0
    waves: Sequence[Wave] = ()
    next_at: datetime | None = None


def flights(
    permits: Iterable[Permit],
    must_stop: Callable[[Permit], bool],
    going: Iterable[Going],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> Flights:
    """Return what is on its way as of `now`. A wave's permit is shown with its campaign."""
    known = {each.campaign.id: each for each in going}
    live = list(permits)
    stopped = {permit.id for permit in live if must_stop(permit)}
    ordered = sorted(known.values(), key=lambda each: (ON_THEIR_WAY.index(each.campaign.state), each.campaign.id))
    titles = {name: each.campaign.title for name, each in known.items()}
    single = [permit for permit in live if permit.wave is None or permit.campaign not in known]
    return Flights(
        tuple(_flight(permit, titles, stops=permit.id in stopped, now=now, zone=zone) for permit in single),
        tuple(_journey(each, stopped, now, zone) for each in ordered),
    )


def _flight(permit: Permit, titles: Mapping[str, str], *, stops: bool, now: datetime, zone: ZoneInfo) -> Flight:
    name = permit.campaign or UNNAMED
    return Flight(
        id=permit.id,
        title=titles.get(name, name),
        state="hold" if stops else "send",
        word="MUST STOP" if stops else "SENDING",
        sent=number(permit.sent),
        allowed=number(permit.allowed),
        fill=_share(permit.sent, permit.allowed),
        ends=iso(permit.expires_at),
        ends_text=clock_time(permit.expires_at, zone, today=now),
    )


def _journey(going: Going, stopped: set[str], now: datetime, zone: ZoneInfo) -> Journey:
    campaign = going.campaign
    starts = campaign.earliest_start if campaign.state is CampaignState.SCHEDULED else None
    return Journey(
        id=campaign.id,
        title=campaign.title,
        state=_MARKS.get(campaign.state, "none"),
        word=campaign.state.upper(),
        sent=number(going.sent),
        audience=number(campaign.recipients),
        fill=_share(going.sent, campaign.recipients),
        parts=parts(going.waves, campaign.recipients),
        now=_doing(going, stopped, now, zone),
        when=iso(starts),
        when_text="" if starts is None else clock_time(starts, zone, today=now),
        steps=tuple((step.value, OFFERED[step]) for step in allowed(campaign) if step in OFFERED),
    )


def _doing(going: Going, stopped: set[str], now: datetime, zone: ZoneInfo) -> str:
    """Return what a campaign's last wave does, and when the next one may come."""
    campaign, last = going.campaign, going.waves[-1] if going.waves else None
    by = f"paused by {'its gate' if campaign.paused_by == PAUSED_BY_GATE else campaign.paused_by}"
    paused = by if campaign.state is CampaignState.PAUSED else ""
    if last is None:
        tool = "its tool asks for permits" if campaign.release.mode is ReleaseMode.BY_TOOL else ""
        return paused or tool
    said = f"wave {last.number}: {number(last.sent)} of {number(last.allowed)}"
    if last.ended_at is None and last.permit_id in stopped:
        return f"{said}, must stop"
    if last.ended_at is None:
        return said
    over = f"{said}, {last.ending or 'over'}"
    due = going.next_at if going.next_at is not None and going.next_at > now else None
    follows = (
        f"next from {clock_time(due, zone, today=now)}" if due and campaign.state is CampaignState.RELEASING else ""
    )
    return ", ".join(part for part in (over, paused or follows) if part)


def parts(waves: Sequence[Wave], recipients: int) -> tuple[Part, ...]:
    """Return waves as parts of a bar, one after the other. An ended wave is as long as what was sent of it."""
    shown: list[Part] = []
    at = _share(sum(wave.sent for wave in waves[:-MOST_PARTS]), recipients)
    for wave in waves[-MOST_PARTS:]:
        length = _share(wave.sent if wave.ended_at is not None else max(wave.allowed, wave.sent), recipients)
        length = min(length, 1.0 - at)
        seen = max(0.0, length - LEAST_GAP)
        shown.append(Part(round(at, 4), round(seen, 4), round(min(seen, _share(wave.sent, recipients)), 4)))
        at += length
    return tuple(part for part in shown if part.length > 0)


def _share(sent: int, whole: int) -> float:
    return round(min(1.0, sent / whole), 4)
