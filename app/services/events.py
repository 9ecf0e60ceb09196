"""The book of everything that happened, for reading and checking."""

from app.ports.events import EventLog


class Events:
    """The audit log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
