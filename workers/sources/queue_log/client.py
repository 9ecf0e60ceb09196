"""Follows a growing text file through rotation, as `tail -F` does, and loses nothing that can still be read.

Rotation by rename: a new file appears under the path while the writer may go on writing to the old one until it is
told to reopen. The old file is therefore read on until the new one holds data; one writer does not go back.
Rotation by copy and truncate: the file begins anew in place. Lines that were not read before are in the copy, which is
found beside the path by the bytes last read. (What is written between copy and truncation is lost to everybody;
logrotate's manual says so.)
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 1 << 18
LONGEST_LINE_BYTES = 1 << 16
HEAD_BYTES = 512
TRACE_BYTES = 4096
_COPY_SEPARATORS = (".", "-", "_")
_PACKED = (".gz", ".bz2", ".xz", ".zst")


class Follower:
    """Reads the lines that were added to a file since the last time. Not thread-safe; one reader at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._position = 0
        self._head = b""  # the file's first bytes: when they change, it was cut and has grown again
        self._trace = b""  # the bytes last read: a copy holds the same at the same place
        self._rest = b""  # the last line's beginning, until its end is written

    @property
    def position(self) -> int:
        """How many bytes of the present file have been read."""
        return self._position

    def read(self) -> list[str]:
        """Return the lines added since the last call, [] when there are none; at most about a quarter of a megabyte.

        Raises OSError (FileNotFoundError, PermissionError, ...) while there is nothing to read under the path; the
        next call simply tries again.
        """
        if self._file is None:
            self._use(self._open())
            return self._lines(self._next_bytes())
        try:
            renewed, fault = self._renewed(), None
        except OSError as unseen:  # moved away, and nothing has taken its place: ours may still grow
            renewed, fault = False, unseen
        if chunk := self._next_bytes():
            return self._lines(chunk)
        if fault is not None:
            raise fault
        if not renewed:
            return []
        self._use(self._open())
        return self._lines(b"\n" if self._rest else b"") + self._lines(self._next_bytes())

    def predecessor(self) -> Path | None:
        """Return the file that was followed before this one by whoever read it, None without any.

        It is the newest one beside it that is neither the open file under a new name nor a copy of it.
        """
        ours = os.fstat(self._descriptor())
        for path in predecessors(self._path):
            with suppress(OSError), path.open("rb") as file:
                theirs = os.fstat(file.fileno())
                same = (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)
                if not same and not (self._head and file.read(len(self._head)) == self._head):
                    return path
        return None

    def close(self) -> None:
        """Let go of the file; the next read opens what is there then. Closing twice is fine."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _open(self) -> BinaryIO:
        if not stat.S_ISREG(self._path.stat().st_mode):  # asked first: opening a pipe would wait for its writer
            raise OSError(errno.EINVAL, "not a regular file", str(self._path))
        return self._path.open("rb", buffering=0)

    def _use(self, file: BinaryIO) -> None:
        self.close()
        self._file, self._position, self._head, self._trace = file, 0, b"", b""

    def _renewed(self) -> bool:
        """Return whether another file with data stands under the path. Raises OSError when none can be seen there."""
        there, ours = self._path.stat(), os.fstat(self._descriptor())
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino) and there.st_size > 0

    def _next_bytes(self) -> bytes:
        """Return the next bytes of the open file; what was read while it was being cut is not trusted."""
        descriptor = self._descriptor()
        chunk = os.pread(descriptor, CHUNK_BYTES, self._position)
        head = os.pread(descriptor, HEAD_BYTES, 0)
        if not head.startswith(self._head) or os.fstat(descriptor).st_size < self._position + len(chunk):
            missed = self._missed()
            self._position, self._head, self._trace = 0, b"", b""
            return missed or self._next_bytes()
        self._head = self._head if len(self._head) == HEAD_BYTES else head
        self._trace = (self._trace + chunk)[-TRACE_BYTES:]
        self._position += len(chunk)
        return chunk

    def _missed(self) -> bytes:
        """Return what the file's copy holds beyond the place read so far, and the end of its last line."""
        for copy in predecessors(self._path):
            try:
                missed = self._beyond(copy)
            except OSError:
                continue  # gone, or not ours to read: another may be it
            if missed is not None:
                return missed if missed.endswith(b"\n") or not (missed or self._rest) else missed + b"\n"
        return b"\n" if self._rest else b""

    def _beyond(self, copy: Path) -> bytes | None:
        """Return what a file holds beyond our position, None when it is no copy of ours."""
        with copy.open("rb") as file:
            if file.read(len(self._head)) != self._head:
                return None
            file.seek(self._position - len(self._trace))
            return file.read() if file.read(len(self._trace)) == self._trace else None

    def _lines(self, chunk: bytes) -> list[str]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE_BYTES:
            lines.append(self._rest)  # no log has such lines: let the translation count it as malformed
            self._rest = b""
        return [line.decode(errors="replace") for line in lines]

    def _descriptor(self) -> int:
        if self._file is None:
            raise ValueError("no file is open")
        return self._file.fileno()


def predecessors(path: Path) -> list[Path]:
    """Return the uncompressed files that rotation left beside `path`, newest first."""
    found: list[tuple[float, Path]] = []
    try:
        for entry in os.scandir(path.parent):
            suffix = entry.name.removeprefix(path.name)
            if suffix != entry.name and suffix.startswith(_COPY_SEPARATORS) and not suffix.endswith(_PACKED):
                found.append((entry.stat().st_mtime, Path(entry.path)))
    except OSError:
        return []
    return [path for _, path in sorted(found, reverse=True)]
