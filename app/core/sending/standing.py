"""How a campaign stands in the email tool that sends it, in words that hold for every tool."""

from dataclasses import dataclass
from enum import StrEnum


class SendingState(StrEnum):
    """Where a tool's own campaign stands.

    scheduled: the tool will begin by itself. finished: there is nobody left to send to. ended: it was given up in the
    tool, and nothing more will go.
    """

    READY = "ready"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    ENDED = "ended"


MAY_SEND = frozenset({SendingState.RUNNING, SendingState.SCHEDULED})  # without being told to once more
UNBEGUN = frozenset({SendingState.READY, SendingState.SCHEDULED})
OVER = frozenset({SendingState.FINISHED, SendingState.ENDED})


@dataclass(frozen=True, slots=True)
class Standing:
    """How a tool's own campaign stands by what the tool says.

    sent: so far, by the tool's own count; None: it does not count, and all of it is taken as sent once it began.
    target: how many it is for in all; per_second: how fast it sends; None: it does not say.
    """

    state: SendingState
    sent: int | None
    target: int | None = None
    per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a tool can do.

    lag_seconds: how old its count of what it sent may be. per_second: the most it sends; 0 where it cannot be paused,
    for then nobody has to know. takes_seconds: how long after a command it may still show the state before.
    """

    can_pause: bool
    lag_seconds: float = 0.0
    per_second: float = 0.0
    takes_seconds: float = 0.0
