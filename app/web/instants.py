"""Instants by a wall clock: as people type them into a form, and as they read them. Pure.

A time that daylight saving skips does not exist and is refused. One that comes twice is asked back about: `first` or
`second`. What is printed names the zone where the same time comes twice, so that it can be told apart.
"""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.web.format import NO_BREAK
from app.web.typed import NotRead

FIRST, SECOND = "first", "second"
EARLIEST, LATEST = 1970, 9990
_WALL = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d(\.\d+)?)?", re.ASCII)


class ComesTwice(NotRead):
    """The clock shows this time twice; `choices` has (value, words) for both, in their order."""

    def __init__(self, wall: datetime, zone: ZoneInfo) -> None:
        self.choices = tuple(
            (which, f"the {which}, {at.astimezone(zone):%Z}")
            for which, at in zip((FIRST, SECOND), _both(wall, zone), strict=True)
        )
        super().__init__(f"{wall:%H:%M} comes twice on {day(wall)}, because clocks go back: say which is meant.")


def read_instant(text: str, zone: ZoneInfo, which: str = "") -> datetime | None:
    """Return the instant in UTC at which a zone's clock shows `2026-11-23T09:00`, None where the text is empty.

    which: FIRST or SECOND of a time that comes twice. Raises NotRead, and ComesTwice where that is not said.
    """
    text = text.strip()
    if not text:
        return None
    found = _WALL.fullmatch(text)
    try:
        wall = datetime.fromisoformat(f"{found[1]}T{found[2]}") if found else None
    except ValueError:
        wall = None
    if wall is None or not EARLIEST <= wall.year <= LATEST:
        raise NotRead("Choose a date and a time, such as 2026-11-23 09:00.")
    first, second = _both(wall, zone)
    if _shown(first, zone) != wall:
        raise NotRead(f"{wall:%H:%M} does not exist on {day(wall)}: clocks go forward over it. Choose another time.")
    if first == second or which == FIRST:
        return first
    if which == SECOND:
        return second
    raise ComesTwice(wall, zone)


def typed(at: datetime | None, zone: ZoneInfo) -> str:
    """Return an instant as a form has it, to the minute; empty for None."""
    return "" if at is None else f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"


def which_of(at: datetime | None, zone: ZoneInfo) -> str:
    """Return FIRST or SECOND for an instant whose time comes twice, empty for any other."""
    if at is None or not is_double(at, zone):
        return ""
    return SECOND if at.astimezone(zone).fold else FIRST


def is_double(at: datetime, zone: ZoneInfo) -> bool:
    """Return whether a zone's clock shows this time twice."""
    first, second = _both(_shown(at, zone), zone)
    return first < second


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as `Mon 16 Nov 14:05`, with the name of its zone where that time comes twice."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b} {local:%H:%M}{_named(at, zone)}"


def minute(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as `14:05`, with the name of its zone where that time comes twice."""
    return f"{at.astimezone(zone):%H:%M}{_named(at, zone)}"


def day(at: datetime) -> str:
    """Return the date of a local time: `Sun 1 Nov 2026`."""
    return f"{at:%a} {at.day} {at:%b %Y}"


def _named(at: datetime, zone: ZoneInfo) -> str:
    return f"{NO_BREAK}{at.astimezone(zone):%Z}" if is_double(at, zone) else ""


def _shown(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _both(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants of a wall clock's time before and after clocks go back; the same one where they do not."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second
