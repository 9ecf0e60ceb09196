"""Briefings: written, illustrated, acknowledged."""

from collections.abc import Callable

from app.ports import Clock
from app.ports.campaigns import BriefingStore
from app.services.campaigns import Campaigns


class Briefings:
    """Briefings of campaigns. on_change runs after a change is durable."""

    def __init__(
        self, store: BriefingStore, campaigns: Campaigns, clock: Clock, on_change: Callable[[], None] = lambda: None
    ) -> None:
        self._store, self._campaigns, self._clock, self._on_change = store, campaigns, clock, on_change
