"""The decision log as it is read: pages, newest first, and single decisions."""

from collections.abc import Sequence
from datetime import datetime

from app.ports import DecisionLog, DecisionRow


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

    async def get(self, decision_id: str) -> DecisionRow:
        """Return one row. Raises NotFound."""
        return await self._log.decision(decision_id)
