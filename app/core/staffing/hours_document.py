"""Opening hours as people send them: a JSON document, checked whole."""

import re
from collections.abc import Iterator, Mapping
from datetime import date

from app.core.gate.fields import Fields, listed, shown
from app.core.gate.policy import WEEKDAYS
from app.core.gate.windows import is_zone
from app.core.problem import Problem
from app.core.staffing.hours import DAY_MINUTES, Open, OpeningHours
from app.core.staffing.refused import StaffingRefused
from app.core.staffing.schedule import FIRST_YEAR, LAST_YEAR, MOST_PROBLEMS

MOST_WINDOWS = 100
MOST_DATES = 1_000
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


def parse_hours(document: Mapping[str, object]) -> OpeningHours:
    """Return the hours that a document describes. Raises StaffingRefused with every fault found.

    time_zone and weekly are needed: weekly has objects of days ("mon" to "sun"), from and to ("08:00" to "24:00").
    closed has dates ("2026-12-25"); special objects of date, from and to, several for a date with a break.
    """
    problems: list[Problem] = []
    fields = Fields.of(document, "", problems)
    if fields is None:
        raise StaffingRefused(problems)
    time_zone, weekly = zone_of(fields), _weekly(fields)
    closed, special = _closed(fields), _special(fields)
    for day in sorted(closed & special.keys()):
        fields.refuse(f"{day} is closed, and has hours of its own; say one of both", "special")
    fields.finish()
    if problems:
        raise StaffingRefused(problems[:MOST_PROBLEMS])
    days = tuple(_in_order(each) for each in weekly)
    return OpeningHours(time_zone, days, closed, tuple((day, _in_order(each)) for day, each in sorted(special.items())))


def zone_of(fields: Fields) -> str:
    """Return the member time_zone, an IANA name; "UTC", and a problem noted, where it is absent or none."""
    value = fields.get("time_zone") if fields.has("time_zone") else None
    if isinstance(value, str) and is_zone(value):
        return value
    fields.refuse(f'{shown(value)} is no time zone; use an IANA name such as "America/Chicago" or "UTC"', "time_zone")
    return "UTC"


def _weekly(fields: Fields) -> list[list[Open]]:
    need = 'say when it opens, as [{"days": ["mon"], "from": "08:00", "to": "18:00"}]'
    found: list[list[Open]] = [[] for _ in WEEKDAYS]
    for index, window in _windows(fields, "weekly", required=need, empty=need):
        days = window.items("days", required=f"say on which days: {listed(WEEKDAYS)}", empty=f"name {listed(WEEKDAYS)}")
        stretch = _stretch(window)
        for place, day in enumerate(days):
            if not isinstance(day, str) or day not in WEEKDAYS:
                window.refuse(f"{shown(day)} is no day; use {listed(WEEKDAYS)}", "days", place)
            elif stretch is not None and not _added(found[WEEKDAYS.index(day)], stretch):
                fields.refuse(f"on {day} it overlaps another window; say each time once", "weekly", index)
        window.finish()
    return found


def _closed(fields: Fields) -> frozenset[date]:
    items = fields.items("closed", empty="leave the member out when no day is closed")[:MOST_DATES]
    days = [(_date(fields, item, "closed", index)) for index, item in enumerate(items)]
    return frozenset(day for day in days if day is not None)


def _special(fields: Fields) -> dict[date, list[Open]]:
    found: dict[date, list[Open]] = {}
    for index, window in _windows(fields, "special", required="", empty="leave the member out when no day is special"):
        day = _date(window, window.get("date") if window.has("date") else None, "date")
        stretch = _stretch(window)
        if day is not None and stretch is not None and not _added(found.setdefault(day, []), stretch):
            fields.refuse(f"on {day} it overlaps another one; say each time once", "special", index)
        window.finish()
    return found


def _windows(fields: Fields, member: str, *, required: str, empty: str) -> Iterator[tuple[int, Fields]]:
    items = fields.items(member, required=required, empty=empty)
    most = MOST_WINDOWS if required else MOST_DATES
    if len(items) > most:
        fields.refuse(f"{len(items):,} entries are more than {most:,}", member)
    for index, item in enumerate(items[:most]):
        window = Fields.of(item, fields.at(member, index), fields.problems)
        if window is not None:
            yield index, window


def _date(fields: Fields, value: object, *path: str | int) -> date | None:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-12-25") else None
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        fields.refuse(f'{shown(value)} is no date of the years {FIRST_YEAR} to {LAST_YEAR}; send "2026-12-25"', *path)
        return None
    return day


def _stretch(fields: Fields) -> Open | None:
    opens, closes = _clock(fields, "from"), _clock(fields, "to")
    if opens is None or closes is None:
        return None
    if opens >= closes:
        hint = "over midnight write two, to 24:00 and from 00:00 on the day after; a whole day is 00:00 to 24:00"
        fields.refuse(f"it closes at or before it opens; {hint}", "to")
        return None
    return Open(opens, closes)


def _clock(fields: Fields, member: str) -> int | None:
    value = fields.get(member) if fields.has(member) else None
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        fields.refuse(f'{shown(value)} must be a time of day from "00:00" to "24:00"', member)
        return None
    minute = int(value[:2]) * 60 + int(value[3:])
    return min(minute, DAY_MINUTES)


def _added(stretches: list[Open], stretch: Open) -> bool:
    """Add a stretch to a day's unless it overlaps one of them; tell whether it did not."""
    if any(stretch.opens < other.closes and other.opens < stretch.closes for other in stretches):
        return False
    stretches.append(stretch)
    return True


def _in_order(stretches: list[Open]) -> tuple[Open, ...]:
    return tuple(sorted(stretches))
