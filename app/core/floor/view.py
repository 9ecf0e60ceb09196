"""What a reader of the floor sees: readings with their provenance, and the view that holds them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from app.core.floor.metric import Metric


class Reading(NamedTuple):
    """One value of one metric of one queue, with everything needed to trust or distrust it.

    value is None when the source reports but there is nothing to compute from (no answered contact in the window).
    window_seconds is None for a gauge and for a ready-made average whose source did not say.
    samples is the number of contacts behind a windowed value; None when the source did not say.
    observed_at is the source's time, aware UTC. definition names the formula or variant used.
    """

    metric: Metric
    value: float | None
    unit: str
    window_seconds: float | None
    source: str
    observed_at: datetime
    samples: int | None
    definition: str

    def age_seconds(self, now: datetime) -> float:
        """Return how old the value is by its source's time; never negative."""
        return max(0.0, (now - self.observed_at).total_seconds())


class FloorView(Protocol):
    """The floor as it stands at one instant, `at`. Looking changes nothing."""

    @property
    def at(self) -> datetime:
        """The instant this view is of, aware UTC."""

    def queues(self) -> Sequence[str]:
        """Return the names of all queues in use, sorted; retired ones are left out."""

    def reading(self, queue: str, metric: Metric, window_seconds: float | None = None) -> Reading | None:
        """Return the newest reading of a metric, or None when no source ever reported it for this queue.

        window_seconds asks for a span (default: the floor's 300 s); the reading says which span it really covers.
        """

    def last_heard_at(self, queue: str) -> datetime | None:
        """Return the newest instant, by the sources' time, at which any source spoke of this queue."""
