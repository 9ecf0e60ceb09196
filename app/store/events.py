"""The EventLog port, on SQL."""

from collections.abc import Sequence

from sqlalchemy import Connection

from app.core.event import Event
from app.store.engine import Database


class SqlEvents:
    """The EventLog port."""

    def __init__(self, database: Database) -> None:
        self._database = database


def append_events(connection: Connection, events: Sequence[Event]) -> None:
    """Write events to the end of the chain, and put out what webhooks are to be told, in the caller's transaction."""
