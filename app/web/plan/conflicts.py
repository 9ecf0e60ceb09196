"""What stands in the way of a send at a time: the gate's own rules, and others' claims on the same queues. Pure.

A `hold` keeps the send from going, a `throttle` takes room from it or may, `none` is worth knowing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple
from urllib.parse import quote

from app.core.campaign.briefing import Briefing
from app.core.campaign.campaign import Campaign, CampaignState
from app.core.gate.override import Effect, Override
from app.core.gate.policy import Mode, Policy
from app.core.gate.windows import hours
from app.core.permit.permit import Permit
from app.web.campaigns.words import briefed, notice_ends
from app.web.format import count, duration, number, whole_minute
from app.web.instants import moment
from app.web.outlook.words import Reader
from app.web.plan.others import OtherCampaign, Others

USUAL_HORIZON_MINUTES = 180
IN_FLIGHT = frozenset({CampaignState.RELEASING, CampaignState.WAITING})
HOLD, ROOM, KNOW = "hold", "throttle", "none"


class Link(NamedTuple):
    """Where to do something about it."""

    text: str
    href: str


class Conflict(NamedTuple):
    """One thing in the way, in a sentence. state: whose shape it wears."""

    state: str
    sentence: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A send as it is planned. start_at: when it begins, now at the earliest; plan_for: the URL of it at another time.

    audience None: none was said. briefing: the campaign's.
    """

    gate: str
    policy: Policy | None
    overrides: tuple[Override, ...]
    campaign: Campaign | None
    briefing: Briefing | None
    audience: int | None
    start_at: datetime
    reader: Reader
    plan_for: Callable[[datetime], str]

    @property
    def now(self) -> datetime:
        """The present."""
        return self.reader.now

    @property
    def horizon(self) -> timedelta:
        """How long what is sent is felt on the floor."""
        outlook = self.policy.outlook if self.policy else None
        return timedelta(minutes=outlook.horizon_minutes if outlook else USUAL_HORIZON_MINUTES)

    def moment(self, at: datetime) -> str:
        """Return an instant by the center's clock."""
        return moment(at, self.reader.zone)

    def plan(self, at: datetime) -> Link:
        """Return the way to the plan of the same send at another time."""
        return Link(f"Plan it for {self.moment(at)}", self.plan_for(at))


def conflicts(asked: Asked, others: Others) -> tuple[Conflict, ...]:
    """Return everything in the way of a send: first what holds it, then what takes room from it."""
    found = [
        *_overridden(asked),
        *_own(asked),
        *_window(asked),
        *_notice(asked),
        *_briefing(asked),
        *_caps(asked),
        *_campaigns(asked, others.campaigns),
        *_permits(asked, others.permits),
        *_watching(asked),
    ]
    return tuple(sorted(found, key=lambda each: (HOLD, ROOM, KNOW).index(each.state)))


# --- the gate's rules -------------------------------------------------------------------------------------------------


def _overridden(asked: Asked) -> Iterator[Conflict]:
    traffic = asked.campaign.traffic_class if asked.campaign else "promotional"
    labels = {"traffic_class": str(traffic)} | ({"campaign": asked.campaign.id} if asked.campaign else {})
    for each in asked.overrides:
        if each.effect is Effect.HOLD and each.applies(labels, asked.start_at):
            until = asked.moment(whole_minute(each.ends_at))
            said = f"{each.created_by} holds the gate until {until}: {each.comment.rstrip('.')}."
            yield Conflict(HOLD, said, (Link("Overrides", f"/overrides?gate={quote(asked.gate)}"),))


def _own(asked: Asked) -> Iterator[Conflict]:
    campaign = asked.campaign
    if campaign is None:
        return
    own = Link(campaign.title, f"/campaigns/{campaign.id}")
    if campaign.state is CampaignState.DRAFT:
        yield Conflict(HOLD, f"{campaign.title} is a draft: announce it before anything of it may go.", (own,))
    if campaign.earliest_start is not None and asked.start_at < campaign.earliest_start:
        at = campaign.earliest_start
        said = f"By its own plan, {campaign.title} does not begin before {asked.moment(at)}."
        yield Conflict(HOLD, said, (asked.plan(at), own))
    if campaign.give_up_at is not None and asked.start_at >= campaign.give_up_at:
        said = (
            f"By its own plan, {campaign.title} is given up at {asked.moment(campaign.give_up_at)}, before it begins."
        )
        yield Conflict(HOLD, said, (own,))
    if campaign.state is CampaignState.PAUSED:
        who = campaign.paused_by or "somebody"
        yield Conflict(HOLD, f"{campaign.title} is paused by {'its gate' if who == 'gate' else who}.", (own,))


def _window(asked: Asked) -> Iterator[Conflict]:
    policy = asked.policy
    if policy is None or not policy.send_windows:
        return
    at = hours(policy.send_windows, policy.time_zone, asked.start_at)
    if at.is_open:
        return
    opens = at.changes_at
    said = f"{asked.moment(asked.start_at)} lies outside the gate's send windows"
    if opens is None:
        yield Conflict(HOLD, f"{said}, and they do not open in the two weeks after.")
    else:
        yield Conflict(HOLD, f"{said}; they open {asked.moment(opens)}.", (asked.plan(opens),))


def _notice(asked: Asked) -> Iterator[Conflict]:
    policy, campaign = asked.policy, asked.campaign
    if policy is None or not policy.notice_minutes:
        return
    wanted = f"The gate wants {duration(policy.notice_minutes * 60)} of notice"
    announced = campaign.announced_at if campaign else None
    ends = notice_ends(policy, announced or asked.now)
    if announced is not None:
        if asked.start_at < ends:
            told = f"{wanted}; announced {asked.moment(announced)}, it may go from {asked.moment(ends)} on."
            yield Conflict(HOLD, told, (asked.plan(ends),))
    elif asked.start_at < ends:
        yield Conflict(HOLD, f"{wanted}: announced now, it may go from {asked.moment(ends)} on.", (asked.plan(ends),))
    else:
        latest = asked.start_at - timedelta(minutes=policy.notice_minutes)
        yield Conflict(KNOW, f"{wanted}: announce it by {asked.moment(latest)}.")


def _briefing(asked: Asked) -> Iterator[Conflict]:
    if asked.policy is None or not asked.policy.briefing_required:
        return
    if asked.campaign is None:
        yield Conflict(HOLD, "The gate wants a briefing read before anything goes: make it a campaign, then write one.")
        return
    told = briefed(asked.policy, asked.briefing)
    if told.state == HOLD:
        link = Link("Briefing", f"/campaigns/{asked.campaign.id}/briefing")
        yield Conflict(HOLD, told.sentence, (link,))


def _caps(asked: Asked) -> Iterator[Conflict]:
    policy, audience = asked.policy, asked.audience
    if policy is None or audience is None:
        return
    for cap, span in ((policy.max_audience_per_wave, "at once"), (policy.max_audience_per_hour, "in an hour")):
        if cap is not None and cap < audience:
            parts = ceil(audience / cap)
            least = f"at least {count(parts, 'wave')}" if span == "at once" else f"more than {count(parts - 1, 'hour')}"
            yield Conflict(ROOM, f"The gate lets {number(cap)} go {span}, so {number(audience)} take {least}.")


def _watching(asked: Asked) -> Iterator[Conflict]:
    if asked.policy is None:
        yield Conflict(HOLD, "The gate has no policy, so it cannot tell, and lets nothing go.")
    elif asked.policy.mode is Mode.SHADOW:
        yield Conflict(KNOW, "The gate only watches: it holds nobody, whatever stands here.")


# --- others -----------------------------------------------------------------------------------------------------------


def _campaigns(asked: Asked, others: Iterable[OtherCampaign]) -> Iterator[Conflict]:
    """Yield those whose contacts come while ours do, the next one first."""
    for each in sorted(others, key=lambda other: (other.starts, other.campaign.id)):
        campaign = each.campaign
        is_going = campaign.state in IN_FLIGHT or (campaign.state is CampaignState.PAUSED)
        ends = max(each.ends, asked.now) if is_going else each.ends
        if not asked.start_at - asked.horizon < ends or not each.starts < asked.start_at + asked.horizon:
            continue
        links = (Link("Its page", f"/campaigns/{campaign.id}"),)
        yield Conflict(ROOM, f"{_told(asked, each)} It comes to {_queues(asked, each.queues)}, too.", links)


def _told(asked: Asked, other: OtherCampaign) -> str:
    campaign, left = other.campaign, number(other.left)
    through = "" if campaign.gate == asked.gate else f" through gate {campaign.gate}"
    match campaign.state:
        case CampaignState.RELEASING:
            return f"{campaign.title} is being sent{through}: {left} are still to go."
        case CampaignState.WAITING:
            return f"{campaign.title} may begin at any time{through}: {left} are to go."
        case CampaignState.PAUSED:
            return f"{campaign.title} is paused{through}: {left} are to go once it goes on."
        case _:
            return f"{campaign.title} is announced for {asked.moment(other.starts)}{through}: {left} are to go."


def _queues(asked: Asked, queues: tuple[str, ...]) -> str:
    named = [asked.reader.title(queue) for queue in queues]
    few = 3
    return ", ".join(named) if len(named) <= few else f"{', '.join(named[:few])} and {count(len(named) - few, 'queue')}"


def _permits(asked: Asked, permits: Iterable[Permit]) -> Iterator[Conflict]:
    for permit in sorted(permits, key=lambda each: each.expires_at):
        if permit.expires_at <= asked.start_at - asked.horizon:
            continue
        whose = f"of {permit.campaign}" if permit.campaign else "of no campaign"
        until = asked.moment(permit.expires_at)
        said = f"A permit {whose} lets {number(permit.outstanding)} more go until {until}."
        yield Conflict(ROOM, said, (Link("The permit", f"/plan?gate={quote(permit.gate)}&permit={permit.id}"),))
