"""The readings that contacts give, as known at the clock of their source."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from app.core.floor.contacts import Contacts
from app.core.floor.counts import Field
from app.core.floor.fields import LONGEST_WINDOW_SECONDS
from app.core.floor.formulas import AVERAGES, contact_formula
from app.core.floor.instants import SECOND
from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from app.core.floor.view import Reading

_GAUGES: dict[Metric, tuple[Callable[[Contacts], float], str]] = {
    Metric.BACKLOG: (
        lambda contacts: contacts.backlog,
        "contact events: queued, not yet answered, abandoned or gone",
    ),
    Metric.OLDEST_WAIT_SECONDS: (
        lambda contacts: contacts.oldest_wait_us / SECOND,
        "contact events: time since the first of those waiting was queued",
    ),
    Metric.CONTACTS_IN_PROGRESS: (
        lambda contacts: contacts.in_progress,
        "contact events: answered, not yet ended",
    ),
}
METRICS = frozenset({*_GAUGES, *AVERAGES})


class KnownAt(NamedTuple):
    """Whose clock the contacts are known at, and what it shows."""

    source: str
    at: datetime


def reading(
    contacts: Contacts, targets: QueueTargets, metric: Metric, window_seconds: float, known: KnownAt
) -> Reading:
    """Return one of METRICS at the instant the contacts were advanced to. Raises KeyError for any other metric."""
    unit, gauge = DEFINITIONS[metric].unit, _GAUGES.get(metric)
    if gauge is not None:
        value, definition = gauge
        return Reading(metric, value(contacts), unit, None, known.source, known.at, None, definition)
    length = min(max(1, round(window_seconds)), LONGEST_WINDOW_SECONDS)
    formula = contact_formula(metric, targets.service_level_variant)
    numerator, denominator = formula.of(contacts.windows.total(length))
    if Field.COHORT_WAITING in formula.less:
        denominator += contacts.overdue(length)
    ratio = numerator / (denominator * formula.unit) if denominator else None
    covered, definition = float(contacts.windows.covered_seconds(length)), _definition(metric, targets)
    return Reading(metric, ratio, unit, covered, known.source, known.at, denominator, definition)


@lru_cache(maxsize=256)
def _definition(metric: Metric, targets: QueueTargets) -> str:
    """Return the formula in words, with the queue's own limits in it."""
    short = f", those under {targets.short_abandon_seconds:g} s left out" if targets.short_abandon_seconds else ""
    if metric is Metric.SPEED_TO_ANSWER_SECONDS:
        return "contact events: summed wait / contacts answered in the window"
    if metric is Metric.HANDLE_TIME_SECONDS:
        return "contact events: summed time from answer to end / contacts that ended in the window"
    if metric is Metric.ABANDONMENT_RATIO:
        return f"contact events: abandoned / (answered + abandoned) of the waits that ended in the window{short}"
    return _service_level(targets)


def _service_level(targets: QueueTargets) -> str:
    within = f"within {targets.service_level_seconds:g} s"
    short = f"abandoned under {targets.short_abandon_seconds:g} s"
    fraction = {
        ServiceLevelVariant.OFFERED: f"answered {within} / offered",
        ServiceLevelVariant.ANSWERED: f"answered {within} / answered",
        ServiceLevelVariant.LESS_SHORT_ABANDONS: f"answered {within} / (offered - {short})",
        ServiceLevelVariant.LESS_ABANDONS: f"answered {within} / (offered - abandoned)",
        ServiceLevelVariant.POSITIVE: f"(answered + abandoned, both {within}) / offered",
    }[targets.service_level_variant]
    return f"{targets.service_level_variant}: {fraction}, of contacts queued in the window; contact events"
