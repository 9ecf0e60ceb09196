"""Overrides: made, listed, ended, and kept in memory for the evaluator."""

from collections.abc import Callable, Sequence
from datetime import datetime

from app.core.gate.override import Override
from app.ports import Clock
from app.ports.overrides import OverrideStore
from app.services.published import Published


class Overrides:
    """All overrides that have not ended are in memory. on_change runs after a change is durable."""

    def __init__(
        self,
        store: OverrideStore,
        clock: Clock,
        published: Callable[[], Published],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._clock, self._published, self._on_change = store, clock, published, on_change
        self._open: dict[str, Override] = {}

    async def load(self) -> None:
        """Read all overrides that have not ended."""

    def of(self, gate: str, now: datetime) -> Sequence[Override]:
        """Return a gate's overrides that have not ended at `now`."""
        return tuple(each for each in self._open.values() if each.gate == gate and now < each.ends_at)
