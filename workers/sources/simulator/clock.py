"""The demonstration's clock: it races through the warm-up, then runs at the speed asked for."""

import asyncio
import time
from datetime import datetime, timedelta


class DemoClock:
    """A clock that stands at `start` until `run` is called, takes warm_up in `warm_up_wall_seconds`, then goes on.

    speed: clock seconds per wall second after the warm-up. A warm-up never takes longer than it would at that speed.
    """

    def __init__(self, start: datetime, warm_up: timedelta, speed: float, warm_up_wall_seconds: float = 4.0) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be > 0, not {speed}")
        self._start, self._warm_up, self._speed = start, warm_up.total_seconds(), speed
        self._racing = max(speed, self._warm_up / warm_up_wall_seconds)
        self._origin: float | None = None

    def run(self) -> None:
        """Begin to move; a second call changes nothing."""
        if self._origin is None:
            self._origin = time.monotonic()

    @property
    def warmed_up(self) -> bool:
        """Whether the warm-up has passed."""
        return self._elapsed() >= self._warm_up

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed())

    async def sleep(self, seconds: float) -> None:
        wake = self._elapsed() + seconds
        while (left := wake - self._elapsed()) > 0:
            racing = not self.warmed_up
            reach = min(left, self._warm_up - self._elapsed()) if racing else left
            await asyncio.sleep(max(0.0, reach / (self._racing if racing else self._speed)))

    def _elapsed(self) -> float:
        if self._origin is None:
            return 0.0
        wall = time.monotonic() - self._origin
        racing_wall = self._warm_up / self._racing
        if wall < racing_wall:
            return wall * self._racing
        return self._warm_up + (wall - racing_wall) * self._speed
