"""The book of everything that happened, for reading."""

from collections.abc import Sequence
from datetime import datetime

from app.core.event import EventType
from app.ports.events import EventLog, WrittenEvent


class Events:
    """The audit log. Whoever changes something writes its event with the change; here they are read."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def page(
        self,
        *,
        type: EventType | None = None,  # noqa: A002  the word of the outside contract
        types: Sequence[EventType] = (),
        subject: str | None = None,
        gate: str | None = None,
        campaign: str | None = None,
        actor: str | None = None,
        start: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[WrittenEvent]:
        """Return events newest first, from [start, until); `before` is the place of the last one already seen.

        types (): of any, unless `type` names the one.
        """
        return await self._log.events(
            type=type,
            types=types,
            subject=subject,
            gate=gate,
            campaign=campaign,
            actor=actor,
            start=start,
            until=until,
            before=before,
            limit=limit,
        )

    async def last(self, gate: str) -> int:
        """Return the place of the last event of a gate, 0 before the first: whoever shows them looks when it grows."""
        return await self._log.last(gate)

    async def get(self, seq: int) -> WrittenEvent:
        """Return the event at a place. Raises NotFound."""
        return await self._log.event(seq)
