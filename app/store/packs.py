"""A day of minutes as bytes: what a backtest reads of one metric, each column in the smallest form that keeps it exact.

A pack is a version byte, a letter per column, and the columns one after the other, 1,440 little-endian numbers each. A
column without anything in it has the letter "-" and no bytes. A missing reading is the largest number of a whole-number
form, NaN of the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row

from app.core.forecast.series import FloatArray, IntArray

DAY_MINUTES = 1_440
VERSION = b"\x01"
_NOTHING = "-"
_HEAD = len(VERSION) + 3
_WHOLE: dict[str, np.dtype[Any]] = {"B": np.dtype("<u1"), "H": np.dtype("<u2"), "I": np.dtype("<u4")}
_FORMS: dict[str, np.dtype[Any]] = {
    **_WHOLE,
    "q": np.dtype("<i8"),
    "f": np.dtype("<f4"),
    "d": np.dtype("<f8"),
}
_MILLION = 1_000_000


@dataclass(slots=True, eq=False)
class Columns:
    """The minutes of one metric: as in app.core.backtest.history.MetricMinutes. A column without anything is None."""

    minutes: int
    last: FloatArray | None = None
    weight: IntArray | None = None
    total: IntArray | None = None

    @property
    def size_bytes(self) -> int:
        """How much memory the columns take."""
        return sum(column.nbytes for column in (self.last, self.weight, self.total) if column is not None)

    def put(self, rows: Sequence[Row[Any]], start: int, *, windowed: bool) -> None:
        """Write buckets into the minutes from `start` on. windowed: they may be sums over contacts.

        A row: minute, weight, total, last. A bucket with a newest reading is that reading: ready-made averages must
        not be averaged, and a minute's sums cannot be told from them. A gauge's bucket without one, which nothing
        writes, is its mean.
        """
        if not rows:
            return
        places, weights, totals, lasts = (np.array(column, float) for column in zip(*rows, strict=True))
        at = places.astype(np.int64) + start
        if windowed:
            self._put_sums(at, np.where(np.isnan(lasts), weights, 0), np.where(np.isnan(lasts), totals, 0))
        else:
            means = np.full(len(rows), np.nan)
            np.divide(totals, weights, out=means, where=weights > 0)
            lasts = np.where(np.isnan(lasts), means, lasts)
        if self.last is not None or not np.isnan(lasts).all():
            self.readings()[at] = lasts

    def clear(self, start: int, stop: int) -> None:
        """Take everything out of the minutes from `start` to before `stop`."""
        if self.last is not None:
            self.last[start:stop] = np.nan
        for sums in (self.weight, self.total):
            if sums is not None:
                sums[start:stop] = 0

    def _put_sums(self, at: IntArray, weights: FloatArray, totals: FloatArray) -> None:
        if self.weight is not None or weights.any() or totals.any():
            weight, total = self.sums()
            weight[at], total[at] = np.rint(weights), np.rint(totals * _MILLION)

    def readings(self) -> FloatArray:
        """Return the column `last`, made now if there was nothing in it."""
        if self.last is None:
            self.last = np.full(self.minutes, np.nan)
        return self.last

    def sums(self) -> tuple[IntArray, IntArray]:
        """Return the columns `weight` and `total`, made now if there was nothing in them."""
        if self.weight is None or self.total is None:
            self.weight, self.total = (np.zeros(self.minutes, np.int64) for _ in range(2))
        return self.weight, self.total


class _Part(NamedTuple):
    """Where a column is in a pack, and what in it means that there is nothing; None where NaN says so."""

    place: int
    form: np.dtype[Any]
    offset: int
    missing: int | None


def packed(day: Columns) -> bytes:
    """Return one day as a pack."""
    parts = [_of_readings(day.last), _of_sums(day.weight), _of_sums(day.total)]
    letters, bodies = zip(*parts, strict=True)
    return VERSION + "".join(letters).encode() + b"".join(bodies)


def unpack(body: bytes, into: Columns, start: int) -> bool:
    """Write a pack into the minutes from `start` on; return False, with nothing written, for what is no such pack."""
    layout = _layout(body[:_HEAD])
    if layout is None or len(body) != layout[1]:
        return False
    for part in layout[0]:
        values: NDArray[Any] = np.frombuffer(body, part.form, DAY_MINUTES, part.offset)
        if part.place:
            into.sums()[part.place - 1][start : start + DAY_MINUTES] = values
        else:
            readings = into.readings()[start : start + DAY_MINUTES]
            readings[:] = values
            if part.missing is not None:
                readings[values == part.missing] = np.nan
    return True


def digest(body: bytes) -> int:
    """Return a number that tells a pack from another."""
    return int.from_bytes(blake2b(body, digest_size=8).digest(), signed=True)


@lru_cache(maxsize=256)
def _layout(head: bytes) -> tuple[tuple[_Part, ...], int] | None:
    """Return the columns that a pack with this head has, and its length; None for what is no head of a pack."""
    letters = head[len(VERSION) :].decode("ascii", "replace")
    if head[: len(VERSION)] != VERSION or len(head) != _HEAD or not set(letters) <= {_NOTHING, *_FORMS}:
        return None
    parts, offset = [], _HEAD
    for place, letter in enumerate(letters):
        if letter != _NOTHING:
            missing = int(np.iinfo(_WHOLE[letter]).max) if place == 0 and letter in _WHOLE else None
            parts.append(_Part(place, _FORMS[letter], offset, missing))
            offset += DAY_MINUTES * _FORMS[letter].itemsize
    return tuple(parts), offset


def _of_readings(values: FloatArray | None) -> tuple[str, bytes]:
    if values is None:
        return _NOTHING, b""
    there = np.isfinite(values)
    seen = values[there]
    if len(seen) and seen.min() >= 0 and np.all(seen == np.rint(seen)):
        for letter, form in _WHOLE.items():
            most = np.iinfo(form).max
            if seen.max() < most:
                return letter, np.where(there, values, most).astype(form).tobytes()
    letter = "f" if np.all(seen.astype(_FORMS["f"]) == seen) else "d"
    return letter, values.astype(_FORMS[letter]).tobytes()


def _of_sums(values: IntArray | None) -> tuple[str, bytes]:
    if values is None:
        return _NOTHING, b""
    fitting = (name for name, form in _WHOLE.items() if values.min() >= 0 and values.max() <= np.iinfo(form).max)
    letter = next(fitting, "q")
    return letter, values.astype(_FORMS[letter]).tobytes()
