"""The decision log as it is read: pages, newest first, and single decisions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from app.ports.decisions import DecisionLog, DecisionRow
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
        start: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[DecisionRow]:
        """Return rows newest first by (at, id), from [start, until); `before` is the last (at, id) already seen."""
        return await self._log.decisions(
            gate=gate, kind=kind, verdict=verdict, start=start, until=until, before=before, limit=limit
        )

    async def get(self, decision_id: str) -> Reviewed:
        """Return one row, its inputs spelt out, and the decision made again from them. Raises NotFound."""
        row = await self._log.decision(decision_id)
        try:
            replayed = replay(row)
        except NotReplayable as fault:
            return Reviewed(row, None, str(fault))
        return Reviewed(replace(row, inputs=replayed.checks), replayed)
