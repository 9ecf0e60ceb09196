"""What people read: values, durations and times as text. Pure; None always prints as an en dash, never as zero."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

NONE = "–"  # noqa: RUF001 -- an en dash is meant: it reads as "nothing here", a hyphen as a minus
MINUS = "−"  # noqa: RUF001 -- the minus sign, as wide as the digits
NO_BREAK = "\u00a0"  # a space at which no line is broken
THIN = "\u202f"  # a narrow space that never breaks, between a number and its unit

# (from how many seconds on, the larger unit and its seconds, the smaller one and its, digits of the smaller one)
SCALES = ((86400, "d", 86400, "h", 3600, 1), (3600, "h", 3600, "min", 60, 2), (60, "min", 60, "s", 1, 1))
PRECISE_BELOW_SECONDS = 10


def duration(seconds: float | None) -> str:
    """Return a length of time in its two largest units: `7.4 s`, `45 s`, `3 min 20 s`, `1 h 05 min`, `2 d 3 h`.

    Whole seconds from 10 s on, truncated like a clock; tenths below, left out when zero. Negative ones get a minus.
    """
    if seconds is None:
        return NONE
    if seconds < 0:
        return f"{MINUS}{duration(-seconds)}"
    if seconds < PRECISE_BELOW_SECONDS:
        return f"{number(round(seconds, 1))}{THIN}s"
    whole = int(seconds)
    for least, large, large_seconds, small, small_seconds, digits in SCALES:
        if whole >= least:
            rest = whole % large_seconds // small_seconds
            head = f"{whole // large_seconds:,}{THIN}{large}"
            return f"{head} {rest:0{digits}d}{THIN}{small}" if rest else head
    return f"{whole}{THIN}s"


def number(value: float | None) -> str:
    """Return a number with groups of three digits and at most one decimal: `12,345`, `3.5`, `0`."""
    if value is None:
        return NONE
    rounded = round(value, 1)
    text = f"{abs(rounded):,.0f}" if rounded == int(rounded) else f"{abs(rounded):,.1f}"
    return f"{MINUS}{text}" if rounded < 0 else text


def percent(ratio: float | None) -> str:
    """Return a ratio 0..1 as per cent with at most one decimal: `71.4 %`, `80 %`."""
    return NONE if ratio is None else f"{number(ratio * 100)}{THIN}%"


def measure(value: float | None, unit: str | None) -> str:
    """Return a metric's value the way its unit is read: seconds as a duration, ratios in per cent, counts bare."""
    match unit:
        case "seconds":
            return duration(value)
        case "ratio":
            return percent(value)
        case _:
            return number(value)


def margin(value: float | None, unit: str | None) -> str:
    """Return how far a value is from its limit, always signed: `+4`, `+3.5 s`; ratios in percentage points, `pp`."""
    if value is None:
        return NONE
    sign = MINUS if value < 0 else "+"
    if unit == "ratio":
        return f"{sign}{number(abs(value) * 100)}{THIN}pp"
    return sign + measure(abs(value), unit)


def iso(at: datetime | None) -> str:
    """Return an instant for a `datetime` attribute: RFC 3339 UTC in whole seconds; empty for None."""
    return "" if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def clock_time(at: datetime | None, zone: ZoneInfo, *, today: datetime | None = None) -> str:
    """Return an instant as `14:05:09` in a zone; with `today` given and another local date, `Mon 16 Nov 14:05`.

    A time that comes twice, in the night when clocks are set back, says which one it is: `01:30:00 CDT`.
    """
    if at is None:
        return NONE
    local = at.astimezone(zone)
    if today is not None and local.date() != today.astimezone(zone).date():
        return f"{local:%a} {local.day} {local:%b} {local:%H:%M}{which_of_two(at, zone)}"
    return f"{local:%H:%M:%S}{which_of_two(at, zone)}"


def whole_minute(at: datetime) -> datetime:
    """Return an instant rounded up to a minute, as the gate's own sentences say when something ends: never early."""
    return (at + timedelta(minutes=1, microseconds=-1)).replace(second=0, microsecond=0)


def hour_and_minute(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as `14:05` in a zone; a time that comes twice as `01:30 CDT`."""
    return f"{at.astimezone(zone):%H:%M}{which_of_two(at, zone)}"


def which_of_two(at: datetime, zone: ZoneInfo) -> str:
    """Return a space and the zone's present name for an instant whose local time comes twice, empty for any other."""
    local = at.astimezone(zone)
    first, second = (local.replace(fold=fold).utcoffset() for fold in (0, 1))
    return f"{NO_BREAK}{local:%Z}" if first != second else ""


def zone_name(at: datetime, zone: ZoneInfo) -> str:
    """Return how the zone is called at an instant, with its name: `CST, America/Chicago`; `UTC` stays alone."""
    abbreviation = at.astimezone(zone).tzname() or ""
    return abbreviation if abbreviation == zone.key else f"{abbreviation}, {zone.key}"


def count(value: int, noun: str) -> str:
    """Return a number with its noun: `1 queue`, `3 queues`."""
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def retitled(sentence: str, titles: Mapping[str, str]) -> str:
    """Return a sentence that begins with a queue's name and a colon with that queue's title instead.

    Any other sentence begins with a capital: a queue's name is never bent to look like one.
    """
    name, colon, rest = sentence.partition(":")
    if colon and " " not in name:
        return f"{titles.get(name, name)}:{rest}"
    return sentence[:1].upper() + sentence[1:]
