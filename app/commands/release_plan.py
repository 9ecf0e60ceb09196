"""What is to be released, what came of each wave, and who is told."""

from dataclasses import dataclass
from typing import Protocol

from app.client import Answer, PermitAnswer, Unanswered


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be released and how. wave_size None: all that is left at once, as far as the gate allows.

    offset: how many of the audience an earlier release has sent to; this one goes on from there.
    timeout_seconds: how long one wave may wait for its permit. wave_gap_seconds: from the opening of one to the next.
    check_seconds: how often the permit of a running wave is looked at; unchecked_seconds: how long it may go unseen.
    """

    gate: str
    audience: int
    command: str
    campaign: str | None = None
    wave_size: int | None = None
    wave_gap_seconds: float | None = None
    timeout_seconds: float = 7200.0
    stop_grace_seconds: float = 10.0
    check_seconds: float = 1.0
    unchecked_seconds: float = 15.0
    offset: int = 0

    @property
    def full_wave(self) -> int:
        """How many a wave has where nothing makes it smaller."""
        return min(self.audience, self.wave_size or self.audience)


@dataclass(frozen=True, slots=True)
class WaveResult:
    """What came of one wave. sent None: it did not say. stopped_because None: it ended by itself."""

    number: int
    permit_id: str
    offset: int
    allow: int
    sent: int | None
    exit_code: int | None
    seconds: float
    stopped_because: str | None


class Listener(Protocol):
    """Who is told how a release goes. Nothing is told while a wave runs."""

    def waits(self, last: Answer | Unanswered, pause: float) -> None:
        """No permit yet, and the next ask in so many seconds."""

    def opens(self, number: int, permit: PermitAnswer) -> None:
        """A wave begins."""

    def closed(self, wave: WaveResult) -> None:
        """A wave is over."""

    def rests(self, seconds: float) -> None:
        """The next ask is only in so many seconds, to see what the last wave does."""

    def note(self, text: str) -> None:
        """Something else happened that people should know."""
