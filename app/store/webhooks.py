"""The WebhookStore port, on SQL."""

from app.store.engine import Database


class SqlWebhooks:
    """The WebhookStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database
