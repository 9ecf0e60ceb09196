"""Email tools that holdfire drives: it starts and pauses their campaigns, and reads how these stand."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.core.sending.standing import Abilities, Standing
from app.errors import HoldfireError


class SenderFault(HoldfireError):
    """A tool could not be asked, or told. Whether it did what it was told is not known; str() is a sentence."""


class SenderRefused(SenderFault):
    """The tool does not know us: the credentials are wrong, or may not do this."""


class SenderBusy(SenderFault):
    """The tool asks for patience."""

    def __init__(self, sentence: str, retry_after_seconds: float) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class Sender(Protocol):
    """One tool. A command that returns may have done nothing: only `status` tells. Asking changes nothing.

    Each method raises SenderFault (SenderRefused, SenderBusy) when the tool cannot be asked, or its answer makes no
    sense, and returns within a bounded time.
    """

    @property
    def abilities(self) -> Abilities:
        """What it can do."""

    async def status(self, campaign: str) -> Standing:
        """Return how one of its campaigns stands, by its own id."""

    async def start(self, campaign: str) -> None:
        """Tell it to begin."""

    async def resume(self, campaign: str) -> None:
        """Tell it to go on with a paused one."""

    async def pause(self, campaign: str) -> None:
        """Tell it to pause, or to forget when it was to begin. A tool that cannot be paused raises SenderFault."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Driven:
    """How one of a tool's campaigns stands, for people. trouble: a sentence while it sends what it must not."""

    campaign: str
    tool_campaign: str
    state: str
    sent: int
    target: int | None
    read_at: datetime
    trouble: str | None = None


@dataclass(slots=True)
class SenderHealth:
    """How one sender is doing; counts since start. driven: by the tool's own campaign id."""

    name: str
    kind: str
    can_pause: bool
    status: str = "never asked"
    last_success_at: datetime | None = None
    consecutive_failures: int = 0
    last_error: str | None = None
    commands: int = 0
    driven: dict[str, Driven] = field(default_factory=dict)
