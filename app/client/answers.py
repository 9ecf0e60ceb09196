"""What holdfire told a client, as values, and the errors for all that is not its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.gate.decision import Verdict
from app.core.permit.permit import PermitState


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """May it go? An answer is true exactly when it is a go, so that `if holdfire.ready(…):` means what it says.

    gate and decision_id are there with every go. allow: how many may go; None: no limit, and no number was asked about.
    retry_after_seconds: how long to wait before asking again; None with a go. reasons: as the reference says, the
    binding one first. body: all of it.
    """

    state: Verdict
    proceed: bool
    gate: str | None
    decision_id: str | None
    allow: int | None
    requested: int | None
    retry_after_seconds: float | None
    summary: str
    reasons: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any]

    def __bool__(self) -> bool:
        return self.proceed


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitAnswer(Answer):
    """The same with what was reserved: permit_id and expires_at are None without a go, and for a dry run."""

    permit_id: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """How a permit stands. must_stop: nothing more may be sent under it now. Instants are by the server's clock."""

    id: str
    state: PermitState
    must_stop: bool
    allow: int
    sent: int
    granted_at: datetime
    expires_at: datetime
    body: Mapping[str, Any]


class HoldfireClientError(Exception):
    """Base of what the client raises. str() is a sentence for people. None of it is a go."""


class Unanswered(HoldfireClientError):
    """holdfire could not be asked, refused the question, or what came is not its answer.

    lasting: asking the same again will not help. status: the HTTP status, None when nothing came.
    """

    def __init__(
        self, message: str, *, lasting: bool, status: int | None = None, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.lasting, self.status, self.retry_after_seconds = lasting, status, retry_after_seconds


class NotCleared(HoldfireClientError):
    """The time to wait was over before the send could go. last: what the last ask brought."""

    def __init__(self, last: Answer | Unanswered) -> None:
        super().__init__(f"not cleared in time: {last.summary if isinstance(last, Answer) else last}")
        self.last = last
