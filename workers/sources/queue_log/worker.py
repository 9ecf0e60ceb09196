"""Follows a live queue_log for as long as it is told to."""

import asyncio
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path

from app.core.floor.observation import Observation
from app.ports.stream import Payload
from workers.sources.lot import Lot
from workers.sources.queue_log.client import Follower
from workers.sources.queue_log.translate import SILENCE_LIMIT_SECONDS, Translator
from workers.sources.worker import Factory, Surroundings, deliver_surely, pause
from workers.systems.faults import SourceFault
from workers.systems.table import Table

HEARTBEAT_SECONDS = 15.0
POLL_SECONDS = 0.25
RETRY_SECONDS = 2.0
SENT_AGAIN = timedelta(hours=24)  # on a start; what is older serves only to know the agents and the open stays

_KIND, _FOLLOWING = "queue-log", "following"


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of {type="queue-log", path, queues?, channel?, quiet_seconds?}. Raises Invalid."""
    quiet = "quiet_seconds" in table.keys
    return partial(
        QueueLogWorker,
        name=name,
        path=Path(table.text("path")),
        queues=table.texts("queues", ("*",)),
        channel=table.name("channel", "voice"),
        quiet_seconds=table.seconds("quiet_seconds", 0, 60, SILENCE_LIMIT_SECONDS) if quiet else math.inf,
    )


class QueueLogWorker:
    """Sends what is written to a queue_log, and every 15 s that the file can be read an observation of its queues.

    A start reads the file and the one that rotation left last, from their beginnings: who is on the floor and which
    calls are open is written nowhere else. What of it was sent before is a duplicate and changes nothing.

    quiet_seconds: when the newest line is older, the queues are observed no more: nobody may be writing.
    """

    def __init__(
        self,
        around: Surroundings,
        *,
        name: str,
        path: Path,
        queues: Sequence[str],
        channel: str,
        quiet_seconds: float = math.inf,
    ) -> None:
        self.name = name
        self._path, self._queues, self._channel, self._around = path, queues, channel, around
        self._quiet = quiet_seconds
        self._beaten_at = -math.inf

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop` is set; while the file cannot be read, say so in the source's health and try again."""
        translator = Translator(self.name, queues=self._queues, channel=self._channel, heartbeat_seconds=None)
        reading = _Reading(self._path, translator, self._around.clock.now() - SENT_AGAIN)
        try:
            while not stop.is_set():
                try:
                    await self._drain(reading, stop)
                except OSError as fault:
                    self._around.sources.failed(self.name, _sentence(self._path, fault), self._around.clock.now())
                    await pause(RETRY_SECONDS, stop)
                else:
                    await self._beat(translator, stop)
                    await pause(POLL_SECONDS, stop)
        finally:
            reading.close()

    async def sample(self) -> Lot:
        """Return how the queues stand now, read from the whole file. Raises SourceFault."""
        translator = Translator(self.name, queues=self._queues, channel=self._channel, heartbeat_seconds=None)
        now = self._around.clock.now()
        try:
            await asyncio.to_thread(_read_all, _Reading(self._path, translator, now))
        except OSError as fault:
            raise SourceFault(f"{self._path} cannot be read ({fault.strerror or fault})") from None
        return Lot(translator.observe(now))

    async def _drain(self, reading: "_Reading", stop: asyncio.Event) -> None:
        """Send all that is in the file by now. Raises OSError when it cannot be read."""
        while not stop.is_set() and (payloads := await asyncio.to_thread(reading.next_payloads)) is not None:
            await deliver_surely(self._around.ingest, payloads, stop)

    async def _beat(self, translator: Translator, stop: asyncio.Event) -> None:
        """Every 15 seconds send what is true of the queues now, and say in the source's health how the reading goes."""
        if time.monotonic() - self._beaten_at < HEARTBEAT_SECONDS:
            return
        self._beaten_at = time.monotonic()
        now, tally = self._around.clock.now(), translator.tally
        status = self._status(translator.newest_at, now)
        if status == _FOLLOWING:
            await deliver_surely(self._around.ingest, translator.observe(now), stop)
        self._around.sources.working(
            self.name,
            _KIND,
            status,
            now,
            path=str(self._path),
            lines=tally.lines,
            malformed=tally.malformed,
            skipped=dict(tally.skipped),
            faults=[f"line {fault.line}: {fault.reason}" for fault in tally.faults],
        )

    def _status(self, newest_at: int | None, now: datetime) -> str:
        """Return how it goes: `following` alone means that what is known may be taken for how things stand."""
        quiet = math.inf if newest_at is None else now.timestamp() - newest_at
        if quiet <= self._quiet:
            return _FOLLOWING
        since = "nothing is written yet" if newest_at is None else f"nothing was written for {quiet:,.0f} s"
        return f"quiet: {since}, so nothing is said"


class _Reading:
    """A file being followed and translated, to be used from a thread: a long log takes seconds."""

    def __init__(self, path: Path, translator: Translator, sent_from: datetime) -> None:
        self._translator, self._sent_from = translator, sent_from
        self._follower = Follower(path)
        self._begun = False

    def next_payloads(self) -> list[Payload] | None:
        """Return what new lines say, events before sent_from left out; None when there is no new line."""
        lines = self._follower.read()
        if not lines:
            return None
        earlier = () if self._begun else _recent_lines(self._follower.predecessor())
        self._begun = True
        payloads = (payload for line in chain(earlier, lines) for payload in self._translator.line(line))
        return [payload for payload in payloads if isinstance(payload, Observation) or payload.at >= self._sent_from]

    def close(self) -> None:
        """Let go of the file."""
        self._follower.close()


def _read_all(reading: _Reading) -> None:
    """Read to the end of the file as it is now. Raises OSError."""
    try:
        while reading.next_payloads() is not None:
            pass
    finally:
        reading.close()


def _recent_lines(path: Path | None) -> Iterator[str]:
    """Yield the lines of a file that was written to in the past seven days and can be read."""
    with suppress(OSError):
        if path is not None and time.time() - path.stat().st_mtime < SILENCE_LIMIT_SECONDS:
            with path.open(encoding="utf-8", errors="replace") as file:
                yield from file


def _sentence(path: Path, fault: OSError) -> str:
    return f"{path} cannot be read ({fault.strerror or fault}); holdfire goes on trying"
