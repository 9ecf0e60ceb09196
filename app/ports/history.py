"""The past, as it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from app.core.floor.metric import Metric


class HistoryPoint(NamedTuple):
    """One bucket of one metric: its start, value (None: no data), lowest and highest reading, and weight behind it."""

    at: datetime
    value: float | None
    minimum: float | None
    maximum: float | None
    weight: float


@dataclass(frozen=True, slots=True)
class ContactTotals:
    """Exact sums over the contacts queued in a span, from the raw events. within_target: answered in the target."""

    queue: str
    offered: int
    answered: int
    abandoned: int
    answered_within_target: int
    wait_seconds_sum: float
    handled: int
    handle_seconds_sum: float
    first_at: datetime | None = None
    last_at: datetime | None = None


class HistoryReader(Protocol):
    """The past, from rollups; exact totals from raw events while those are kept."""

    async def history(
        self, queue: str, metric: Metric, start: datetime, until: datetime, step_seconds: int
    ) -> Sequence[HistoryPoint]:
        """Return one point per step of [start, until) that has data, in order; step a multiple of 60.

        Where a step is made of whole hours, an average without readings has the lowest and highest hour in it.
        """

    async def histories(
        self, queue: str, metrics: Sequence[Metric], start: datetime, until: datetime, step_seconds: int
    ) -> Mapping[Metric, Sequence[HistoryPoint]]:
        """Return the same of several metrics at once."""

    async def contact_totals(self, start: datetime, until: datetime, target_seconds: float) -> Sequence[ContactTotals]:
        """Return one entry per queue with contacts queued in [start, until), sorted by queue."""

    async def prune_rollups(self, minutes_before: datetime) -> int:
        """Delete 1-minute rollups older than that, and flows (1-hour rollups stay); return how many rollups."""
