"""The scoreboard's URL: which days, which gate, in which order. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from app.core.debrief.scoreboard import Line
from app.web.exports import Format

DEFAULT_DAYS = 90
MOST_DAYS = 3_660
PRESETS = (30, 90, 365)
_DAY = timedelta(days=1)
_Key = Callable[[Line], Any]
FIRST = "-began"


class BoardQuery(BaseModel):
    """What is asked for: days as 2026-11-21, both included. "": the last 90 days; of all gates."""

    model_config = ConfigDict(populate_by_name=True)

    start: str = Field(default="", alias="from", max_length=40)
    until: str = Field(default="", alias="to", max_length=40)
    gate: str = Field(default="", max_length=63)
    sort: str = Field(default=FIRST, max_length=30)
    zone: str = Field(default="", max_length=60)
    format: Format | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """A span of local days, both included, and the instants [start, end) that they are."""

    first: date
    last: date
    start: datetime
    end: datetime
    today: date
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many days they are."""
        return (self.last - self.first).days + 1


def days_of(query: BoardQuery, now: datetime, zone: ZoneInfo) -> Days:
    """Return the days that are asked for; where they cannot be told, the last 90, and what is wrong."""
    today = now.astimezone(zone).date()
    faults: dict[str, str] = {}
    last = _read(query.until, "to", faults) or today
    first = _read(query.start, "from", faults) or last - (DEFAULT_DAYS - 1) * _DAY
    if not faults and first > last:
        faults["from"] = f"{first} is after {last}: choose an earlier day."
    if not faults and (last - first).days >= MOST_DAYS:
        faults["from"] = f"{first} to {last} is more than ten years: choose fewer days."
    if faults:
        first, last = today - (DEFAULT_DAYS - 1) * _DAY, today
    return Days(first, last, _midnight(first, zone), _midnight(last + _DAY, zone), today, faults)


def _read(text: str, name: str, faults: dict[str, str]) -> date | None:
    if not text.strip():
        return None
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        faults[name] = "Choose a day, such as 2026-11-21."
        return None
    if not 1970 <= found.year <= 9990:  # noqa: PLR2004  the years that instants are read in
        faults[name] = f"{found} lies outside the years 1970 to 9990."
        return None
    return found


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


# --- order ------------------------------------------------------------------------------------------------------------


def _net(line: Line) -> Decimal | None:
    return line.figures.net if line.figures else None


def _rank(line: Line) -> int | None:
    kept = line.score.keeps_notice
    return None if kept is None else int(kept)


KEYS: Mapping[str, _Key] = {
    "campaign": lambda line: line.score.title.casefold(),
    "began": lambda line: line.score.began_at,
    "sent": lambda line: line.score.messages,
    "per_1000": lambda line: line.score.per_1000,
    "avoided": lambda line: line.score.avoided_minutes,
    "delay": lambda line: line.score.delay_seconds,
    "notice": _rank,
    "complaints": lambda line: line.complaints,
    "net": _net,
}


def order_of(sort: str) -> tuple[str, bool]:
    """Return which column a board is ordered by, and whether the largest comes first; what means nothing: newest."""
    name = sort.removeprefix("-")
    return (name, sort.startswith("-")) if name in KEYS else ("began", True)


def ordered(lines: Sequence[Line], sort: str) -> list[Line]:
    """Return lines in an order; what is not known comes last, whichever way it goes."""
    name, is_down = order_of(sort)
    key = KEYS[name]
    known = [line for line in lines if key(line) is not None]
    unknown = [line for line in lines if key(line) is None]
    return sorted(known, key=lambda line: (key(line), line.score.campaign), reverse=is_down) + unknown
