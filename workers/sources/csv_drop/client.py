"""Finds files that were dropped in a folder and are whole. To be used from a thread: folders may be far away.

A file is whole when it has not changed for a while by our own clock: one that is being written grows, one that was
renamed into place does not. Without a line's end at its own end it has to stay so for five times as long.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

LARGEST_BYTES = 8 << 20
WITHOUT_END = 5
MOST_AT_ONCE = 100
MOST_BYTES = 64 << 20


class Sign(NamedTuple):
    """What tells a file's states apart: another size, another time or another file under the name is another sign."""

    inode: int
    size: int
    modified_ns: int

    @property
    def modified_at(self) -> datetime:
        """When it was written last, by the clock of its file system."""
        return datetime.fromtimestamp(self.modified_ns / 1e9, UTC)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A whole file. content None: it cannot be read, for the reason in `fault`; it may be tried again if `retried`."""

    path: Path
    sign: Sign
    content: bytes | None
    fault: str = ""
    retried: bool = False


class Folder:
    """A folder with files. What was read is remembered until it is gone; `done` moves it away where that is wanted.

    No more is read at once than 100 files, or 64 MB; the rest has its turn the next time.

    settle_seconds: how long a file must not change; newest_seconds: what is older is left alone.
    """

    def __init__(
        self,
        path: Path,
        pattern: str,
        *,
        settle_seconds: float,
        newest_seconds: float,
        moves: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._pattern, self._moves = path, pattern, moves
        self._settle, self._newest, self._monotonic = settle_seconds, newest_seconds, monotonic
        self._seen: dict[str, tuple[Sign, float]] = {}
        self._read: dict[str, Sign] = {}

    def whole(self, now: datetime) -> list[Dropped]:
        """Return the files that are whole and were not read yet, the oldest first. Raises OSError for the folder."""
        signs = dict(self._signs())
        self._seen = {name: self._first_seen(name, sign) for name, sign in signs.items()}
        self._read = {name: sign for name, sign in self._read.items() if signs.get(name) == sign}
        fresh = [
            (sign.modified_ns, name, sign)
            for name, sign in signs.items()
            if self._read.get(name) != sign and (now - sign.modified_at).total_seconds() <= self._newest
        ]
        found: list[Dropped] = []
        for _, name, sign in sorted(fresh):
            if (dropped := self._whole(name, sign)) is not None:
                found.append(dropped)
            if len(found) >= MOST_AT_ONCE or sum(len(each.content or b"") for each in found) >= MOST_BYTES:
                break
        return found

    def done(self, dropped: Dropped, beside: str) -> str | None:
        """Remember a file as read, and move it to the folder `beside` it where that is wanted.

        Return why it could not be moved, None where all is well.
        """
        self._read[dropped.path.name] = dropped.sign
        if not self._moves or _sign(dropped.path) != dropped.sign:
            return None
        folder = self._path / beside
        try:
            folder.mkdir(exist_ok=True)
            dropped.path.replace(_free(folder, dropped.path.name))
        except OSError as fault:
            return f"it cannot be moved to the folder {beside} ({fault.strerror})"
        return None

    def _signs(self) -> Iterator[tuple[str, Sign]]:
        with os.scandir(self._path) as entries:
            for entry in entries:
                if fnmatchcase(entry.name, self._pattern) and (sign := _sign(Path(entry.path))) is not None:
                    yield entry.name, sign

    def _first_seen(self, name: str, sign: Sign) -> tuple[Sign, float]:
        known = self._seen.get(name)
        return known if known is not None and known[0] == sign else (sign, self._monotonic())

    def _whole(self, name: str, sign: Sign) -> Dropped | None:
        """Return a file that is whole. None: not yet, or it changed while it was read, or it is gone."""
        path, rested = self._path / name, self._monotonic() - self._seen[name][1]
        if rested < self._settle:
            return None
        if sign.size > LARGEST_BYTES:
            return Dropped(path, sign, None, f"it has more than {LARGEST_BYTES:,} bytes")
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as fault:  # of this file: the others are read all the same
            return Dropped(path, sign, None, f"it cannot be read ({fault.strerror})", retried=True)
        ended = content.endswith((b"\n", b"\r")) or rested >= self._settle * WITHOUT_END
        whole = ended and _sign(path) == sign and len(content) == sign.size
        return Dropped(path, sign, content) if whole else None


def _sign(path: Path) -> Sign | None:
    """Return a regular file's sign, None for anything else, what is gone, and a link that leads nowhere."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Sign(found.st_ino, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _free(folder: Path, name: str) -> Path:
    """Return a path in the folder that is not taken: the name, or the name with a number."""
    path, number = folder / name, 1
    while path.exists():
        path, number = folder / f"{name}.{number}", number + 1
    return path
