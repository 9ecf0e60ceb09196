"""How the sources are doing, as all services see it."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.core.floor.pace import Pace

KEPT_REFUSALS = 20
CLOCK_WRONG_SECONDS = 60.0  # from here on a source's clock is said to be wrong, and not only shown


class Refusal(NamedTuple):
    """One fault of one item that was refused: a JSON pointer into the item, and a sentence.

    value: what stood there, where that is a number or a time and the field is for one; anything else is never kept.
    """

    at: datetime
    pointer: str
    detail: str
    value: str | None = None


class Fed(NamedTuple):
    """A queue that a source speaks of: the instant it spoke of last, and the channel, where it says."""

    last_at: datetime
    channel: str | None


@dataclass(slots=True)
class SourceHealth:
    """How one source is doing: counts since start, last good word, last error sentence.

    sample: the newest item of the last batch, which came at last_success_at. queues: those it spoke of. pace: how fast
    it brings data, and how late. refusals: the last ones. shown_ahead_seconds: how far its system's clock is ahead of
    ours, below 0: behind, by what that showed last; None: it shows none.
    """

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
    sample: Observation | ContactEvent | None = None
    pace: Pace = field(default_factory=Pace)
    queues: dict[str, Fed] = field(default_factory=dict)
    refusals: deque[Refusal] = field(default_factory=lambda: deque(maxlen=KEPT_REFUSALS))
    shown_ahead_seconds: float | None = None

    @property
    def clock_ahead_seconds(self) -> float | None:
        """How far its clock is ahead of ours, below 0: behind; None: not known.

        By what its system shows of it, else by data from the future, which tell the least that it can be.
        """
        return self.pace.clock_ahead_seconds if self.shown_ahead_seconds is None else self.shown_ahead_seconds


def clock_said(ahead_seconds: float) -> str:
    """Return in words how far a source's clock is off."""
    return f"its clock is {abs(ahead_seconds):,.0f} s {'ahead of' if ahead_seconds > 0 else 'behind'} ours"
