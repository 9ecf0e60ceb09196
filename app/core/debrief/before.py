"""What went before a campaign's first message: when it was to go, whether it was briefed, and what its gate limits."""

from collections.abc import Sequence
from datetime import datetime

from app.core.campaign.briefing import Briefing
from app.core.campaign.campaign import Campaign, ReleaseMode
from app.core.debrief.question import Limit
from app.core.floor.metric import DEFINITIONS, Metric, Worse
from app.core.forecast.limits import OutlookLimits
from app.core.gate.policy import Policy

# What is told per five minutes, so that minutes past a limit can be counted.
TOLD = (Metric.BACKLOG, Metric.SERVICE_LEVEL_RATIO, Metric.SPEED_TO_ANSWER_SECONDS)


def wanted(campaign: Campaign, asked_at: Sequence[datetime], granted_at: datetime | None) -> datetime | None:
    """Return when a campaign would have gone, had its gate let it; None where nobody knows.

    By hand: when somebody started it. By its tool: when that first asked once its time had come. Else when its time had
    come: it was announced, and its earliest start was there. Never later than its first permit.
    """
    due = due_at(campaign)
    match campaign.release.mode:
        case ReleaseMode.MANUAL:
            wanted_at = campaign.started_at
        case ReleaseMode.BY_TOOL:
            asks = [*asked_at, *([granted_at] if granted_at else [])]
            wanted_at = min((at for at in asks if due is None or at >= due), default=None)
        case _:
            wanted_at = due
    return min(filter(None, (wanted_at, granted_at)), default=None)


def due_at(campaign: Campaign) -> datetime | None:
    """Return when a campaign's time came: it was announced, and its earliest start was there; None for a draft."""
    times = (campaign.announced_at, campaign.earliest_start)
    return None if campaign.announced_at is None else max(filter(None, times))


def is_briefed(briefing: Briefing | None, at: datetime, *, is_required: bool) -> bool | None:
    """Return whether all who had to had acknowledged one version of a briefing by `at`; None where none is asked for.

    Who had to is who has to by what the briefing says now.
    """
    if briefing is None:
        return False if is_required else None
    done: dict[int, set[str]] = {}
    for each in briefing.acknowledgements:
        if each.at <= at:
            done.setdefault(each.version, set()).add(each.by)
    return any(names.issuperset(briefing.acknowledge_by) for names in done.values())


def limits_of(policy: Policy | None) -> tuple[Limit, ...]:
    """Return a policy's limits of what is told per five minutes: of its rules, else of its outlook; () without any.

    Of several rules on a metric the strictest counts.
    """
    if policy is None:
        return ()
    found = (_limit(policy, metric) for metric in TOLD)
    return tuple(each for each in found if each is not None)


def _limit(policy: Policy, metric: Metric) -> Limit | None:
    is_least = DEFINITIONS[metric].worse is Worse.LOWER
    values = [rule.hold_limit for rule in policy.rules if rule.metric is metric]
    values = values or _of_outlook(policy.outlook, metric)
    if not values:
        return None
    return Limit(metric, max(values) if is_least else min(values), is_least)


def _of_outlook(limits: OutlookLimits | None, metric: Metric) -> list[float]:
    value = None if limits is None else getattr(limits, metric.value)
    return [] if value is None else [value]
