"""The readings that contacts give, as known at the clock of their source."""

from collections.abc import Callable
from datetime import datetime

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


class ContactReadings:
    """Makes readings of one queue's contacts, by its targets."""

    __slots__ = ("_contacts", "_definitions", "_formulas")

    def __init__(self, contacts: Contacts, targets: QueueTargets) -> None:
        self._contacts = contacts
        self._formulas = {metric: contact_formula(metric, targets.service_level_variant) for metric in AVERAGES}
        self._definitions = _definitions(targets)

    def reading(self, metric: Metric, window_seconds: float, source: str, known_at: datetime) -> Reading:
        """Return one of METRICS at the instant the contacts were advanced to, known at that clock of that source.

        Raises KeyError for any other metric.
        """
        contacts, unit, gauge = self._contacts, DEFINITIONS[metric].unit, _GAUGES.get(metric)
        if gauge is not None:
            value, definition = gauge
            return Reading(metric, value(contacts), unit, None, source, known_at, None, definition)
        length = min(max(1, round(window_seconds)), LONGEST_WINDOW_SECONDS)
        formula = self._formulas[metric]
        numerator, denominator = formula.of(contacts.windows.total(length))
        if Field.COHORT_WAITING in formula.less:
            denominator += contacts.overdue(length)
        ratio = numerator / (denominator * formula.unit) if denominator else None
        covered = float(contacts.windows.covered_seconds(length))
        return Reading(metric, ratio, unit, covered, source, known_at, denominator, self._definitions[metric])


def _definitions(targets: QueueTargets) -> dict[Metric, str]:
    """Return the formulas in words, with the queue's own limits in them."""
    short = f", those under {targets.short_abandon_seconds:g} s left out" if targets.short_abandon_seconds else ""
    return {
        Metric.SPEED_TO_ANSWER_SECONDS: "contact events: summed wait / contacts answered in the window",
        Metric.HANDLE_TIME_SECONDS: (
            "contact events: summed time from answer to end / contacts that ended in the window"
        ),
        Metric.ABANDONMENT_RATIO: (
            f"contact events: abandoned / (answered + abandoned) of the waits that ended in the window{short}"
        ),
        Metric.SERVICE_LEVEL_RATIO: _service_level(targets),
    }


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
