"""Reads each file that appears in a folder once, when it is whole."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from app.services.trials import Rejected
from workers.sources.aside import Aside
from workers.sources.csv_drop.client import Dropped, Folder, Sign
from workers.sources.csv_drop.speakers import Speakers
from workers.sources.csv_drop.translate import Layout, translate
from workers.sources.lot import Lot, joined
from workers.sources.mapping.config import columns_of, row_map
from workers.sources.polling import Poller
from workers.sources.worker import Factory, Surroundings
from workers.systems.faults import SourceFault, TranslateError
from workers.systems.table import Table

INTERVAL_SECONDS = 2.0
SETTLE_SECONDS = 2.0
NEWEST_HOURS = 24.0
READING_SECONDS = 60.0
DONE, REJECTED = "done", "rejected"

_KIND = "csv-drop"


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of {type="csv-drop", folder, mapping, pattern?, after?, ...}. Raises Invalid."""
    settle = table.seconds("settle_seconds", SETTLE_SECONDS, 0, 60)
    folder = partial(
        Folder,
        Path(table.text("folder")),
        table.text("pattern", "*.csv"),
        settle_seconds=settle,
        newest_seconds=3600 * table.number("newest_hours", NEWEST_HOURS, 0.01, 24 * 365),
        moves=table.choice("after", ("leave", "move"), "leave") == "move",
    )
    interval = table.seconds("interval_seconds", INTERVAL_SECONDS, 0.01, 3600)
    return partial(_worker, name=name, folder=folder, layout=_layout(table, name), interval=interval, settle=settle)


def trial(table: Table, name: str) -> Callable[[bytes, datetime], Lot]:
    """Return what reads a sample of a file that was written at an instant, as this table says. Raises Invalid."""
    layout = _layout(table, name)
    return lambda sample, at: translate(sample, layout, at)


class CsvDrop:
    """A folder and what its files mean. What was read is done when the next reading begins: it is durable by then.

    A file that makes no sense, or cannot be read, stops no other: it is said once, and set aside where files are moved.
    The folder has one thread of its own: where it hangs, as a folder of another machine may, nobody else waits.
    """

    def __init__(self, folder: Folder, layout: Layout, settle_seconds: float) -> None:
        self._folder, self._layout, self._settle = folder, layout, settle_seconds
        self._begun = False
        self._aside, self._speakers = Aside(_KIND), Speakers()
        self._sent: Sequence[tuple[Dropped, str]] = ()
        self._unread: dict[str, Sign] = {}

    async def read(self, asked_at: datetime) -> Lot:
        """Return what the files say that are whole now. The first time waits until it can know. Raises SourceFault."""
        sent, self._sent = self._sent, ()
        left = await self._aside.run(self._put_aside, sent)
        try:
            found = await self._aside.run(self._folder.whole, asked_at)
            if not self._begun:
                await asyncio.sleep(self._settle)
                found = await self._aside.run(self._folder.whole, asked_at)
        except OSError as fault:
            raise SourceFault(f"{fault.filename} cannot be used ({fault.strerror or fault})") from None
        self._begun = True
        known, self._unread = self._unread, {each.path.name: each.sign for each in found if each.retried}
        fresh = [each for each in found if not each.retried or known.get(each.path.name) != each.sign]
        read = await self._aside.run(self._translated, fresh)
        self._sent = [(each, where) for each, (where, _) in zip(fresh, read, strict=True) if not each.retried]
        return joined([*left, *(lot for _, lot in read)])

    async def close(self) -> None:
        """Forget what was sent last: it is read again, and what came of it is a duplicate."""
        self._sent = ()

    def _put_aside(self, sent: Sequence[tuple[Dropped, str]]) -> list[Lot]:
        """Put away what is durable now; return a rejected row for each that stays where it is."""
        return [_refused(each, why) for each, where in sent if (why := self._folder.done(each, where)) is not None]

    def _translated(self, found: Sequence[Dropped]) -> list[tuple[str, Lot]]:
        lots = [(dropped.path.name, *_lot(dropped, self._layout)) for dropped in found]
        return [(where, self._speakers.heard(name, lot)) for name, where, lot in lots]


def _lot(dropped: Dropped, layout: Layout) -> tuple[str, Lot]:
    """Return where to put a file and what it says; one that makes no sense is one rejected row."""
    if dropped.content is None:
        return REJECTED, _refused(dropped, dropped.fault)
    try:
        return DONE, translate(dropped.content, layout, dropped.sign.modified_at)
    except TranslateError as fault:
        return REJECTED, _refused(dropped, str(fault))


def _refused(dropped: Dropped, why: str) -> Lot:
    """Return a rejected row for a file: by when it was written, as its name may be a caller's."""
    return Lot((), [Rejected(1, "", f"a whole file, written {dropped.sign.modified_at:%Y-%m-%d %H:%M:%S} UTC: {why}")])


def _worker(
    around: Surroundings,
    *,
    name: str,
    folder: Callable[[], Folder],
    layout: Layout,
    interval: float,
    settle: float,
) -> Poller:
    return Poller(
        around,
        name=name,
        kind=_KIND,
        asking=CsvDrop(folder(), layout, settle),
        interval_seconds=interval,
        deadline_seconds=settle + READING_SECONDS,
        idle="waits for a file",
    )


def _layout(table: Table, name: str) -> Layout:
    encoding = table.text("encoding", "utf-8-sig")
    try:
        with suppress(UnicodeError):  # of one byte alone, as by UTF-16
            b"a".decode(encoding)
    except LookupError:  # also of codecs that give no text, as hex
        raise table.fault("encoding", f"{encoding!r} is not known", "give for example utf-8 or cp1252") from None
    delimiter = table.text("delimiter", ",")
    if len(delimiter) != 1 or not delimiter.isascii():
        raise table.fault("delimiter", f"{delimiter!r} is not one character", 'give for example ";"')
    return Layout(row_map(table, name, columns=True), columns_of(table), delimiter, encoding)
