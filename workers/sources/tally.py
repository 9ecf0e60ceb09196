"""What a translation left out, and why. Nothing read is ever dropped without being counted here."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

KEPT_FAULTS = 20
KEPT_KINDS = 100


class Fault(NamedTuple):
    """One malformed line: its number (1, 2, ...) and what is wrong with it, without quoting what it says."""

    line: int
    reason: str


@dataclass(slots=True)
class Tally:
    """Counts of one reading. skipped: by kind, well-formed but of no use; malformed: not understood.

    faults keeps the first 20 malformed lines; kinds beyond the first 100 are counted together as "other".
    """

    lines: int = 0
    malformed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)

    def skip(self, kind: str) -> None:
        """Count one well-formed thing that says nothing about the floor."""
        known = kind in self.skipped or len(self.skipped) < KEPT_KINDS
        self.skipped[kind if known else "other"] += 1

    def fault(self, reason: str, line: int | None = None) -> None:
        """Count one malformed line; `line` is its number where it is not the newest one."""
        self.malformed += 1
        if len(self.faults) < KEPT_FAULTS:
            self.faults.append(Fault(self.lines if line is None else line, reason))
