"""A campaign as the calendar shows it: when, to how many, and what the contact center would have to object. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.core.campaign.briefing import ANYBODY
from app.core.campaign.campaign import ENDED, Campaign, CampaignState
from app.core.campaign.span import SHORTEST, Span, expected_contacts, planned_length, span
from app.core.gate.answer import CampaignFacts
from app.core.gate.policy import Policy
from app.web.campaigns.words import WORDS, Instant, mark_of, notice, notice_ends, shown
from app.web.format import count, duration, number
from app.web.instants import minute, moment, typed

OFF = frozenset({CampaignState.CANCELLED, CampaignState.GAVE_UP})


class Warned(NamedTuple):
    """Something to see to: whose shape it wears, a word or two, and a sentence."""

    state: str
    word: str
    sentence: str


class Around(NamedTuple):
    """What a campaign is judged by. queues: what each campaign's contacts come to, by its id.

    answer_minutes: how long after its mail half of a campaign's contacts have come.
    """

    policies: Mapping[str, Policy]
    facts: Mapping[str, CampaignFacts]
    queues: Mapping[str, frozenset[str]]
    titles: Mapping[str, str]
    answer_minutes: int
    now: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Entry:
    """One campaign of a calendar. span: its mails; state, word: how it stands; typed: its start as a form has it."""

    id: str
    title: str
    gate: str
    state: str
    word: str
    span: Span
    starts: Instant
    clock: str
    ends: Instant
    typed: str
    audience: str
    waves: str
    contacts: str
    warnings: tuple[Warned, ...]
    may_move: bool
    is_off: bool
    is_draft: bool


def placed(campaign: Campaign) -> Span | None:
    """Return when a campaign's mails go, a draft's as it is planned; None for a draft without a time."""
    found = span(campaign)
    if found is not None or campaign.earliest_start is None:
        return found
    return Span(campaign.earliest_start, campaign.earliest_start + max(planned_length(campaign), SHORTEST))


def may_move(campaign: Campaign) -> bool:
    """Return whether its start can still be changed: it has not begun, and not ended."""
    return campaign.state not in ENDED and campaign.started_at is None


def entries(campaigns: Iterable[Campaign], around: Around) -> tuple[Entry, ...]:
    """Return the campaigns that have a time, in the order in which they go."""
    timed = [(when, each) for each in campaigns if (when := placed(each)) is not None]
    timed.sort(key=lambda pair: (pair[0].start, pair[1].id))
    known = [each for _, each in timed]
    return tuple(_entry(each, when, known, around) for when, each in timed)


def _entry(campaign: Campaign, when: Span, others: Sequence[Campaign], around: Around) -> Entry:
    zone = around.zone
    same_day = when.start.astimezone(zone).date() == when.end.astimezone(zone).date()
    ends = shown(when.end, zone)
    contacts = expected_contacts(campaign)
    return Entry(
        id=campaign.id,
        title=campaign.title,
        gate=campaign.gate,
        state=mark_of(campaign.state),
        word=WORDS[campaign.state],
        span=when,
        starts=shown(when.start, zone),
        clock=minute(when.start, zone),
        ends=Instant(ends.iso, minute(when.end, zone)) if same_day else ends,
        typed=typed(when.start, zone),
        audience=number(campaign.audience),
        waves=waves(campaign),
        contacts="" if contacts is None else f"about {number(contacts)} contacts in all",
        warnings=tuple(warnings(campaign, others, around)),
        may_move=may_move(campaign),
        is_off=campaign.state in OFF,
        is_draft=campaign.state is CampaignState.DRAFT,
    )


def waves(campaign: Campaign) -> str:
    """Return how many waves a campaign goes in: `20 waves of 25,000, 15 min apart`, `all at once`."""
    release = campaign.release
    if not release.audience_per_wave:
        return "all at once"
    many = math.ceil(campaign.recipients / release.audience_per_wave)
    apart = f", {duration(release.wave_gap_seconds)} apart" if release.wave_gap_seconds else ""
    return f"{count(many, 'wave')} of {number(release.audience_per_wave)}{apart}"


# --- what there is to object ------------------------------------------------------------------------------------------


def warnings(campaign: Campaign, others: Iterable[Campaign], around: Around) -> Iterator[Warned]:
    """Yield what the contact center would object to a campaign that has not begun, or not ended."""
    if campaign.state in ENDED:
        return
    policy = around.policies.get(campaign.gate)
    if campaign.started_at is None and policy and campaign.traffic_class not in policy.exempt_traffic_classes:
        yield from short_notice(campaign, policy, around)
        yield from _unread(campaign, policy, around)
    yield from _overlaps(campaign, others, around)


def short_notice(campaign: Campaign, policy: Policy, around: Around) -> Iterator[Warned]:
    """Yield the notice that a policy wants and that a campaign does not give, or not if it is announced now."""
    if not policy.notice_minutes:
        return
    start = max(campaign.earliest_start or around.now, around.now)
    if notice_ends(policy, campaign.announced_at or around.now) <= start:
        return
    yield Warned("hold", "short notice", notice(policy, campaign, around.now, around.zone).sentence)


def _unread(campaign: Campaign, policy: Policy, around: Around) -> Iterator[Warned]:
    facts = around.facts.get(campaign.id)
    if not policy.briefing_required or facts is None:
        return
    missing = facts.missing_acknowledgements
    if missing is None:
        yield Warned(
            "hold", "no briefing", "Nobody has written its briefing yet, and the gate holds it until it is read."
        )
    elif missing:
        who = "any queue or team" if missing == (ANYBODY,) else ", ".join(missing)
        yield Warned(
            "hold", "briefing not read", f"Its briefing is still to be read by {who}; the gate holds it until then."
        )


def _overlaps(campaign: Campaign, others: Iterable[Campaign], around: Around) -> Iterator[Warned]:
    """Yield the campaigns whose contacts come to the same queues at the same time."""
    own = _busy(campaign, around)
    for other in others:
        shared = around.queues.get(campaign.id, frozenset()) & around.queues.get(other.id, frozenset())
        theirs = _busy(other, around)
        if other.id == campaign.id or other.state in OFF or not shared or own is None or theirs is None:
            continue
        if own.start < theirs.end and theirs.start < own.end:
            yield Warned("throttle", "overlap", _overlap_said(other, shared, around))


def _overlap_said(other: Campaign, shared: frozenset[str], around: Around) -> str:
    when = placed(other)
    begins = f", which begins {moment(when.start, around.zone)}" if when else ""
    queues = ", ".join(sorted(around.titles.get(queue, queue) for queue in shared))
    return f"Its contacts come together with those of “{other.title}”{begins}, to {queues}."


def _busy(campaign: Campaign, around: Around) -> Span | None:
    """Return from the first mail until half of the contacts of the last one have come."""
    when = placed(campaign)
    return None if when is None else Span(when.start, when.end + timedelta(minutes=around.answer_minutes))


def at_another_time(campaign: Campaign, start: datetime, now: datetime) -> Campaign:
    """Return a campaign as it would stand if it began at another time: an earlier one is announced anew."""
    before = campaign.earliest_start
    is_earlier = before is not None and start < before
    announced = now if campaign.announced_at is not None and is_earlier else campaign.announced_at
    return replace(campaign, earliest_start=start, announced_at=announced)
