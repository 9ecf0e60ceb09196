"""The PermitStore port, on SQL."""

from app.store.engine import Database


class SqlPermits:
    """The PermitStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database
