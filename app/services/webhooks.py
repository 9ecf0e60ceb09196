"""Webhooks: receivers made, changed, tested; deliveries listed and tried again."""

from app.ports import Clock
from app.ports.webhooks import WebhookStore


class Webhooks:
    """Receivers and their deliveries."""

    def __init__(self, store: WebhookStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
