"""Who asked lately, and what they were told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.ports.decisions import DecisionRow
from app.web.format import NONE, clock_time, iso, number


@dataclass(frozen=True, slots=True)
class AskRow:
    """One answer given, `times` times in a row, between `at` and `last_at`."""

    id: str
    at: str
    at_text: str
    who: str
    campaign: str
    audience: str
    state: str
    word: str
    allow: str
    status: str
    times: int
    last_text: str
    summary: str


def ask_rows(rows: Sequence[DecisionRow], names: Mapping[str, str], now: datetime, zone: ZoneInfo) -> list[AskRow]:
    """Return printed asks, in the order given. names: what keys are called, by their id."""
    return [_ask_row(row, names, now, zone) for row in rows]


def _ask_row(row: DecisionRow, names: Mapping[str, str], now: datetime, zone: ZoneInfo) -> AskRow:
    last = row.last_at or row.at
    return AskRow(
        id=row.id,
        at=iso(last),
        at_text=clock_time(last, zone, today=now),
        who=names.get(row.asked_by or "", row.asked_by or NONE),
        campaign=row.campaign or "",
        audience=number(row.requested),
        state=row.verdict,
        word=row.verdict.upper(),
        allow=f"allow {number(row.allow)}" if row.verdict == "throttle" else "",
        status="" if row.status is None else str(row.status),
        times=row.count,
        last_text="" if row.count == 1 else f"first at {clock_time(row.at, zone, today=now)}",
        summary=row.summary,
    )
