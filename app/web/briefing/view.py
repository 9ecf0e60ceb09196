"""A briefing as its page shows it: every value as text, in the zone of the gate's policy. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.campaign.briefing import ANYBODY, Briefing, Image, Link, Question
from app.core.campaign.campaign import Campaign, CampaignState, ReleaseMode, TrafficClass
from app.core.campaign.span import expected_contacts, span
from app.web.format import NO_BREAK, NONE, duration, iso

STATES = {
    CampaignState.DRAFT: "Draft: not announced yet",
    CampaignState.SCHEDULED: "Scheduled",
    CampaignState.WAITING: "Waiting: its time has come, it has not been let go yet",
    CampaignState.RELEASING: "Being sent",
    CampaignState.PAUSED: "Paused",
    CampaignState.DONE: "Sent",
    CampaignState.CANCELLED: "Cancelled",
    CampaignState.GAVE_UP: "Given up",
}
CLASSES = {TrafficClass.PROMOTIONAL: "promotional mail", TrafficClass.SERVICE: "service mail"}


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant for machines and for people."""

    iso: str
    text: str


@dataclass(frozen=True, slots=True)
class Reader:
    """One line of who has read it. at None: they have not read what it says now; former: what they read before.

    version: the newest one that they have read, 0 for none.
    """

    by: str
    name: str
    at: Instant | None
    former: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """What the briefing says, and who has read it."""

    version: int
    author: str
    saved_at: Instant
    offer: str
    recipients: str
    questions: tuple[Question, ...]
    links: tuple[Link, ...]
    images: tuple[Image, ...]
    readers: tuple[Reader, ...]
    standing: str
    is_acknowledged: bool


@dataclass(frozen=True, slots=True)
class BriefingPage:
    """The whole page. said None: nobody has written a briefing yet."""

    campaign: str
    title: str
    state: str
    is_off: bool
    reason: str
    facts: tuple[tuple[str, str], ...]
    zone: str
    shown_at: Instant
    said: Said | None


def briefing_page(campaign: Campaign, briefing: Briefing | None, zone: ZoneInfo, now: datetime) -> BriefingPage:
    """Return the page of a campaign's briefing as of now."""
    return BriefingPage(
        campaign=campaign.id,
        title=campaign.title,
        state=STATES[campaign.state],
        is_off=campaign.state in {CampaignState.CANCELLED, CampaignState.GAVE_UP},
        reason=campaign.reason,
        facts=_facts(campaign, zone),
        zone=zone.key,
        shown_at=_instant(now, zone),
        said=None if briefing is None else _said(briefing, zone),
    )


def _facts(campaign: Campaign, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    contacts = expected_contacts(campaign)
    facts = [
        ("When", _when(campaign, zone)),
        ("How many get it", _recipients(campaign)),
        ("Contacts to expect", "nobody has estimated them" if contacts is None else f"about {contacts:,} in all"),
        ("How it goes out", _release(campaign)),
        ("What it is", ", ".join(filter(None, (campaign.kind, CLASSES[campaign.traffic_class])))),
        ("Gate", campaign.gate),
        ("Owner", campaign.owner or NONE),
        ("Announced", _text(campaign.announced_at, zone) if campaign.announced_at else "not yet"),
    ]
    if campaign.give_up_at:
        facts.append(("Given up after", _text(campaign.give_up_at, zone)))
    return tuple(facts)


def _recipients(campaign: Campaign) -> str:
    if not campaign.held_out:
        return f"{campaign.audience:,}"
    return f"{campaign.recipients:,}; {campaign.held_out:,} picked at random get nothing"


def _when(campaign: Campaign, zone: ZoneInfo) -> str:
    when = span(campaign)
    if when is None:
        start = campaign.earliest_start
        return f"not announced; planned from {_text(start, zone)}" if start else "not announced, and without a time"
    end = when.end.astimezone(zone)
    same_day = end.date() == when.start.astimezone(zone).date()
    return f"{_text(when.start, zone)} to {_clock(end) if same_day else _text(when.end, zone)}"


def _release(campaign: Campaign) -> str:
    release = campaign.release
    match release.mode:
        case ReleaseMode.MANUAL:
            how = "when somebody starts it and the gate lets it"
        case ReleaseMode.WHEN_READY:
            how = "as soon as the gate lets it"
        case ReleaseMode.WAVES:
            how = "in waves, each when the gate lets it"
        case ReleaseMode.BY_TOOL:
            how = "by the email tool, each part when the gate lets it"
    size = f"; {release.audience_per_wave:,} at once" if release.audience_per_wave else ""
    gap = f", {duration(release.wave_gap_seconds)} apart" if release.wave_gap_seconds else ""
    return f"{how}{size}{gap}"


def _said(briefing: Briefing, zone: ZoneInfo) -> Said:
    return Said(
        version=briefing.version,
        author=briefing.author,
        saved_at=_instant(briefing.saved_at, zone),
        offer=briefing.offer,
        recipients=briefing.recipients,
        questions=briefing.questions,
        links=briefing.links,
        images=briefing.images,
        readers=_readers(briefing, zone),
        standing=_standing(briefing),
        is_acknowledged=not briefing.missing,
    )


def _standing(briefing: Briefing) -> str:
    missing = briefing.missing
    if not missing:
        return "Everybody who was asked to has read this version."
    if missing == (ANYBODY,):
        return "Nobody has read this version yet; any one queue or team will do."
    return f"Still to be read by {', '.join(missing)}."


def _readers(briefing: Briefing, zone: ZoneInfo) -> tuple[Reader, ...]:
    """Return those who must read it in their order, then everybody else who has read it or an older version."""
    others = sorted({given.by for given in briefing.acknowledgements} - set(briefing.acknowledge_by))
    return tuple(_reader(briefing, by, zone) for by in (*briefing.acknowledge_by, *others))


def _reader(briefing: Briefing, by: str, zone: ZoneInfo) -> Reader:
    present = briefing.acknowledged(by)
    if present is not None:
        return Reader(by, present.name, _instant(present.at, zone), "", present.version)
    former = max(
        (given for given in briefing.acknowledgements if given.by == by), key=lambda each: each.version, default=None
    )
    said = "" if former is None else f"{former.name} read version {former.version}; it has changed since"
    return Reader(by, "", None, said, former.version if former else 0)


def _instant(at: datetime, zone: ZoneInfo) -> Instant:
    return Instant(iso(at), _text(at, zone))


def _text(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}, {_clock(local)}"


def _clock(local: datetime) -> str:
    """Return a time of day with what its zone is called then, because that changes twice a year in most zones."""
    return f"{local:%H:%M}{NO_BREAK}{local.tzname()}"
