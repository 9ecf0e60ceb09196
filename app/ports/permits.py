"""Where permits are kept, and headroom is given away in one serialised transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.event import Event
from app.core.gate.answer import Answered
from app.core.permit.permit import Permit, PermitState, Spent
from app.ports import DecisionRow


@dataclass(frozen=True, slots=True)
class Grant:
    """What a granted ask writes down, all or nothing: permit, decision, events, and the answer kept for repeats.

    body: the finished JSON answer, given again word for word to who sends the same key and the same request.
    """

    permit: Permit
    decision: DecisionRow
    events: Sequence[Event]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Repeat:
    """An answer given before under this idempotency key; request_sha256 tells whether the request is the same."""

    request_sha256: bytes
    permit_id: str
    body: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PermitAsk:
    """What the grant transaction needs to know. settle runs inside it, with what is spent at that instant.

    settle(of the gate, of the campaign) returns the grant to write, or the answer that refuses; it must be quick and
    pure, for it may run again when a transaction is repeated. idempotency_key None: nothing is kept for repeats.
    """

    gate: str
    campaign: str | None
    key_id: str
    at: datetime
    settle: Callable[[Spent, Spent], Grant | Answered]
    idempotency_key: str | None = None
    request_sha256: bytes = b""


class PermitStore(Protocol):
    """Permits and the sums they make. All changes are serialised."""

    async def grant(self, ask: PermitAsk) -> Grant | Answered | Repeat:
        """Return what settle decided, durable; or the earlier answer under the same idempotency key, unchanged."""

    async def permit(self, permit_id: str) -> Permit:
        """Return one. Raises NotFound."""

    async def permits(
        self,
        *,
        gate: str | None = None,
        campaign: str | None = None,
        states: Sequence[PermitState] = (),
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Permit]:
        """Return permits newest first by (granted_at, id); states (): in any."""

    async def change(
        self, permit_id: str, at: datetime, step: Callable[[Permit], tuple[Permit, Sequence[Event]]]
    ) -> Permit:
        """Replace a permit by what step makes of it, with events and sums, in one transaction. Raises NotFound."""

    async def change_live(
        self,
        gate: str | None,
        campaign: str | None,
        at: datetime,
        step: Callable[[Permit], tuple[Permit, Sequence[Event]] | None],
    ) -> Sequence[Permit]:
        """Do the same to every live permit of a gate or campaign (None: any); step returns None to leave one alone."""

    async def spent(self, at: datetime) -> Mapping[str, Spent]:
        """Return what each gate has given away as of `at`; gates with nothing are left out."""

    async def spent_by_campaign(self, campaigns: Sequence[str], at: datetime) -> Mapping[str, Spent]:
        """Return the same by campaign. sent_last_hour of a campaign is all it ever sent."""

    async def prune_repeats(self, before: datetime) -> int:
        """Delete answers kept for repeats that were created before that; return how many."""
