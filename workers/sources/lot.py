"""What one reading of a system comes to: what it says of the floor, and the rows that make no sense."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.core.problem import Problem
from app.ports.stream import Payload
from app.services.refusals import Faulty
from app.services.trials import Rejected
from workers.systems.faults import TranslateError


@dataclass(frozen=True, slots=True)
class Lot:
    """Observations and contact events in the order they came, and the rows that were rejected.

    clock_ahead_seconds: how far the system's clock is ahead of ours, below 0: behind; None: it did not show it.
    """

    payloads: Sequence[Payload]
    rejected: Sequence[Rejected] = ()
    clock_ahead_seconds: float | None = None

    def faulty(self, source: str) -> Mapping[str, Faulty]:
        """Return the rejected rows as ingest notes them in a source's health; {} without any."""
        faulty = Faulty()
        for each in self.rejected:
            faulty.add([(Problem(f"/{each.field}" if each.field else "", each.detail), each.value)])
        return {source: faulty} if faulty.count else {}

    def sound(self) -> "Lot":
        """Return the lot itself. Raises TranslateError when rows came and not one of them could be taken."""
        if self.rejected and not self.payloads:
            first = self.rejected[0]
            raise TranslateError(f"none of {len(self.rejected)} rows can be taken: row {first.row}: {first.detail}")
        return self


def joined(lots: Iterable[Lot]) -> Lot:
    """Return several lots as one."""
    parts = list(lots)
    return Lot([each for lot in parts for each in lot.payloads], [each for lot in parts for each in lot.rejected])
