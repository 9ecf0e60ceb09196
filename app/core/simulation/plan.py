"""The floor to simulate: its queues, who is at work when, what breaks. Times are seconds after the start."""

from dataclasses import dataclass
from typing import NamedTuple

from app.core.simulation.randomness import Duration
from app.core.simulation.rates import Rates


class Span(NamedTuple):
    """From start (included) to end (not included), seconds."""

    start: float
    end: float


class Break(NamedTuple):
    """A break that `agents` people of a shift take together."""

    start: float
    end: float
    agents: int


@dataclass(frozen=True, slots=True)
class Shift:
    """`agents` people at work from start to end. Their breaks go round: each takes the next people in turn.

    Who is handling a contact when the shift or the break says go finishes that contact first.
    """

    agents: int
    start: float
    end: float
    breaks: tuple[Break, ...] = ()

    def __post_init__(self) -> None:
        if self.agents < 0 or self.start >= self.end:
            raise ValueError(f"a shift needs agents >= 0 and start < end, not {self}")
        if any(pause.start >= pause.end or pause.agents > self.agents for pause in self.breaks):
            raise ValueError(f"a break needs start < end and no more people than its shift has, not {self.breaks}")


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """One queue: who calls, how long it takes, who answers.

    service is the time with the customer, wrap_up_seconds follows it. patience_seconds is the mean of an exponential;
    None: nobody gives up. slots: contacts one agent handles at once (chat). opening: when a campaign's contacts may
    come in, empty: always. redial_ratio of those who gave up come back, redial_delay_seconds later on average.
    present_at_start contacts are there at the first instant.
    """

    name: str
    arrivals: Rates
    service: Duration
    shifts: tuple[Shift, ...]
    channel: str = "voice"
    wrap_up_seconds: float = 0.0
    patience_seconds: float | None = None
    slots: int = 1
    opening: tuple[Span, ...] = ()
    redial_ratio: float = 0.0
    redial_delay_seconds: float = 600.0
    present_at_start: int = 0

    def __post_init__(self) -> None:
        if self.slots < 1 or self.wrap_up_seconds < 0 or not 0 <= self.redial_ratio <= 1:
            raise ValueError(f"{self.name}: slots must be >= 1, wrap_up_seconds >= 0, redial_ratio within 0..1")
        if self.patience_seconds is not None and self.patience_seconds <= 0:
            raise ValueError(f"{self.name}: patience_seconds must be > 0 or None, not {self.patience_seconds}")


@dataclass(frozen=True, slots=True)
class Outage:
    """The agents of these queues lose their tools for a while: contacts in hand are finished, no new one is taken."""

    start: float
    end: float
    queues: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"an outage needs start < end, not {self.start} and {self.end}")


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """The whole floor. repeats_every_seconds: shifts, breaks and opening come again after that; None: once only."""

    queues: tuple[QueuePlan, ...]
    outages: tuple[Outage, ...] = ()
    repeats_every_seconds: float | None = None

    def __post_init__(self) -> None:
        names = [queue.name for queue in self.queues]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"a floor needs queues with different names, not {names}")
        unknown = {name for outage in self.outages for name in outage.queues} - set(names)
        if unknown:
            raise ValueError(f"an outage names queues the floor does not have: {sorted(unknown)}")
