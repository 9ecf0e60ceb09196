"""The BriefingStore port, on SQL."""

from app.store.engine import Database


class SqlBriefings:
    """The BriefingStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database
