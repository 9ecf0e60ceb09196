"""How the sources are doing, as all services see it."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class SourceHealth:
    """How one source is doing: counts since start, last good word, last error sentence."""

    name: str
    kind: str = "push"
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    last_success_at: datetime | None = None
    last_observed_at: datetime | None = None
    consecutive_failures: int = 0
    last_error: str | None = None
    status: str = "never heard"
    details: dict[str, object] = field(default_factory=dict)
