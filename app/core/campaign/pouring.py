"""When the rest of a campaign goes out if nothing holds it, as its plan says."""

import math
from datetime import datetime, timedelta

from app.core.campaign.campaign import Campaign
from app.core.campaign.span import LONGEST

MOST_PARTS = 1000


def pouring(campaign: Campaign, left: int, now: datetime) -> tuple[tuple[datetime, float], ...]:
    """Return (instant, messages) of the `left` that are still to go, none before now, nor from its deadline on.

    All at once at its start unless it goes in waves; of very many waves several count as one. () where none is left.
    """
    if left <= 0:
        return ()
    start = max(campaign.earliest_start or now, now)
    release = campaign.release
    waves = math.ceil(left / release.audience_per_wave) if release.audience_per_wave else 1
    parts = min(waves, MOST_PARTS)
    apart = (release.wave_gap_seconds or 0.0) * waves / parts
    each = (release.audience_per_wave or left) * waves / parts
    seconds = (number * apart for number in range(parts))
    poured = (
        (start + timedelta(seconds=since), min(each, left - number * each))
        for number, since in enumerate(seconds)
        if since <= LONGEST.total_seconds()
    )
    return tuple((at, size) for at, size in poured if campaign.give_up_at is None or at < campaign.give_up_at)
