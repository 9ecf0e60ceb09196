"""The decision log as its page prints it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.ports.decisions import DecisionRow
from app.web.format import NONE, number, retitled
from app.web.moments import Moment, clock

COLUMNS = (
    *("id", "kind", "gate", "at", "state", "before", "asked_by", "asked_by_name", "campaign", "requested"),
    *("accept_partial", "allow", "status", "count", "last_at", "policy_version", "override_id", "summary", "reasons"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log. before: what a gate said before it changed; who: who asked; last: of several answers.

    told: what the asker got besides the verdict.
    """

    id: str
    at: Moment
    gate: str
    is_change: bool
    state: str
    before: str
    who: str
    campaign: str
    audience: str
    told: str
    times: int
    last: Moment | None
    is_overridden: bool
    summary: str


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom lines are written: what keys and people are called, queues' titles, and how times are shown."""

    names: Mapping[str, str]
    titles: Mapping[str, str]
    zone: ZoneInfo
    now: datetime

    def name(self, actor_id: str | None) -> str:
        """Return what somebody is called; their id where nobody knows it any more, a dash for nobody."""
        return self.names.get(actor_id, actor_id) if actor_id else NONE


def line(row: DecisionRow, reader: Reader) -> Line:
    """Return a row of the log as it is printed."""
    return Line(
        id=row.id,
        at=clock(row.at, reader.zone, reader.now),
        gate=row.gate,
        is_change=row.kind == "transition",
        state=row.verdict,
        before=row.before or "",
        who=reader.name(row.asked_by),
        campaign=row.campaign or "",
        audience=number(row.requested),
        told=told(row),
        times=row.count,
        last=clock(row.last_at, reader.zone, reader.now) if row.count > 1 and row.last_at else None,
        is_overridden=is_overridden(row),
        summary=retitled(row.summary, reader.titles),
    )


def told(row: DecisionRow) -> str:
    """Return what an asker was told besides the verdict: `allow 25,000 · HTTP 429`; empty for a gate's own change."""
    allow = f"allow {number(row.allow)}" if row.allow is not None and row.verdict == "throttle" else ""
    status = f"HTTP {row.status}" if row.status is not None else ""
    return " · ".join(part for part in (allow, status) if part)


def is_overridden(row: DecisionRow) -> bool:
    """Return whether an override touched a decision: named in an answer, or applied while a gate changed."""
    return row.override_id is not None or (row.kind == "transition" and "overrides" in (row.facts or {}))


def cells(row: DecisionRow, names: Mapping[str, str]) -> Sequence[object]:
    """Return a row of the log for a file, in the order of COLUMNS."""
    asked_by = names.get(row.asked_by) if row.asked_by else None
    return (
        *(row.id, row.kind, row.gate, row.at, row.verdict, row.before, row.asked_by, asked_by, row.campaign),
        *(row.requested, row.accept_partial, row.allow, row.status, row.count, row.last_at, row.policy_version),
        *(row.override_id, row.summary, list(row.reasons)),
    )
