"""Instants as tables and pages print them: for machines in UTC, for people in the center's zone. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.web.format import NO_BREAK, NONE, clock_time, iso, zone_name
from app.web.instants import is_double


@dataclass(frozen=True, slots=True)
class Moment:
    """A time for the macro `time`: `iso` for the datetime attribute, `text` in the center's zone."""

    iso: str
    text: str


def clock(at: datetime, zone: ZoneInfo, now: datetime) -> Moment:
    """Return an instant as `14:05:09`, on another day than now's as `Mon 16 Nov 14:05`; its form is `clock`."""
    return Moment(iso(at), clock_time(at, zone, today=now))


def full(at: datetime | None, zone: ZoneInfo) -> Moment | None:
    """Return an instant as `Mon 16 Nov 2026 14:05:09`, its zone named where that time comes twice; form `full`."""
    if at is None:
        return None
    local = at.astimezone(zone)
    named = f"{NO_BREAK}{local:%Z}" if is_double(at, zone) else ""
    return Moment(iso(at), f"{local:%a} {local.day} {local:%b} {local:%Y} {local:%H:%M:%S}{named}")


def full_text(at: datetime | None, zone: ZoneInfo) -> str:
    """Return the text of `full`, a dash for None."""
    found = full(at, zone)
    return found.text if found else NONE


def zoned(at: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """Return what the macro `zone` takes: the zone's name, and the instant at which it is called so."""
    return zone_name(at, zone), iso(at)
