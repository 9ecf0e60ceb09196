"""Send windows: the spans of local time in which a gate may let sends go at all.

A window is open whenever a wall clock in the policy's time zone shows one of its days and a time in [from, to).
That settles both odd hours of a year: a time that daylight saving skips never comes, so a window loses it and one
that lies wholly inside it does not open that day; an hour that comes twice counts twice.

Method: a span of some days is cut into pieces of constant UTC offset. Inside a piece local time is UTC plus the
offset, so a window is a plain interval there, clipped to the piece. Sorted and joined, these are the open spans.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

# A weekly window that daylight saving skips once comes again 14 days on; two days to spare for the zones' offsets.
HORIZON = timedelta(days=16)
# No zone has ever changed its offset twice within this span.
PROBE = timedelta(hours=6)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SendWindow:
    """A span of local time on given weekdays (0 = Monday) for sends. `until` None means 24:00."""

    days: frozenset[int]
    start: time
    until: time | None


class Hours(NamedTuple):
    """How the windows stand at an instant: whether sends may go, and when that next changes.

    changes_at is the next opening while closed and the next closing while open; None when nothing changes within
    the horizon of 16 days.
    """

    is_open: bool
    changes_at: datetime | None


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name. Raises KeyError, ValueError or OSError for one that is not there."""
    return ZoneInfo(name)


def is_zone(name: str) -> bool:
    """Tell whether a name means the same zone on every machine: neither the machine's own nor one with leap seconds."""
    if name == "localtime" or name.startswith(("right/", "posix")):
        return False
    try:
        zone(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def hours(windows: tuple[SendWindow, ...], time_zone: str, now: datetime) -> Hours:
    """Return whether `now` (aware UTC) is inside a window, and the next instant at which that changes."""
    day = now.date()
    spans = _open_spans(windows, time_zone, day)
    index = bisect_right(spans, now, key=_opens) - 1
    if index >= 0 and now < spans[index][1]:
        closes = spans[index][1]
        return Hours(is_open=True, changes_at=closes if closes < _midnight(day) + HORIZON else None)
    return Hours(is_open=False, changes_at=spans[index + 1][0] if index + 1 < len(spans) else None)


def _opens(span: tuple[datetime, datetime]) -> datetime:
    return span[0]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@lru_cache(maxsize=1024)
def _open_spans(windows: tuple[SendWindow, ...], time_zone: str, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """Return all open spans between a UTC day's beginning and the horizon."""
    start = _midnight(day)
    return open_spans(windows, time_zone, start, start + HORIZON)


def open_spans(
    windows: tuple[SendWindow, ...], time_zone: str, start: datetime, until: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """Return all open spans [opens, closes) inside [start, until), joined, in order."""
    pieces = list(constant_offsets(zone(time_zone), start, until))
    spans = sorted(span for piece in pieces for window in windows for span in _spans_in(window, *piece))
    joined: list[tuple[datetime, datetime]] = []
    for opens, closes in spans:
        if joined and opens <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(closes, joined[-1][1])
        else:
            joined.append((opens, closes))
    return tuple(joined)


def constant_offsets(local: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """Yield (start, end, offset) of the stretches of constant UTC offset that make up [start, end)."""
    begun, at = start, start
    while at < end:
        ahead = min(at + PROBE, end)
        if _offset(local, ahead) != _offset(local, at):
            change = _change_between(local, at, ahead)
            yield begun, change, _offset(local, at)
            begun = change
        at = ahead
    if begun < end:
        yield begun, end, _offset(local, begun)


def _change_between(local: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the first second in (before, after] that has the offset of `after`."""
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(local, before + timedelta(seconds=middle)) == _offset(local, before):
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _offset(local: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(local).utcoffset() or timedelta()


def _spans_in(
    window: SendWindow, start: datetime, end: datetime, offset: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the window's open spans inside one piece of constant offset."""
    day = (start + offset).date()
    last = (end + offset).date()
    while day <= last:
        if day.weekday() in window.days:
            midnight = _midnight(day) - offset
            opens = max(start, midnight + _since_midnight(window.start))
            closes = min(end, midnight + (DAY if window.until is None else _since_midnight(window.until)))
            if opens < closes:
                yield opens, closes
        day += DAY


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
