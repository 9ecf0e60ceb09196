"""The decision log as it is read: pages, newest first, and single decisions."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from app.ports.decisions import DecisionLog, DecisionRow, Turn
from app.services.replaying import NotReplayable, Replayed, replay


class Reviewed(NamedTuple):
    """A line of the log, and what it comes out as when it is made again; None where it cannot be, and why not."""

    row: DecisionRow
    replayed: Replayed | None
    why_not: str | None = None


class Decisions:
    """Every change of every gate, and every answer given."""

    def __init__(self, log: DecisionLog) -> None:
        self._log = log

    async def page(
        self,
        *,
        gate: str | None = None,
        kind: str | None = None,
        verdict: str | None = None,
        asked_by: Collection[str] = (),
        campaign: str | None = None,
        overridden: bool = False,
        start: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[DecisionRow]:
        """Return rows newest first by (at, id), from [start, until).

        asked_by: ids of keys and people; none: whoever asked. overridden: only those that an override touched.
        `before` is the last (at, id) already seen, `after` the first one: the page then ends where that began.
        """
        return await self._log.decisions(
            gate=gate,
            kind=kind,
            verdict=verdict,
            asked_by=asked_by,
            campaign=campaign,
            overridden=overridden,
            start=start,
            until=until,
            before=before,
            after=after,
            limit=limit,
        )

    async def turns(self, gate: str, start: datetime, until: datetime, limit: int) -> Sequence[Turn]:
        """Return the changes of a gate in [start, until), oldest first, after the last one before `start`.

        Where there are more, the newest `limit` of them.
        """
        return await self._log.turns(gate, start, until, limit)

    async def get(self, decision_id: str) -> Reviewed:
        """Return one row, its inputs spelt out, and the decision made again from them. Raises NotFound."""
        row = await self._log.decision(decision_id)
        try:
            replayed = replay(row)
        except NotReplayable as fault:
            return Reviewed(row, None, str(fault))
        return Reviewed(replace(row, inputs=replayed.checks), replayed)
