"""Archive: writes what the stream brings into the database, in batches, for one process at a time.

How far it came is written with the records themselves, so it goes on by itself after any fault, and writes nothing
twice. While the database is away nothing is lost: the stream keeps what waits.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from app.errors import HoldfireError, Invalid
from app.ports.archive import RecordArchive
from app.ports.stream import Stream, StreamRecord

log = logging.getLogger(__name__)

WRITE_SECONDS = 0.5
WRITE_RECORDS = 20_000
RESTART_SECONDS = 1.0


class Archive:
    """Follows the stream and writes it down while `may_write` says that it is this process's turn."""

    def __init__(self, stream: Stream, records: RecordArchive, may_write: Callable[[], bool] = lambda: True) -> None:
        self._stream, self._records, self._may_write = stream, records, may_write
        self._waiting: list[StreamRecord] = []
        self._has_room, self._is_full = asyncio.Event(), asyncio.Event()
        self.position = 0
        """The position up to which this process has written, or has seen that another one had."""

    async def run(self, stop: asyncio.Event) -> None:
        """Write until `stop` is set. A fault is said once, and writing begins anew behind what is written."""
        said = ""
        while not stop.is_set():
            try:
                if self._may_write():
                    await self._follow(stop)
                    said = ""
            except (HoldfireError, OSError) as fault:
                if str(fault) != said:
                    said = str(fault)
                    log.warning("history_not_written", extra={"error": said, "position": self.position})
            except Exception:
                log.exception("history_failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RESTART_SECONDS)

    async def _follow(self, stop: asyncio.Event) -> None:
        self.position = await self._records.position()
        self._waiting = []
        self._has_room.set()
        self._is_full.clear()
        hearing = asyncio.create_task(self._hear(self.position), name="archive-tail")
        try:
            while self._may_write() and not stop.is_set():
                await self._pause(stop, hearing)
                await self._write_waiting()
        finally:
            hearing.cancel()
            await asyncio.wait([hearing])
        if stop.is_set() and self._may_write():
            await self._write_waiting()

    async def _hear(self, position: int) -> None:
        """Keep what comes for the next write; while that is much, let the rest wait in the stream."""
        async for records in self._stream.tail(position):
            await self._has_room.wait()
            self._waiting += records
            if len(self._waiting) >= WRITE_RECORDS:
                self._has_room.clear()
                self._is_full.set()

    async def _pause(self, stop: asyncio.Event, hearing: asyncio.Task[None]) -> None:
        """Return when it is time to write."""
        waits = [asyncio.ensure_future(self._is_full.wait()), asyncio.ensure_future(stop.wait())]
        await asyncio.wait([*waits, hearing], timeout=WRITE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if hearing.done():
            hearing.result()

    async def _write_waiting(self) -> None:
        records, self._waiting = self._waiting, []
        self._is_full.clear()
        self._has_room.set()
        if records:
            if records[0].position > self.position + 1:
                log.error("history_has_a_gap", extra={"after": self.position, "until": records[0].position - 1})
            await self._write(records)
            self.position = records[-1].position

    async def _write(self, records: Sequence[StreamRecord]) -> None:
        """Write records; one that the database refuses for what it says is left out, and said."""
        try:
            await self._records.write(records)
        except Invalid as fault:
            if len(records) == 1:
                log.error("history_refused", extra={"position": records[0].position, "error": str(fault)})  # noqa: TRY400
                return
            middle = len(records) // 2
            await self._write(records[:middle])
            await self._write(records[middle:])
