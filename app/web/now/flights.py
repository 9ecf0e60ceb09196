"""Sends in flight: what live permits say, and campaigns on their way, finished for printing. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.campaign.campaign import Campaign, CampaignState
from app.core.permit.permit import Permit
from app.web.format import clock_time, iso, number

UNNAMED = "no campaign"
ON_THEIR_WAY = (CampaignState.RELEASING, CampaignState.PAUSED, CampaignState.WAITING, CampaignState.SCHEDULED)
_MARKS = {CampaignState.RELEASING: "send", CampaignState.PAUSED: "hold", CampaignState.WAITING: "throttle"}


@dataclass(frozen=True, slots=True)
class Flight:
    """A permit that is out. fill: the share of it that was reported as sent, 0..1."""

    id: str
    title: str
    wave: str
    state: str
    word: str
    sent: str
    allowed: str
    fill: float
    ends: str
    ends_text: str


@dataclass(frozen=True, slots=True)
class Journey:
    """A campaign on its way. fill: the share of its audience that was reported as sent, 0..1."""

    id: str
    title: str
    state: str
    word: str
    sent: str
    audience: str
    fill: float
    when: str
    when_text: str


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


def flights(
    permits: Iterable[Permit],
    must_stop: Callable[[Permit], bool],
    campaigns: Iterable[Campaign],
    sent: Mapping[str, int],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> Flights:
    """Return what is on its way as of `now`. sent: what each campaign has sent in all, by its id."""
    known = {campaign.id: campaign for campaign in campaigns}
    going = sorted(known.values(), key=lambda campaign: (ON_THEIR_WAY.index(campaign.state), campaign.id))
    return Flights(
        tuple(_flight(permit, known, stops=must_stop(permit), now=now, zone=zone) for permit in permits),
        tuple(_journey(campaign, sent.get(campaign.id, 0), now, zone) for campaign in going),
    )


def _flight(permit: Permit, known: Mapping[str, Campaign], *, stops: bool, now: datetime, zone: ZoneInfo) -> Flight:
    name = permit.campaign or UNNAMED
    return Flight(
        id=permit.id,
        title=known[name].title if name in known else name,
        wave="" if permit.wave is None else f"wave {permit.wave}",
        state="hold" if stops else "send",
        word="MUST STOP" if stops else "SENDING",
        sent=number(permit.sent),
        allowed=number(permit.allowed),
        fill=_share(permit.sent, permit.allowed),
        ends=iso(permit.expires_at),
        ends_text=clock_time(permit.expires_at, zone, today=now),
    )


def _journey(campaign: Campaign, sent: int, now: datetime, zone: ZoneInfo) -> Journey:
    starts = campaign.earliest_start if campaign.state is CampaignState.SCHEDULED else None
    return Journey(
        id=campaign.id,
        title=campaign.title,
        state=_MARKS.get(campaign.state, "none"),
        word=campaign.state.upper(),
        sent=number(sent),
        audience=number(campaign.recipients),
        fill=_share(sent, campaign.recipients),
        when=iso(starts),
        when_text="" if starts is None else f"from {clock_time(starts, zone, today=now)}",
    )


def _share(sent: int, whole: int) -> float:
    return min(1.0, sent / whole)
