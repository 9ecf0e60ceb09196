"""A holdfire on a clock that whoever started it moves: minutes of a simulated week in milliseconds, restarts included.

`python -m tests.support.soak_server FOLDER PORT RAW_DAYS`: the program as `holdfire serve` runs it, but for its clock,
for how long it keeps what comes, and for how often it prunes that.
"""

import asyncio
import mmap
import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.commands.serve import run_server
from app.services.container import Services
from app.settings import Settings
from app.telemetry.logs import configure_logs
from workers.packing import PackingWorker
from workers.retention import RetentionWorker
from workers.supervisor import Supervisor

EPOCH = datetime.fromtimestamp(0, UTC)
STEP_SECONDS = 60  # of this clock, at a time
STEP_WALL_SECONDS = 0.05  # as long as that takes, where the machine is fast enough
SPEED = STEP_SECONDS / STEP_WALL_SECONDS
PRUNED_EVERY_WALL_SECONDS = 2.0
CLOCK = "clock"


class SharedClock:
    """A clock in a file, which one process moves and others read. It stands while nobody moves it."""

    def __init__(self, folder: Path, start: datetime | None = None) -> None:
        path = folder / CLOCK
        if start is not None:
            path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)
        if start is not None:
            self._set((start - EPOCH) // timedelta(microseconds=1))

    def us(self) -> int:
        """Return the instant in microseconds since 1970."""
        return int(struct.unpack("=q", self._memory[:])[0])

    def now(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.us())

    def move(self, seconds: float) -> None:
        """Go on by so many seconds."""
        self._set(self.us() + round(seconds * 1_000_000))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(self.wall_seconds(seconds))

    def wall_seconds(self, seconds: float) -> float:
        return seconds / SPEED

    def _set(self, us: int) -> None:
        self._memory[:] = struct.pack("=q", us)


async def background(services: Services, stop: asyncio.Event) -> None:
    """Prune and pack, as workers do."""
    retention = RetentionWorker(services.retention, PRUNED_EVERY_WALL_SECONDS)
    await Supervisor([retention, PackingWorker(services.packing)]).run(stop)


def main(folder: Path, port: int, raw_days: float) -> None:
    """Serve until told to end."""
    kept = {"retention_raw_days": raw_days, "retention_minutes_days": 2 * raw_days}  # less than an operator may set
    settings = Settings(port=port, auth="off", data_dir=folder, log_format="json").model_copy(update=kept)
    configure_logs("warning", "json")
    run_server(settings, ready=lambda _: None, clock=SharedClock(folder), background=background)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
