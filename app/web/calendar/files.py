"""The calendar's two tables as files: its campaigns, and its hours queue by queue. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from app.core.campaign.campaign import Campaign
from app.core.campaign.span import expected_contacts
from app.core.forecast.workload import Fit, QueueHours
from app.services.workloads import Workload
from app.web.calendar.entries import Entry
from app.web.exports import Row, Sheet

CAMPAIGNS = Sheet(
    "calendar",
    (
        *("campaign", "title", "gate", "state", "starts_at", "ends_at", "audience", "recipients"),
        *("audience_per_wave", "wave_gap_seconds", "expected_contacts", "announced_at", "warnings"),
    ),
)
HOURS = Sheet(
    "calendar-hours",
    (
        *("hour_at", "until_at", "queue", "contacts_anyway", "contacts_from_campaigns", "agents_needed"),
        *("agents", "agents_from", "standing"),
    ),
)


def campaign_rows(campaigns: Sequence[Campaign], listed: Sequence[Entry]) -> Iterator[Row]:
    """Yield a row per campaign, in the order in which they go."""
    known: Mapping[str, Campaign] = {each.id: each for each in campaigns}
    for entry in listed:
        campaign = known[entry.id]
        release = campaign.release
        yield (
            *(campaign.id, campaign.title, campaign.gate, campaign.state.value, entry.span.start, entry.span.end),
            *(campaign.audience, campaign.recipients, release.audience_per_wave, release.wave_gap_seconds),
            *(expected_contacts(campaign), campaign.announced_at),
            "; ".join(f"{warned.word}: {warned.sentence}" for warned in entry.warnings),
        )


def hour_rows(load: Workload | None) -> Iterator[Row]:
    """Yield a row per queue and hour; none where nothing is known of them."""
    for queue in load.queues if load else ():
        work = queue.work
        for place, fit in enumerate(queue.fits()):
            span = load.edges[place : place + 2] if load else ()
            source = None if fit is Fit.GONE else queue.sources[place].value
            contacts = _rounded(queue.coming.anyway[place]), _rounded(_caused(queue, place))
            yield (
                *span,
                queue.queue,
                *contacts,
                _rounded(work[place]),
                _rounded(queue.agents[place]),
                source,
                fit.value,
            )


def _caused(queue: QueueHours, place: int) -> float:
    return float("nan") if queue.is_gone[place] else float(queue.coming.caused[place])


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 2)
