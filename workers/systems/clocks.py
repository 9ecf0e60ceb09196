"""What systems' clocks show beside ours: by the Date that comes with what they answer (RFC 9110, section 6.6.1)."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from email.utils import parsedate_to_datetime

DATE_SECONDS = 1.0  # Date is in whole seconds


class Shown:
    """The clock that a system showed last, while it was listened to. at: what it showed, None: nothing."""

    def __init__(self) -> None:
        self.at: datetime | None = None
        self._asked = self._heard = 0.0

    def show(self, at: datetime, asked: float, heard: float) -> None:
        """Note what a system's clock showed between two instants of the machine's own clock."""
        self.at, self._asked, self._heard = at, asked, heard

    def ahead_seconds(self, now: datetime) -> float | None:
        """Return how far that clock is ahead of ours, which shows `now`; below 0: behind; None: it was not shown.

        0 where the difference is no larger than what nobody can tell: a second, and how long the answer took.
        """
        if self.at is None:
            return None
        since = time.monotonic() - self._heard
        ahead = (self.at - now).total_seconds() + since + DATE_SECONDS / 2
        unsure = DATE_SECONDS + self._heard - self._asked
        return float(round(ahead)) if abs(ahead) > unsure else 0.0


_listening: ContextVar[Shown | None] = ContextVar("listening", default=None)


@contextmanager
def listening() -> Iterator[Shown]:
    """Yield what will know the clock of whichever system answers within."""
    shown = Shown()
    token = _listening.set(shown)
    try:
        yield shown
    finally:
        _listening.reset(token)


def hear(headers: Mapping[str, str], asked: float) -> None:
    """Note the Date of an answer to a question that was asked at an instant of time.monotonic().

    An answer that a cache kept (Age) shows when it was made, not what its maker's clock shows now.
    """
    shown, date = _listening.get(), headers.get("date")
    if shown is None or date is None or headers.get("age") is not None:
        return
    try:
        at = parsedate_to_datetime(date)
    except (TypeError, ValueError, OverflowError):
        return
    if at.tzinfo is not None:
        shown.show(at, asked, time.monotonic())
