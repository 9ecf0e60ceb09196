"""The hours of local days, as a wall clock strikes them: 23 or 25 on the days on which clocks change, mostly."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOURS = 24
_DAY = timedelta(days=1)


def local_hours(first: date, days: int, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Return when each hour of so many local days begins, and last when the last one ends; instants in UTC.

    An hour that the clock skips is not there, one that it shows twice is there twice. Where clocks change by less than
    an hour, as on Lord Howe Island, the hour in which they do is longer or shorter.
    """
    last = _strikes(first + days * _DAY, 0, zone)[:1]
    struck = (_strikes(first + number * _DAY, hour, zone) for number in range(days) for hour in range(HOURS))
    begins = (at for instants in struck for at in instants)
    return (*sorted(set(begins)), *last)


def _strikes(day: date, hour: int, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Return the instants at which the clock shows a full hour of a day: none, one, or two.

    A midnight that is skipped is the first instant of its day.
    """
    wall = datetime.combine(day, time(hour), zone)
    either = sorted({wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)})
    shown = tuple(at for at in either if at.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None))
    return (_after_gap(either[0], zone),) if not shown and hour == 0 else shown


def _after_gap(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the change of clocks that `at`, taken by the offset after it, lies before."""
    offset = at.astimezone(zone).utcoffset()
    while at.astimezone(zone).utcoffset() == offset:
        at += timedelta(minutes=1)
    return at
