"""What people set per queue: its service-level target and variant, its short-abandon limit, whether it is retired."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
