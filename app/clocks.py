"""The clocks a process can run on: the machine's, a faster one for demos, and one that follows replayed data."""

import asyncio
import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def wall_seconds(self, seconds: float) -> float:
        return seconds


class ScaledClock:
    """A clock that starts at `start` and runs `speed` times as fast as the machine's monotonic clock."""

    def __init__(self, start: datetime, speed: float) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be > 0, not {speed}")
        self._start, self._speed, self._origin = start, speed, time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._origin) * self._speed)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)

    def wall_seconds(self, seconds: float) -> float:
        return seconds / self._speed


class DataClock:
    """A clock that stands still until `move_to` sets it: replayed data moves it, as fast as it goes."""

    def __init__(self, at: datetime) -> None:
        self._now = at

    def now(self) -> datetime:
        return self._now

    def move_to(self, at: datetime) -> None:
        """Set the clock; it never goes back."""
        self._now = max(self._now, at)

    async def sleep(self, seconds: float) -> None:
        self.move_to(self._now + timedelta(seconds=seconds))
        await asyncio.sleep(0)

    def wall_seconds(self, seconds: float) -> float:
        return seconds
