"""Where outlooks are kept, each with all that it was made from, so that it can be made again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptOutlook:
    """One outlook of a gate: asked is what it was made from, found what came out, both packed by the service."""

    gate: str
    at: datetime
    policy_version: int
    asked: bytes
    found: bytes


class OutlookStore(Protocol):
    """Outlooks by gate and instant."""

    async def add_outlook(self, outlook: KeptOutlook) -> None:
        """Add one; in place of another of the same gate and instant."""

    async def outlook(self, gate: str, at: datetime) -> KeptOutlook | None:
        """Return a gate's newest outlook made at `at` or before, None when there is none."""

    async def prune_outlooks(self, before: datetime) -> int:
        """Delete outlooks made before that; return how many."""
