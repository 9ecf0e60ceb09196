"""What to tell an email tool next, so that no more goes than a permit allows. Pure.

A tool's count is old by some seconds, and a look at it is followed by no other for some more. So it is paused while
what it may have sent by the next look still fits. A tool that cannot be paused is only given what fits whole. Nothing
that a tool does not say is taken for good: a count that is missing is none, a size that is missing is too large.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.core.sending.standing import MAY_SEND, OVER, UNBEGUN, Abilities, SendingState, Standing


class Command(StrEnum):
    """What a tool can be told."""

    START = "start"
    RESUME = "resume"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class Part:
    """One of the tool's campaigns that together make ours; recipients: as its makers say, None: nobody did.

    running_seconds: since when it was seen running, as far as we know; None: for longer than its count is old.
    rested_seconds: since when it was seen not running; None: long enough for its count to be final.
    """

    id: str
    standing: Standing
    recipients: int | None = None
    running_seconds: float | None = None
    rested_seconds: float | None = None

    @property
    def size(self) -> int | None:
        """How many it is for, the larger of what the tool and its makers say; None: nobody says."""
        return max((size for size in (self.standing.target, self.recipients) if size is not None), default=None)

    @property
    def sent(self) -> int:
        """How many were sent: all, once it began, where the tool does not count."""
        if self.standing.sent is not None:
            return self.standing.sent
        return 0 if self.standing.state in UNBEGUN else self.size or 0

    @property
    def left(self) -> int | None:
        """How many the tool has left to send to, 0 when it is over; None: nobody says, or it sent to more already."""
        if self.standing.state in OVER:
            return 0
        return None if self.size is None or self.sent > self.size else self.size - self.sent


@dataclass(frozen=True, slots=True)
class Move:
    """Tell the tool this about one of its campaigns."""

    command: Command
    part: str
    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """There is nothing to tell the tool now. is_trouble: it sends what it must not, and cannot be stopped."""

    why: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Nothing more can go under this permit: what is left of it is to be given back.

    remedy: what people can do so that the next does better, "" where that is nothing.
    """

    why: str
    remedy: str = ""


Next = Move | Wait | GiveBack


def unseen(abilities: Abilities, part: Part, look_seconds: float) -> int:
    """Return how many a running campaign may have sent by the next look, beyond what it counts now."""
    lag = abilities.lag_seconds
    if part.running_seconds is not None:
        lag = min(lag, max(0.0, part.running_seconds))
    per_second = max(abilities.per_second, part.standing.per_second or 0.0)
    return int(per_second * (lag + look_seconds)) + 1


def smallest(abilities: Abilities, look_seconds: float) -> int:
    """Return how many a permit must allow for a tool to be started under it that has more left than that."""
    return int(abilities.per_second * (abilities.lag_seconds + look_seconds)) + 2


def next_of(
    parts: Sequence[Part], abilities: Abilities, *, left: int, look_seconds: float, may_begin: bool = True
) -> Next:
    """Return what to do next.

    left: what may still be sent under the permit, 0 when there is none or its holder must stop. look_seconds: how long
    until the next look. may_begin: False while nothing new may be begun, though what runs may go on.
    """
    going = [part for part in parts if part.standing.state in MAY_SEND]
    if left <= 0:
        return _stopped(going, abilities)
    if scheduled := next((part for part in going if part.standing.state is SendingState.SCHEDULED), None):
        return _unscheduled(scheduled, abilities)
    if going:
        return _watched(going, abilities, left, look_seconds)
    if not may_begin:
        return Wait("nothing is begun now")
    return _begun(parts, abilities, left, look_seconds)


def _stopped(going: Sequence[Part], abilities: Abilities) -> Next:
    if not going:
        return Wait("nothing may be sent, and nothing is")
    if abilities.can_pause:
        return Move(Command.PAUSE, going[0].id, "nothing may be sent now")
    return Wait("it cannot be paused", is_trouble=True)


def _unscheduled(part: Part, abilities: Abilities) -> Next:
    """A tool that will begin by itself begins when nobody has looked at the floor."""
    if abilities.can_pause:
        return Move(Command.PAUSE, part.id, "the tool would begin by itself, at a time of its own")
    return Wait("the tool begins by itself, at a time of its own, and cannot be paused", is_trouble=True)


def _watched(going: Sequence[Part], abilities: Abilities, left: int, look_seconds: float) -> Next:
    """Pause before the permit is used up; what ends by itself within it is left alone."""
    sizes = [part.left for part in going]
    known = [size for size in sizes if size is not None]
    if len(known) == len(sizes) and sum(known) <= left:
        return Wait("the tool sends, and ends within the permit")
    if not abilities.can_pause:
        return Wait("the tool sends, and cannot be paused", is_trouble=True)
    most = sum(unseen(abilities, part, look_seconds) for part in going)
    if most >= left:
        return Move(Command.PAUSE, going[0].id, f"{left:,} are left, and as many may be sent by the next look")
    return Wait("the tool sends")


def _begun(parts: Sequence[Part], abilities: Abilities, left: int, look_seconds: float) -> Next:
    if any(part.rested_seconds is not None and part.rested_seconds < abilities.lag_seconds for part in parts):
        return Wait("its count is not final yet")
    open_parts = [part for part in parts if part.standing.state not in OVER]
    if not open_parts:
        return GiveBack("the tool has nobody left to send to")
    fits = next((part for part in open_parts if part.left is not None and part.left <= left), None)
    chosen = fits if fits is not None else open_parts[0]
    if fits is None and not abilities.can_pause:
        none = f"none of what is left has at most {left:,} recipients, and the tool cannot be paused"
        return GiveBack(none, "let waves be larger, or hand over smaller campaigns of the tool")
    if fits is None and left < (least := smallest(abilities, look_seconds)):
        few = f"{left:,} are too few to stop the tool in time; it takes at least {least:,}"
        return GiveBack(few, "let waves be larger, or let the tool send more slowly")
    command = Command.START if chosen.standing.state is SendingState.READY else Command.RESUME
    return Move(command, chosen.id, f"{left:,} may go")
