"""Recorded files as payloads in the order they came, whatever their format."""

import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import IO, Self, cast

from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.ports.stream import Payload
from workers.sources.calls_csv.client import read_rows
from workers.sources.calls_csv.translate import Layout
from workers.sources.calls_csv.translate import translate as translate_calls
from workers.sources.ndjson.translate import DEFAULT_SOURCE
from workers.sources.ndjson.translate import Translator as NdjsonTranslator
from workers.sources.queue_log.translate import Translator as QueueLogTranslator
from workers.sources.tally import Tally


class Format(StrEnum):
    """What a recorded file can be."""

    QUEUE_LOG = "queue-log"
    CALLS_CSV = "calls-csv"
    OBSERVATIONS_NDJSON = "observations-ndjson"
    CONTACTS_NDJSON = "contacts-ndjson"


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file. None: the format's own default. headers, queue and time_zone are for CSV only."""

    format: Format
    source: str | None = None
    queue: str | None = None
    time_zone: tzinfo = UTC
    headers: Mapping[str, str] = field(default_factory=dict)


class Recording:
    """A recorded file, read once from beginning to end. Used as a context; reading raises OSError and Invalid."""

    def __init__(self, path: Path, reading: Reading) -> None:
        self._raw = path.open("rb")
        self._size = max(1, path.stat().st_size)
        self.tally = Tally()
        self._text = _text(self._raw, path)
        self.payloads = _READERS[reading.format](self._text, reading, self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._text.close()
        self._raw.close()

    def read_ratio(self) -> float:
        """Return how much of the file has been read, 0..1."""
        return min(1.0, self._raw.tell() / self._size) if not self._raw.closed else 1.0


def _text(raw: IO[bytes], path: Path) -> IO[str]:
    unpacked = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
    return io.TextIOWrapper(unpacked, encoding="utf-8-sig", errors="replace", newline="")


def _queue_log(lines: Iterable[str], reading: Reading, recording: Recording) -> Iterator[Payload]:
    translator = QueueLogTranslator(reading.source or "queue_log")
    recording.tally = translator.tally
    for line in lines:
        yield from translator.line(line)
    translator.end()


def _calls(lines: Iterable[str], reading: Reading, recording: Recording) -> Iterator[Payload]:
    layout = Layout(
        source=reading.source or "calls_csv",
        queue=reading.queue or "calls",
        time_zone=reading.time_zone,
        headers=reading.headers,
    )
    return translate_calls(read_rows(lines, layout), layout, recording.tally)


def _observations(lines: Iterable[str], reading: Reading, recording: Recording) -> Iterator[Payload]:
    return _ndjson(lines, NdjsonTranslator(Observation, reading.source or DEFAULT_SOURCE), recording)


def _contacts(lines: Iterable[str], reading: Reading, recording: Recording) -> Iterator[Payload]:
    return _ndjson(lines, NdjsonTranslator(ContactEvent, reading.source or DEFAULT_SOURCE), recording)


def _ndjson(lines: Iterable[str], translator: NdjsonTranslator, recording: Recording) -> Iterator[Payload]:
    recording.tally = translator.tally
    for line in lines:
        yield from translator.line(line)


_READERS: Mapping[Format, Callable[[Iterable[str], Reading, Recording], Iterator[Payload]]] = {
    Format.QUEUE_LOG: _queue_log,
    Format.CALLS_CSV: _calls,
    Format.OBSERVATIONS_NDJSON: _observations,
    Format.CONTACTS_NDJSON: _contacts,
}
