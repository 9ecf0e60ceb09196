"""When a campaign's mails go out, as far as its plan tells: for calendars and for those who staff by them."""

import math
from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.campaign.campaign import Campaign, CampaignState

SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(days=366)


class Span(NamedTuple):
    """From the first mail to the last."""

    start: datetime
    end: datetime


def span(campaign: Campaign) -> Span | None:
    """Return when a campaign goes out, None for one that was never announced; at least 15 minutes.

    What happened counts for more than what was planned: where it has started or ended, it is from and to then.
    """
    if campaign.announced_at is None or campaign.state is CampaignState.DRAFT:
        return None
    start = campaign.started_at or campaign.earliest_start or campaign.announced_at
    end = campaign.ended_at if campaign.started_at and campaign.ended_at else start + planned_length(campaign)
    return Span(start, max(end, start + SHORTEST))


def planned_length(campaign: Campaign) -> timedelta:
    """Return how long a release takes if nothing holds it: wave by wave where it has waves, else the shortest."""
    release = campaign.release
    if not release.audience_per_wave or not release.wave_gap_seconds:
        return SHORTEST
    waves = math.ceil(campaign.recipients / release.audience_per_wave)
    seconds = min(waves * release.wave_gap_seconds, LONGEST.total_seconds())
    return max(SHORTEST, timedelta(seconds=seconds))


def expected_contacts(campaign: Campaign) -> int | None:
    """Return how many contacts a campaign brings in all, None when nobody has said."""
    if campaign.contacts_per_1000 is None:
        return None
    return round(campaign.recipients * campaign.contacts_per_1000 / 1000)


def changed_at(campaign: Campaign) -> datetime:
    """Return the newest instant at which something is known to have happened to a campaign."""
    known = (campaign.created_at, campaign.announced_at, campaign.started_at, campaign.ended_at)
    return max(at for at in known if at is not None)
