"""The stream that everything is accepted into, and read from again."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation

Payload = Observation | ContactEvent


class StreamRecord(NamedTuple):
    """One accepted payload: its place in the stream (1, 2, ...), when it was accepted, and what it says."""

    position: int
    received_at: datetime
    payload: Payload


class Appended(NamedTuple):
    """What became of one append: how many payloads are now durable, and how many were there already."""

    accepted: int
    duplicates: int


class Stream(Protocol):
    """The append-only truth. Idempotent on (source, queue, observed_at) and on (contact_id, event)."""

    async def append(self, payloads: Sequence[Payload]) -> Appended:
        """Return once every new payload is durable. Raises NotDurable when that cannot be had; then nothing counts."""

    async def read(self, after: int, limit: int = 10_000) -> Sequence[StreamRecord]:
        """Return up to `limit` records with a position above `after`, in order."""

    async def position_before(self, at: datetime) -> int:
        """Return the highest position below everything received at or after `at`: reading on from it misses none."""

    def tail(self, after: int) -> AsyncIterator[Sequence[StreamRecord]]:
        """Yield batches of records above `after`, in order and without gaps, for ever."""

    async def prune(self, before: datetime) -> int:
        """Delete raw records received before `before`; return how many."""
