"""How a campaign begins as a draft, and what a changed plan makes of one that is announced or under way."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from app.core.campaign.campaign import ENDED, Campaign, CampaignState
from app.core.campaign.machine import CampaignStep, StepRefused, step
from app.core.campaign.request import Plan, PlanRefused, plan_document
from app.core.event import Actor
from app.core.problem import Problem

FIXED_ONCE_STARTED = ("gate", "earliest_start", "traffic_class", "holdout_ratio", "sender")
_PLANNED = tuple(field.name for field in fields(Plan))


def drafted(plan: Plan, now: datetime) -> Campaign:
    """Return the draft of a plan."""
    return Campaign(created_at=now, **_members(plan))


def merged(campaign: Campaign, changes: Mapping[str, object]) -> dict[str, object]:
    """Return the campaign's document with these members changed, as by a JSON merge patch: null takes one away.

    Members of `release` are merged one by one, a queue_mix is replaced as a whole; a change of the mode leaves
    nothing of the former release behind.
    """
    document = plan_document(campaign)
    release, given = document["release"], changes.get("release")
    if isinstance(release, Mapping) and isinstance(given, Mapping):
        keeps_mode = given.get("mode", release["mode"]) == release["mode"]
        return document | dict(changes) | {"release": {**(release if keeps_mode else {}), **given}}
    return document | dict(changes)


def changed(campaign: Campaign, plan: Plan, committed: int, actor: Actor, now: datetime) -> Campaign:
    """Return the campaign with another plan. committed: what was sent of it and may still be sent under live permits.

    The contact center gets its notice again (announced_at) when it is to expect more, or sooner: an earlier start,
    another gate, more people, more contacts per 1,000. A campaign whose time had come is scheduled again when its new
    start lies ahead. Raises StepRefused for one that has ended, PlanRefused for what can no longer be changed.
    """
    if campaign.state in ENDED:
        raise StepRefused(f"campaign {campaign.id!r} has ended; make a new one")
    if problems := [*_fixed(campaign, plan), *_too_few(plan, committed)]:
        raise PlanRefused(problems)
    after = replace(campaign, **_members(plan))
    if campaign.announced_at is not None and _asks_more(campaign, after):
        after = replace(after, announced_at=now)
    if after.state is CampaignState.WAITING and not after.is_due(now):
        after, _ = step(after, CampaignStep.POSTPONE, actor, campaign.reason, now=now)
    return after


def _members(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in _PLANNED}


def _fixed(campaign: Campaign, plan: Plan) -> list[Problem]:
    names = ["id", *(FIXED_ONCE_STARTED if campaign.started_at is not None else ())]
    return [
        Problem(f"/{name}", f"the {name} cannot be changed any more; make another campaign")
        for name in names
        if getattr(campaign, name) != getattr(plan, name)
    ]


def _too_few(plan: Plan, committed: int) -> list[Problem]:
    if plan.recipients >= committed:
        return []
    few = f"{plan.audience:,} is too few"
    if plan.recipients < plan.audience:
        few = f"{few}, for {plan.audience - plan.recipients:,} of them are held out"
    detail = f"{few}: {committed:,} were sent to already, or may be under live permits"
    return [Problem("/audience", detail)]


def _asks_more(before: Campaign, after: Campaign) -> bool:
    """Tell whether the contact center has to expect more than it was told, or sooner."""
    earlier = before.earliest_start is not None and (
        after.earliest_start is None or after.earliest_start < before.earliest_start
    )
    more_contacts = (
        before.contacts_per_1000 is not None
        and after.contacts_per_1000 is not None
        and after.contacts_per_1000 > before.contacts_per_1000
    )
    return earlier or more_contacts or after.recipients > before.recipients or after.gate != before.gate
