"""What the watchers of a gate's live socket are shown: by programs, by the board, by a screen on the wall."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.services.container import Services
from app.services.published import GateState, Published
from app.services.shapes import Shape


@dataclass(frozen=True, slots=True)
class LiveView:
    """What a frame carries besides its head, and how. Watchers with the same view share their frames.

    packed: it travels as one binary message, gzipped once for all; else as text.
    """

    members: Callable[[Services, GateState, Published], Awaitable[Shape]]
    packed: bool = False
