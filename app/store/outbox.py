"""What webhooks are to be told, written down in the transaction of the change that it tells of."""

from collections.abc import Sequence

from sqlalchemy import Connection

from app.ports.events import WrittenEvent


def put_out(connection: Connection, written: Sequence[WrittenEvent]) -> None:
    """Put out the events that somebody subscribed to, one row per event and subscription."""
