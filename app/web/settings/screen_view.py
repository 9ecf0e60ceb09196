"""Screens on the wall as their settings show them, without their secrets. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.ports.displays import Display
from app.web.format import count
from app.web.moments import Moment, clock, full

PATH = "/settings/screens"
COLUMNS = ("id", "name", "gate", "queues", "zone", "created_at", "created_by", "revoked_at", "seen_at")


@dataclass(frozen=True, slots=True)
class ScreenRow:
    """One screen. mark and word: whether it shows something now; shows: what; ended: when it was taken down."""

    id: str
    name: str
    href: str
    mark: str
    word: str
    is_good: bool
    shows: str
    zone: str
    made: Moment
    made_by: str
    seen: Moment | None
    ended: Moment | None


def screen_row(display: Display, showing: int, zone: ZoneInfo, now: datetime) -> ScreenRow:
    """Return a screen as it is listed. showing: on how many devices it shows something now."""
    mark, word = state_of(display, showing)
    return ScreenRow(
        id=display.id,
        name=display.name,
        href=f"{PATH}/{display.id}",
        mark=mark,
        word=word,
        is_good=display.revoked_at is None,
        shows=f"gate {display.gate}, {_queues(display)}",
        zone=display.zone or "the gate's",
        made=clock(display.created_at, zone, now),
        made_by=display.created_by,
        seen=clock(display.seen_at, zone, now) if display.seen_at else None,
        ended=full(display.revoked_at, zone),
    )


def state_of(display: Display, showing: int) -> tuple[str, str]:
    """Return the mark and the word for whether a screen shows something now."""
    if display.revoked_at is not None:
        return "neutral", "taken down"
    if not showing:
        return "unknown", "dark"
    return "send", "showing" if showing == 1 else f"showing on {count(showing, 'device')}"


def cells(display: Display) -> Sequence[object]:
    """Return a screen for a file, in the order of COLUMNS; its secret is nowhere but in its address."""
    return (
        *(display.id, display.name, display.gate, list(display.queues), display.zone),
        *(display.created_at, display.created_by, display.revoked_at, display.seen_at),
    )


def _queues(display: Display) -> str:
    return ", ".join(display.queues) if display.queues else "all its queues"
