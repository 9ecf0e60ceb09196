"""The JSON-ready shapes of schedules and opening hours."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Any

from app.core.staffing.schedule import Interval
from app.core.staffing.upload import Understood
from app.ports.staffing import SavedHours, ScheduleState
from app.services.schedules import DayChange, ScheduleChange
from app.services.shapes import Shape, instant


def change_shape(change: ScheduleChange, understood: Understood | None = None) -> Shape:
    """Return what a change did, day by day; and how its file was read, null where there was none."""
    return {
        "queue": change.queue,
        "revision": change.revision,
        "time_zone": change.time_zone,
        "saved": change.saved,
        "days": [_day_shape(each) for each in change.days],
        "understood": None if understood is None else understood_shape(understood),
    }


def understood_shape(understood: Understood) -> Shape:
    """Return how a file was read."""
    return understood._asdict() | {
        "columns": {str(role): heading for role, heading in understood.columns.items()},
        "left_out": list(understood.left_out),
    }


def _day_shape(change: DayChange) -> Shape:
    before, after = (None if side is None else side._asdict() for side in (change.before, change.after))
    return {"day": change.day.isoformat(), "changed": change.changed, "before": before, "after": after}


def state_shape(queue: str, state: ScheduleState | None) -> Shape:
    """Return how a queue's schedule stands."""
    if state is None:
        nothing = dict.fromkeys(("time_zone", "starts_at", "ends_at", "author", "saved_at"))
        return {"queue": queue, "revision": 0, **nothing}
    return {
        "queue": queue,
        "revision": state.revision,
        "time_zone": state.time_zone,
        "starts_at": instant(state.starts_at),
        "ends_at": instant(state.ends_at),
        "author": state.author,
        "saved_at": instant(state.saved_at),
    }


def interval_shape(interval: Interval) -> Shape:
    """Return an interval as it is sent and shown."""
    starts_at, ends_at, agents = interval
    return {"starts_at": instant(starts_at), "ends_at": instant(ends_at), "agents": agents}


def schedule_csv(intervals: Sequence[Interval]) -> str:
    """Return intervals as a CSV file that can be uploaded again."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Interval._fields)
    writer.writerows((instant(each.starts_at), instant(each.ends_at), f"{each.agents:.10g}") for each in intervals)
    return text.getvalue()


def hours_shape(queue: str | None, own: SavedHours | None, counting: SavedHours | None) -> dict[str, Any]:
    """Return the hours that count for a queue (None: for all without their own), and who saved them."""
    applies = "none" if counting is None else "own" if counting is own else "all_queues"
    return {
        "queue": queue,
        "applies": applies,
        "revision": own.revision if own else 0,
        "hours": counting and counting.document,
        "author": counting and counting.author,
        "saved_at": instant(counting.saved_at) if counting else None,
    }
