"""Dates, times and numbers as people and their spreadsheets write them."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from app.core.gate.fields import shown

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]?\s+", re.IGNORECASE)
_ISO = re.compile(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})")
_DAY_MONTH = re.compile(r"(\d{1,2})[ -]([a-z]{3})[a-z]*\.?[ -](\d{4}|\d{2})", re.IGNORECASE)
_MONTH_DAY = re.compile(r"([a-z]{3})[a-z]*\.? (\d{1,2}),? (\d{4})", re.IGNORECASE)
_TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::(\d{2})(?:\.0+)?)?\s*(?:([ap])\.?(?:m\.?)?)?", re.IGNORECASE)
_MILITARY = re.compile(r"(\d{2})(\d{2})")
_RANGE = re.compile(r"\s*(?:-|–|—|\bto\b|\bbis\b)\s*", re.IGNORECASE)  # noqa: RUF001  exports write any of these dashes
_INSTANT = re.compile(
    r"(.+?\d)(?:\s*T\s*|,?\s+)(\d{1,2}(?::?\d{2}){0,2}(?:\.0+)?\s*(?:[ap]\.?m?\.?)?)\s*(Z|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_GROUPS = re.compile(r"\d{1,3}(?:[,.]\d{3})+")
_NOON = 12


class DateOrder(StrEnum):
    """Which of 03/04/2026 is the month: the first (mdy), or the second (dmy)."""

    MDY = "mdy"
    DMY = "dmy"


class Clock(NamedTuple):
    """A time of day in minutes since midnight, 0..1440."""

    minute: int


class Local(NamedTuple):
    """A date and time as written; offset None: on the wall clock of a zone that is not named here."""

    at: datetime
    offset: timedelta | None


def date_order(texts: Iterable[str]) -> DateOrder | None:
    """Return the order that dates with slashes must have, None when they fit both, or neither, or there are none."""
    found = {order for text in texts for order in _orders(text)}
    return found.pop() if len(found) == 1 else None


def _orders(text: str) -> set[DateOrder]:
    match = _SLASHED.match(text)
    if not match:
        return set()
    if int(match[1]) > _NOON:
        return {DateOrder.DMY}
    return {DateOrder.MDY} if int(match[2]) > _NOON else set()


@lru_cache(maxsize=4096)
def read_date(text: str, order: DateOrder | None) -> date:
    """Return a date. Raises ValueError with a sentence, also for one with slashes while the order is not known."""
    plain = _WEEKDAY.sub("", text.strip())
    try:
        found = _date(plain, order)
    except ValueError as fault:
        raise ValueError(f"{shown(text)} is no date of the calendar ({fault})") from fault
    if found is None:
        raise ValueError(_unread(text, plain))
    return found


def _unread(text: str, plain: str) -> str:
    if _SLASHED.fullmatch(plain):
        return f"{shown(text)} may be a day first or a month first; say date_order=dmy or date_order=mdy"
    return f"{shown(text)} is no date; write it as 2026-11-23"


def _date(text: str, order: DateOrder | None) -> date | None:
    if match := _ISO.fullmatch(text):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if match := _DOTTED.fullmatch(text):
        return date(_year(match[3]), int(match[2]), int(match[1]))
    if (match := _SLASHED.fullmatch(text)) and order is not None:
        month, day = (1, 2) if order is DateOrder.MDY else (2, 1)
        return date(_year(match[3]), int(match[month]), int(match[day]))
    if match := _DAY_MONTH.fullmatch(text):
        return date(_year(match[3]), _month(match[2]), int(match[1]))
    if match := _MONTH_DAY.fullmatch(text):
        return date(_year(match[3]), _month(match[1]), int(match[2]))
    return None


def _year(text: str) -> int:
    return int(text) + (2000 if len(text) == len("26") else 0)


def _month(text: str) -> int:
    if text.lower() not in _MONTHS:
        raise ValueError(f"{shown(text)} is no month")
    return _MONTHS.index(text.lower()) + 1


@lru_cache(maxsize=4096)
def read_time(text: str) -> Clock:
    """Return a time of day: 08:00, 8:00 AM, 0800, 24:00. Raises ValueError with a sentence."""
    plain = text.strip()
    match = _MILITARY.fullmatch(plain) or _TIME.fullmatch(plain)
    if not match or (":" not in plain and match.re is _TIME and not match[4]):
        raise ValueError(f"{shown(text)} is no time of day; write it as 08:00 or 8:00 AM")
    parts = match.groups()
    hour, minute = int(parts[0]), int(parts[1] or 0)
    second, half = (int(parts[2] or 0), (parts[3] or "").lower()) if match.re is _TIME else (0, "")
    if second:
        raise ValueError(f"{shown(text)} is within a minute; intervals begin on whole ones")
    if half:
        if not 1 <= hour <= _NOON:
            raise ValueError(f"{shown(text)} is no time of day; with AM or PM the hour is 1 to 12")
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    if minute > 59 or hour * 60 + minute > 1440:  # noqa: PLR2004  a clock's own numbers
        raise ValueError(f"{shown(text)} is no time of day; use 00:00 to 24:00")
    return Clock(hour * 60 + minute)


def read_time_range(text: str) -> tuple[Clock, Clock | None]:
    """Return the two ends of "08:00-08:30", or a time and None. Raises ValueError with a sentence."""
    parts = _RANGE.split(text.strip(), maxsplit=1)
    start, *end = [read_time(part) for part in parts]
    return start, end[0] if end else None


def read_instant(text: str, order: DateOrder | None) -> Local:
    """Return a date and time in one cell, with an offset where it has one. Raises ValueError with a sentence."""
    match = _INSTANT.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{shown(text)} is no date with a time; write it as 2026-11-23 08:00")
    return Local(at(read_date(match[1], order), read_time(match[2])), _offset(match[3]))


def at(day: date, clock: Clock) -> datetime:
    """Return a date and a time of day together, without a zone; 24:00 is the next day's midnight."""
    return datetime.combine(day, time()) + timedelta(minutes=clock.minute)


def _offset(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text in ("Z", "z"):
        return timedelta()
    digits = text[1:].replace(":", "")
    found = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if found >= timedelta(hours=24):
        raise ValueError(f"{shown(text)} is no offset from UTC; write it as +01:00")
    return -found if text[0] == "-" else found


@lru_cache(maxsize=4096)
def read_number(text: str, decimal: str | None) -> float:
    """Return a number, 12.5 or 12,5. decimal: which of both marks the fraction, None: as each number shows.

    Raises ValueError with a sentence, also for 1,234 while it is not known what the comma is.
    """
    plain = text.strip().replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace("'", "")
    if not plain:
        raise ValueError("the number of agents is empty; write 0 where nobody is there")
    if plain[:1] in "-−" and plain[1:2].isdigit():  # noqa: RUF001  the minus sign is one
        raise ValueError(f"{shown(text)} is negative; agents are 0 or more")
    mark = decimal or _decimal_mark(plain)
    if mark is None:
        raise ValueError(f"{shown(text)} may be a thousand or a fraction; say decimal=. or decimal=,")
    other = "," if mark == "." else "."
    whole = plain.replace(other, "") if _grouped(plain, other, mark) else plain
    whole = whole.replace(mark, ".")
    if not _PLAIN.fullmatch(whole) or not whole.isascii():
        raise ValueError(f"{shown(text)} is no number of agents; write it as 12 or 12.5")
    return float(whole)


def _decimal_mark(text: str) -> str | None:
    if "," in text and "." in text:
        return max(".", ",", key=text.rfind)
    if "," not in text:
        return "."
    return None if _GROUPS.fullmatch(text) else ","


def _grouped(text: str, group: str, mark: str) -> bool:
    return bool(re.fullmatch(rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+(?:{re.escape(mark)}\d+)?", text))
