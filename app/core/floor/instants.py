"""Instants as whole microseconds since 1970, so that sums and comparisons are exact whatever the order.

A second bucket holds (second - 1, second], because windows are (now - W, now]. A minute bucket of history holds
[minute, minute + 60 s), because charts label a minute by its start.
"""

from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
LONG_AGO = -(1 << 62)  # before any instant a datetime can hold
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    """Return the microseconds from 1970 to an aware instant."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def instant(at_us: int) -> datetime:
    """Return the aware UTC instant that many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=at_us)


def span(seconds: float) -> int:
    """Return a duration in microseconds, rounded to a whole one."""
    return round(seconds * SECOND)


def closing_second(at_us: int) -> int:
    """Return the whole second whose bucket (second - 1, second] holds the instant."""
    return -(-at_us // SECOND)
