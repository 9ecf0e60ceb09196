"""Permits: headroom given away one ask at a time, and taken back."""

from collections.abc import Callable
from datetime import datetime

from app.core.permit.permit import NOTHING_SPENT, Spent
from app.ports import Clock
from app.ports.permits import PermitStore
from app.services.answering import Answering


class Permits:
    """Grants, changes and ends permits. on_change runs after a change is durable."""

    def __init__(
        self, store: PermitStore, answering: Answering, clock: Clock, on_change: Callable[[], None] = lambda: None
    ) -> None:
        self._store, self._answering, self._clock, self._on_change = store, answering, clock, on_change

    async def load(self) -> None:
        """Read what every gate has given away."""

    def spent(self, gate: str, now: datetime) -> Spent:
        """Return, from memory, what a gate has given away."""
        return NOTHING_SPENT
