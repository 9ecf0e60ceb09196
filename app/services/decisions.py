"""The decision log as it is read: pages, newest first, and single decisions."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from app.ports import DecisionLog, DecisionRow
from app.services.inputs import checks_of
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
        rows = await self._log.decisions(
            gate=gate, kind=kind, verdict=verdict, start=start, until=until, before=before, limit=limit
        )
        return [_readable(row) for row in rows]

    async def get(self, decision_id: str) -> Reviewed:
        """Return one row, and the decision made again from what was kept of it. Raises NotFound."""
        row = _readable(await self._log.decision(decision_id))
        try:
            return Reviewed(row, replay(row))
        except NotReplayable as fault:
            return Reviewed(row, None, str(fault))


def _readable(row: DecisionRow) -> DecisionRow:
    """Return a row with its inputs spelt out: how every rule stood on every queue."""
    if row.kept is None:
        return row
    with suppress(ValueError):  # a text that somebody changed; deciding again says so
        return replace(row, inputs=checks_of(row.kept))
    return row
