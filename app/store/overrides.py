"""The OverrideStore port, on SQL."""

from app.store.engine import Database


class SqlOverrides:
    """The OverrideStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database
