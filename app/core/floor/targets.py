"""What people set per queue: its service-level target and variant, its short-abandon limit, whether it is retired."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.core.problem import Problem

DAY_SECONDS = 86_400
LONGEST_TITLE = 128
MOST_CONCURRENCY = 100


class ServiceLevelVariant(StrEnum):
    """Which service level is meant; the names say the denominator. Only the numerator of `positive` adds abandons."""

    OFFERED = "offered"  # answered in target / offered (abandons count against it); the default
    ANSWERED = "answered"  # answered in target / answered
    LESS_SHORT_ABANDONS = "less_short_abandons"  # answered in target / (offered - short abandons)
    LESS_ABANDONS = "less_abandons"  # answered in target / (offered - abandoned)
    POSITIVE = "positive"  # (answered + abandoned, both in target) / offered


@dataclass(frozen=True, slots=True)
class QueueTargets:
    """A queue's own settings. retired_at: data up to then no longer counts; newer data brings the queue back.

    concurrency: how many contacts one agent handles at once, 1 or more; a chat queue's may be a mean like 2.5.
    """

    service_level_seconds: float = 20.0
    service_level_variant: ServiceLevelVariant = ServiceLevelVariant.OFFERED
    short_abandon_seconds: float = 0.0
    title: str | None = None
    retired_at: datetime | None = None
    concurrency: float = 1.0


def problems(targets: QueueTargets) -> Iterator[Problem]:
    """Yield every fault of a queue's settings; none when they may be saved."""
    if not 0 < targets.service_level_seconds <= DAY_SECONDS:
        detail = f"{targets.service_level_seconds:g} must be above 0, and at most {DAY_SECONDS:,} seconds"
        yield Problem("/service_level_seconds", detail)
    if not 0 <= targets.short_abandon_seconds <= DAY_SECONDS:
        detail = f"{targets.short_abandon_seconds:g} must be 0 to {DAY_SECONDS:,} seconds"
        yield Problem("/short_abandon_seconds", detail)
    if not 1 <= targets.concurrency <= MOST_CONCURRENCY:
        yield Problem("/concurrency", f"{targets.concurrency:g} must be 1 to {MOST_CONCURRENCY} contacts at once")
    title = targets.title
    if title is not None and not (1 <= len(title) <= LONGEST_TITLE and title.isprintable()):
        yield Problem("/title", f"a title has 1 to {LONGEST_TITLE} printable characters")
