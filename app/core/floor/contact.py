"""Contact events: what happened to one customer contact, and when."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class ContactEventKind(StrEnum):
    """What happened to the contact."""

    QUEUED = "queued"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    COMPLETED = "completed"
    TRANSFERRED = "transferred"
    CALLBACK_REQUESTED = "callback_requested"


class ContactEvent(NamedTuple):
    """One thing that happened to one contact in one queue at one instant (`at`, aware UTC).

    contact_id names one stay of one customer in one queue; it never holds a caller's name or number.
    """

    contact_id: str
    queue: str
    event: ContactEventKind
    at: datetime
    source: str
    channel: str | None = None
    agent: str | None = None
    campaign: str | None = None
    reason: str | None = None
