"""The demonstration's clock: moved by hand through the warm-up, then running at the speed asked for."""

import asyncio
import time
from datetime import datetime, timedelta


class DemoClock:
    """A clock that stands at `start` (aware UTC), goes where `move_to` sets it, and after `run` moves by itself.

    speed: its seconds per second of the machine's monotonic clock, once it runs.
    """

    def __init__(self, start: datetime, speed: float) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be > 0, not {speed}")
        self._at, self._speed = start, speed
        self._running_since: float | None = None
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        if self._running_since is None:
            return self._at
        return self._at + timedelta(seconds=(time.monotonic() - self._running_since) * self._speed)

    def move_to(self, at: datetime) -> None:
        """Set the clock, while it does not run yet; it never goes back."""
        if self._running_since is None:
            self._at = max(self._at, at)
        self._wake()

    def run(self) -> None:
        """Let it move by itself from now on."""
        self._running_since = time.monotonic()
        self._wake()

    async def sleep(self, seconds: float) -> None:
        wake = self.now() + timedelta(seconds=seconds)
        while (left := (wake - self.now()).total_seconds()) > 0:
            if self._running_since is None:
                await self._moved.wait()
            else:
                await asyncio.sleep(left / self._speed)

    def wall_seconds(self, seconds: float) -> float:
        return seconds / self._speed

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
