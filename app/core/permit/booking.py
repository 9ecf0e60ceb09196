"""What was sent is booked by the minute it was reported in, so that summing up an hour costs the same at any volume."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
COUNTED = HOUR + MINUTE  # from a minute's beginning until its end lies an hour back


class LastHour(NamedTuple):
    """What counts as sent in the last hour, and when the next part of it no longer does (None: there is none)."""

    sent: int
    frees_at: datetime | None


def minute_of(at: datetime) -> datetime:
    """Return the beginning of the minute that an instant is in."""
    return at.replace(second=0, microsecond=0)


def counts_from(now: datetime) -> datetime:
    """Return the instant after which a minute must have begun to count at `now`: no part of an hour is left out."""
    return now - COUNTED


def last_hour(minutes: Mapping[datetime, int], now: datetime) -> LastHour:
    """Return what counts at `now`, of what was sent by minute.

    Minutes to come count, too: a clock may have been set back.
    """
    since = counts_from(now)
    counted = [minute for minute, sent in minutes.items() if minute > since and sent]
    return LastHour(sum(minutes[minute] for minute in counted), min(counted) + COUNTED if counted else None)


def earliest(*instants: datetime | None) -> datetime | None:
    """Return the first of some instants, None when all are."""
    return min((at for at in instants if at is not None), default=None)
