"""Where overrides are kept."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from app.core.event import Event
from app.core.gate.override import Override


class OverrideStore(Protocol):
    """Overrides, kept for ever: an ended one is history. They go with their gate when that is deleted."""

    async def add_override(self, override: Override, event: Event) -> None:
        """Add one with its event. Raises NotFound for an unknown gate."""

    async def override(self, override_id: str) -> Override:
        """Return one. Raises NotFound."""

    async def overrides(
        self,
        gate: str | None = None,
        *,
        ends_after: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Override]:
        """Return overrides newest first by (created_at, id), of one gate or of all; before: where a page ended."""

    async def open_overrides(self) -> Sequence[Override]:
        """Return those whose end is not written down yet, past their time or not, oldest first."""

    async def change_override(
        self, override_id: str, step: Callable[[Override], tuple[Override, Event] | None]
    ) -> Override:
        """Replace ends_at, reminded_at and closed_at by what step makes of them, with its event, in one transaction.

        Returns the override as it then is. step returns None to leave it alone; it may run again when a transaction
        is repeated. Raises NotFound.
        """

    async def count_uses(self, uses: Mapping[str, tuple[int, datetime]]) -> None:
        """Add to used_count, and set last_used_at, of each id named; unknown ids are left out."""
