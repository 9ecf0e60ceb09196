"""A gate's policy: which queues it watches, its rules with two limits each, and when sends may go at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum

from app.core.floor.metric import Metric


class Mode(StrEnum):
    """Whether callers must obey (enforce) or the decision is only recorded (shadow)."""

    ENFORCE = "enforce"
    SHADOW = "shadow"


class OnMissing(StrEnum):
    """What a rule means while no source has ever reported its metric for a queue. Stale data is always unknown."""

    UNKNOWN = "unknown"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Rule:
    """One metric with the limit that holds sends and the limit that lets them resume.

    Exactly one pair is set: hold_above/resume_below where higher is worse, hold_below/resume_above where lower is.
    hold_for_seconds and resume_for_seconds say how long a limit must be passed without a break.
    min_samples: a window with fewer contacts is not judged. window_seconds None: the floor's default window.
    """

    metric: Metric
    hold_above: float | None = None
    resume_below: float | None = None
    hold_below: float | None = None
    resume_above: float | None = None
    window_seconds: float | None = None
    min_samples: int = 0
    hold_for_seconds: float = 0.0
    resume_for_seconds: float = 0.0
    on_missing: OnMissing = OnMissing.UNKNOWN

    @property
    def key(self) -> str:
        """The rule's name inside its policy: metric, and window where one is set. Stable while limits change."""
        return self.metric if self.window_seconds is None else f"{self.metric}@{self.window_seconds:g}"


@dataclass(frozen=True, slots=True)
class SendWindow:
    """A span of local time on given weekdays (0 = Monday) for sends. `until` None means 24:00."""

    days: frozenset[int]
    start: time
    until: time | None


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one gate. `document` is what the user saved, kept word for word and shown again."""

    queues: tuple[str, ...]
    time_zone: str
    mode: Mode
    stale_after_seconds: float
    rules: tuple[Rule, ...]
    send_windows: tuple[SendWindow, ...] = ()
    max_audience_per_wave: int | None = None
    not_evaluated: tuple[str, ...] = ()
    document: Mapping[str, object] = field(default_factory=dict, compare=False)
