"""The book of everything that happened, for reading."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from app.core.event import EventType
from app.ports.events import EventLog, Verified, WrittenEvent

Check = Callable[[], Awaitable[Verified]]


class Events:
    """The audit log. Whoever changes something writes its event with the change; here they are read.

    check: reads all of it, and tells whether it is whole.
    """

    def __init__(self, log: EventLog, check: Check) -> None:
        self._log, self._check = log, check
        self._checking: asyncio.Task[Verified] | None = None

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
        after: int | None = None,
        limit: int = 100,
    ) -> Sequence[WrittenEvent]:
        """Return events newest first, from [start, until).

        `before` is the place of the last one already seen, `after` of the first one: a page then ends where that began.
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
            after=after,
            limit=limit,
        )

    async def last(self, gate: str) -> int:
        """Return the place of the last event of a gate, 0 before the first: whoever shows them looks when it grows."""
        return await self._log.last(gate)

    async def get(self, seq: int) -> WrittenEvent:
        """Return the event at a place. Raises NotFound."""
        return await self._log.event(seq)

    async def verify(self) -> Verified:
        """Return whether the whole book is as it was written. Whoever asks while it is being checked waits for that.

        Raises HoldfireError when it cannot be read, NotComputed when that took too long.
        """
        if self._checking is None or self._checking.done():
            self._checking = asyncio.ensure_future(self._check())
        return await asyncio.shield(self._checking)
