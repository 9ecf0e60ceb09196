"""A permit: so many messages may go, until then, unless told to stop."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PermitState(StrEnum):
    """Where a permit stands. active and paused ones are charged to the gate; the others have ended."""

    ACTIVE = "active"
    PAUSED = "paused"
    USED = "used"
    RELEASED = "released"
    EXPIRED = "expired"
    REVOKED = "revoked"


class PermitStep(StrEnum):
    """What can happen to a permit."""

    REPORT_ALL = "report_all"  # as much was sent as was allowed, or more
    PAUSE = "pause"
    RESUME = "resume"
    RELEASE = "release"
    EXPIRE = "expire"
    REVOKE = "revoke"


_A, _P = PermitState.ACTIVE, PermitState.PAUSED
MACHINE: Mapping[tuple[PermitState, PermitStep], PermitState] = {
    (_A, PermitStep.REPORT_ALL): PermitState.USED,
    (_A, PermitStep.PAUSE): _P,
    (_A, PermitStep.RELEASE): PermitState.RELEASED,
    (_A, PermitStep.EXPIRE): PermitState.EXPIRED,
    (_A, PermitStep.REVOKE): PermitState.REVOKED,
    (_P, PermitStep.REPORT_ALL): PermitState.USED,
    (_P, PermitStep.RESUME): _A,
    (_P, PermitStep.RELEASE): PermitState.RELEASED,
    (_P, PermitStep.EXPIRE): PermitState.EXPIRED,
    (_P, PermitStep.REVOKE): PermitState.REVOKED,
}
LIVE = frozenset({PermitState.ACTIVE, PermitState.PAUSED})


@dataclass(frozen=True, slots=True)
class Permit:
    """One permit. allowed and sent are messages; sent is what was reported so far and may exceed allowed.

    While it is live, what is not reported as sent yet (`outstanding`) is charged to its gate in full.
    """

    id: str
    gate: str
    campaign: str | None
    key_id: str
    decision_id: str
    requested: int
    allowed: int
    state: PermitState
    granted_at: datetime
    expires_at: datetime
    sent: int = 0
    wave: int | None = None
    changed_at: datetime | None = None
    reason: str = ""

    @property
    def outstanding(self) -> int:
        """What it may still send, and therefore is charged; 0 once it has ended."""
        return max(0, self.allowed - self.sent) if self.state in LIVE else 0

    @property
    def given(self) -> int:
        """What it ever gave away: all it allowed, or what was sent where that is more. Never falls, however it ends."""
        return max(self.allowed, self.sent)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a gate, or a campaign, has given away. outstanding: of live permits. sent_last_hour: as reported in it.

    given: of a gate, all it ever gave away, whatever came back of it: it never falls, so that what was given since an
    instant is known also where something else came back meanwhile.
    frees_at: when the next part of it comes back by time alone; None: nothing is spent.
    given_elsewhere: of a gate, what all other gates ever gave away.
    is_counted: what is asked about was given already, and counted then: there need be no room for it once more.
    """

    outstanding: int = 0
    sent_last_hour: int = 0
    frees_at: datetime | None = None
    given: int = 0
    given_elsewhere: int = 0
    is_counted: bool = False


NOTHING_SPENT = Spent()
COUNTED = Spent(is_counted=True)
