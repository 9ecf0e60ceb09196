"""Asks for permits that were refused, and wait for the gate to let them go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.core.permit.request import PermitRequest

ASK_PREFIX = "prq_"  # of every waiting ask's id, which is also the receiver of its message


class WaitState(StrEnum):
    """Where a waiting ask stands. withdrawn: it was answered directly meanwhile, so nobody is to be told."""

    WAITING = "waiting"
    GRANTED = "granted"
    GAVE_UP = "gave_up"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class WaitingAsk:
    """An ask that waits until gives_up_at. secret signs what its callback_url is told; permit_id: what it was given.

    idempotency_key is the asker's own, None without one.
    """

    id: str
    key_id: str
    idempotency_key: str | None
    asked: PermitRequest
    secret: str
    created_at: datetime
    gives_up_at: datetime
    state: WaitState = WaitState.WAITING
    ended_at: datetime | None = None
    permit_id: str | None = None
    reason: str = ""

    @property
    def permit_key(self) -> str:
        """The idempotency key its permit is taken under: however often that is tried, it is the same permit."""
        return self.idempotency_key or f"callback-{self.id}"


class CallbackStore(Protocol):
    """Waiting asks, and what their askers are told."""

    async def add_ask(self, ask: WaitingAsk) -> None:
        """Add an ask."""

    async def ask(self, ask_id: str) -> WaitingAsk:
        """Return one. Raises NotFound."""

    async def waiting(self) -> Sequence[WaitingAsk]:
        """Return those that wait, oldest first."""

    async def end_ask(self, ask: WaitingAsk, message: bytes | None) -> bool:
        """Write down how an ask ended, and put out the message to its asker (None: nothing), in one transaction.

        False, and nothing is written, for one that does not wait any more.
        """

    async def prune_asks(self, before: datetime) -> int:
        """Delete ended asks created before that; return how many."""
