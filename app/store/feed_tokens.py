"""The FeedTokenStore port, on SQL."""

from app.store.engine import Database


class SqlFeedTokens:
    """The FeedTokenStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database
