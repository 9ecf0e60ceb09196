"""A trial of a source as its page prints it. Pure."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.core.floor.metric import DEFINITIONS, Metric
from app.services.trials import Missed, Seen, Trial
from app.web.format import NONE, duration, measure
from app.web.moments import Moment, full


@dataclass(frozen=True, slots=True)
class SeenRow:
    """One value that would come in."""

    queue: str
    channel: str
    metric: str
    title: str
    value: str
    at: Moment | None
    age: str


@dataclass(frozen=True, slots=True)
class MissedRow:
    """One row that would be rejected."""

    row: str
    field: str
    why: str
    value: str


def verdict(trial: Trial) -> str:
    """Return in a sentence what a trial comes to."""
    values, queues = len(trial.seen), len({each.queue for each in trial.seen})
    if not values:
        return "Nothing of it would come in." if trial.missed else "It names no queue, so nothing would come in."
    said = f"{values} {_plural(values, 'value')} of {queues} {_plural(queues, 'queue')} would come in"
    missed = len(trial.missed)
    return f"{said}; {missed} {_plural(missed, 'row')} would be rejected." if missed else f"{said}."


def seen_row(each: Seen, zone: ZoneInfo) -> SeenRow:
    """Return one value in its unit."""
    metric = next((metric for metric in Metric if metric == each.metric), None)
    title = DEFINITIONS[metric].title if metric else each.metric.replace("_", " ").capitalize()
    value = each.value if isinstance(each.value, str) else measure(each.value, each.unit)
    age = duration(max(0.0, each.age_seconds))
    return SeenRow(each.queue, each.channel or NONE, each.metric, title, value, full(each.observed_at, zone), age)


def missed_row(each: Missed) -> MissedRow:
    """Return one rejected row."""
    row = "understood, not acceptable" if each.row is None else str(each.row)
    return MissedRow(row, each.field or "the whole row", each.detail, each.value or NONE)


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"
