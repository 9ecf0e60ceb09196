"""Where gates and the versions of their policies are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.event import Event


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One saved policy of a gate: version 1, 2, ...; the document as saved; who saved it, when and why."""

    gate: str
    version: int
    document: Mapping[str, object]
    author: str
    reason: str
    saved_at: datetime


class GateStore(Protocol):
    """Gates and the versions of their policies. A change's event gets its `before` from what the change found."""

    async def gates(self) -> Sequence[str]:
        """Return all gates' names, sorted."""

    async def create_gate(self, name: str, at: datetime, event: Event) -> None:
        """Add a gate without a policy. Raises Conflict when the name is taken."""

    async def delete_gate(self, name: str, event: Event) -> None:
        """Remove a gate; its decisions stay. Raises NotFound."""

    async def policy(self, gate: str, version: int | None = None) -> PolicyVersion | None:
        """Return one version (default: the newest), None when there is none. Raises NotFound for an unknown gate."""

    async def policy_versions(self, gate: str, before: int | None, limit: int) -> Sequence[PolicyVersion]:
        """Return versions below `before` (default: all), newest first, at most `limit`. Raises NotFound."""

    async def save_policy(
        self,
        gate: str,
        document: Mapping[str, object],
        *,
        author: str,
        reason: str,
        at: datetime,
        expected: int,
        event: Event,
    ) -> PolicyVersion:
        """Append a version. Raises NotFound, or Conflict unless `expected` is the newest version (0: none yet)."""
