"""The decision log, and what its decisions were made from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class KeptInputs:
    """What decisions were made from: a JSON text under its SHA-256, kept once however many decisions share it.

    policy: the text of the policy that belongs to it, kept the same way; None where there was none.
    """

    sha256: bytes
    body: bytes
    policy: "KeptInputs | None" = None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One line of the decision log.

    kind "transition": the gate changed by itself. kind "asked": somebody asked; count says how often the same answer
    went to the same key between at and last_at. requested None: no audience named. allow None: no limit.
    override_id: the override that took part in the answer.
    kept and facts are all that it was made from: what the gate decided by, and what belongs to this ask alone;
    None for a row written before they were kept.
    """

    id: str
    kind: str
    gate: str
    at: datetime
    verdict: str
    policy_version: int
    summary: str
    reasons: Sequence[Mapping[str, object]] = ()
    inputs: Sequence[Mapping[str, object]] = ()
    before: str | None = None
    asked_by: str | None = None
    campaign: str | None = None
    requested: int | None = None
    accept_partial: bool = False
    allow: int | None = None
    status: int | None = None
    count: int = 1
    last_at: datetime | None = None
    override_id: str | None = None
    kept: KeptInputs | None = None
    facts: Mapping[str, object] | None = None


class Turn(NamedTuple):
    """A gate changed to this verdict at that instant."""

    at: datetime
    verdict: str


class DecisionLog(Protocol):
    """Every change of every gate, and every answer given."""

    async def record(self, rows: Sequence[DecisionRow]) -> None:
        """Insert rows, each with its event; a row whose id is there already updates count and last_at."""

    async def decision(self, decision_id: str) -> DecisionRow:
        """Return one row. Raises NotFound."""

    async def decisions(
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
        """Return rows newest first by (at, id), at most `limit` of them (1..1,000).

        asked_by: ids of keys and people; none: whoever asked. overridden: only those that an override touched.
        before: the newest ones older than this (at, id). after: the oldest ones newer than this one.
        """

    async def turns(self, gate: str, start: datetime, until: datetime, limit: int) -> Sequence[Turn]:
        """Return the changes of a gate in [start, until), oldest first, at most the newest `limit` of them.

        Before them comes the last one before `start`, unless the limit has left some out.
        """
