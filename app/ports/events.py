"""The book of everything that happened, and who wants to be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.chain import Break
from app.core.event import Event, EventType


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """An event as written: its place in the book (1, 2, ...), and the SHA-256 that chains it to the one before."""

    seq: int
    event: Event
    sha256: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of the decision log that is not the one its event tells of. seq: the event's place."""

    decision_id: str
    seq: int
    detail: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of the whole book found: how many events fit from the first on, and the digest of the last of those.

    broken: the first place that does not fit; None when all do. differs: the first decision, in order of events up
    to there, whose row in the decision log is not the one that was written; None when all are.
    """

    count: int
    head: str
    broken: Break | None = None
    differs: Difference | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether everything is as it was written."""
        return self.broken is None and self.differs is None


class EventLog(Protocol):
    """Append-only. Stores write their own changes' events themselves, in the change's transaction."""

    async def append(self, events: Sequence[Event]) -> Sequence[WrittenEvent]:
        """Write events that belong to no other change. Raises NotDurable."""

    async def event(self, seq: int) -> WrittenEvent:
        """Return one event. Raises NotFound."""

    async def events(
        self,
        *,
        type: str | None = None,  # noqa: A002  the word of the outside contract
        types: Sequence[EventType] = (),
        subject: str | None = None,
        gate: str | None = None,
        campaign: str | None = None,
        actor: str | None = None,
        start: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> Sequence[WrittenEvent]:
        """Return events newest first, at most `limit` (1..1,000).

        before: the newest with a place below it. after: the oldest with a place above it. types: of these only; (): of
        any.
        """

    async def last(self, gate: str) -> int:
        """Return the place of the last event of a gate, 0 before its first."""
