"""A schedule as programs send it: a JSON document, checked whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.core.gate.fields import Fields, shown
from app.core.gate.windows import is_zone
from app.core.problem import Problem
from app.core.staffing.refused import StaffingRefused
from app.core.staffing.schedule import MOST_AGENTS, MOST_INTERVALS, MOST_PROBLEMS, Interval, Placed

GAPS = ("refuse", "closed")


@dataclass(frozen=True, slots=True)
class ScheduleDocument:
    """What a document says. time_zone: in which its days are, None: not said. gaps_closed: nobody is there in gaps."""

    placed: tuple[Placed, ...]
    time_zone: str | None
    gaps_closed: bool


def parse_schedule(document: Mapping[str, object]) -> ScheduleDocument:
    """Return the intervals that a document has: starts_at and ends_at as RFC 3339 with a zone, and agents.

    Raises StaffingRefused with every fault found, at most a hundred. Whether they fit together is judged later, by
    schedule_days.
    """
    problems: list[Problem] = []
    fields = Fields.of(document, "", problems)
    if fields is None:
        raise StaffingRefused(problems)
    need = (
        'say who is there, as [{"starts_at": "2026-11-23T14:00:00Z", "ends_at": "2026-11-23T14:30:00Z", "agents": 12}]'
    )
    items = fields.items("intervals", required=need, empty=need)
    if len(items) > MOST_INTERVALS:
        fields.refuse(f"{len(items):,} intervals are more than {MOST_INTERVALS:,}; send fewer days", "intervals")
    placed = [_placed(item, fields, index) for index, item in enumerate(items[:MOST_INTERVALS])]
    time_zone, gaps = _time_zone(fields), fields.choice("gaps", "refuse", GAPS)
    fields.finish()
    if problems:
        raise StaffingRefused(problems[:MOST_PROBLEMS])
    return ScheduleDocument(tuple(each for each in placed if each), time_zone, gaps == "closed")


def _time_zone(fields: Fields) -> str | None:
    if not fields.has("time_zone"):
        return None
    value = fields.get("time_zone")
    if isinstance(value, str) and is_zone(value):
        return value
    fields.refuse(f'{shown(value)} is no time zone; use an IANA name such as "America/Chicago" or "UTC"', "time_zone")
    return None


def _placed(item: object, parent: Fields, index: int) -> Placed | None:
    pointer = parent.at("intervals", index)
    fields = Fields.of(item, pointer, parent.problems)
    if fields is None:
        return None
    starts_at, ends_at = _instant(fields, "starts_at"), _instant(fields, "ends_at")
    agents = fields.number("agents", None, 0, MOST_AGENTS, unit="agents")
    if agents is None and "agents" not in fields.value:
        fields.refuse("say how many agents are there, 0 for nobody", "agents")
    fields.finish()
    if starts_at is None or ends_at is None or agents is None:
        return None
    return Placed(Interval(starts_at, ends_at, agents), pointer, f"interval {index}")


def _instant(fields: Fields, member: str) -> datetime | None:
    value = fields.get(member) if fields.has(member) else None
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is not None and found.utcoffset() is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    fields.refuse(f"{shown(value)} must be RFC 3339 with a zone, like 2026-11-23T14:00:00Z", member)
    return None
