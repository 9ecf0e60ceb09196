"""What time it is."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The one clock everything reads. A demo runs it fast; a replay lets the data move it."""

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""

    async def sleep(self, seconds: float) -> None:
        """Return after that many of this clock's seconds."""

    def wall_seconds(self, seconds: float) -> float:
        """Return how long so many of this clock's seconds last for people and programs outside."""
