"""The floor reckoned the slow, plain way, straight from the list of all events: what the fast one must agree with.

Nothing here is taken from app.core.floor but the types. Times are whole microseconds after NOW.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import groupby

from app.core.floor.contact import ContactEvent
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from tests.support.builders import NOW

SECOND = 1_000_000
_RANK = ["answered", "abandoned", "transferred", "callback_requested", "completed"]


@dataclass
class Told:
    """How one contact's life went; None: not so, or not known."""

    queued: int | None = None
    answered: int | None = None
    abandoned: int | None = None
    gone: int | None = None
    handled_until: int | None = None


def between(start: int | None, end: int | None) -> int:
    assert start is not None
    assert end is not None
    return end - start


def micros(at: datetime) -> int:
    return round((at - NOW).total_seconds() * SECOND)


def tell(events: Iterable[ContactEvent]) -> Told:
    """Walk through one contact's events in the order of time."""
    first: dict[str, int] = {}
    for event in events:
        first[event.event] = min(micros(event.at), first.get(event.event, micros(event.at)))
    told = Told(first.pop("queued", None))
    steps = sorted((at, _RANK.index(kind)) for kind, at in first.items())
    only_completed = all(_RANK[rank] == "completed" for _, rank in steps)
    for raw, rank in steps:
        at = raw if told.queued is None else max(raw, told.queued)
        if told.answered is not None:
            told.handled_until = max(at, told.answered) if told.handled_until is None else told.handled_until
        elif _RANK[rank] == "answered":
            told.answered = at
            if any(_RANK[other] == "completed" and earlier <= raw for earlier, other in steps):
                told.handled_until = at
        elif _RANK[rank] != "completed" or only_completed:
            told.abandoned = at if _RANK[rank] == "abandoned" else None
            told.gone = at
            break
    return told


class Reference:
    """All metrics of one queue at `now`, from its events."""

    def __init__(self, events: Sequence[ContactEvent], now: float, targets: QueueTargets, expires: float) -> None:
        by_contact = groupby(sorted(events, key=lambda event: event.contact_id), key=lambda event: event.contact_id)
        self.contacts = [tell(list(group)) for _, group in by_contact]
        self.now = round(now * SECOND)
        self.edge = int(now) * SECOND
        self.target = round(targets.service_level_seconds * SECOND)
        self.short = round(targets.short_abandon_seconds * SECOND)
        self.variant = targets.service_level_variant
        self.expires = round(expires * SECOND)

    def waiting(self) -> list[int]:
        """Return when those were queued who still wait."""
        return [
            told.queued
            for told in self.contacts
            if told.queued is not None and told.answered is None and told.gone is None and not self._over(told.queued)
        ]

    def in_progress(self) -> int:
        return sum(
            told.answered is not None and told.handled_until is None and not self._over(told.answered)
            for told in self.contacts
        )

    def reading(self, metric: Metric, window: int) -> tuple[float | None, int | None]:
        """Return (value, samples)."""
        if metric is Metric.BACKLOG:
            return len(self.waiting()), None
        if metric is Metric.OLDEST_WAIT_SECONDS:
            return max([0, *(self.now - queued for queued in self.waiting())]) / SECOND, None
        if metric is Metric.CONTACTS_IN_PROGRESS:
            return self.in_progress(), None
        numerator, denominator = self.fraction(metric, lambda at: self.edge - window * SECOND < at <= self.edge)
        return (float(numerator / denominator) if denominator else None), denominator

    def fraction(self, metric: Metric, inside: Callable[[int], bool], *, past: bool = False) -> tuple[Fraction, int]:
        """Return numerator and denominator over what happened inside. past: leave out all who still wait."""
        if metric is Metric.SERVICE_LEVEL_RATIO:
            return self._service_level(inside, past=past)
        known = [told for told in self.contacts if told.queued is not None]
        answers = [
            between(told.queued, told.answered) for told in known if told.answered is not None and inside(told.answered)
        ]
        if metric is Metric.SPEED_TO_ANSWER_SECONDS:
            return Fraction(sum(answers), SECOND), len(answers)
        if metric is Metric.ABANDONMENT_RATIO:
            abandons = [told for told in known if told.abandoned is not None and inside(told.abandoned)]
            long = sum(between(told.queued, told.abandoned) >= self.short for told in abandons)
            return Fraction(long), long + len(answers)
        handled = [
            between(told.answered, told.handled_until)
            for told in self.contacts
            if told.answered is not None and told.handled_until is not None and inside(told.handled_until)
        ]
        return Fraction(sum(handled), SECOND), len(handled)

    def _service_level(self, inside: Callable[[int], bool], *, past: bool) -> tuple[Fraction, int]:
        cohort = [told for told in self.contacts if told.queued is not None and inside(told.queued)]
        judged = [told for told in cohort if not self._undecided(told, past=past)]
        answered = [told for told in judged if told.answered is not None]
        abandoned = [told for told in judged if told.abandoned is not None]
        within = sum(between(told.queued, told.answered) <= self.target for told in answered)
        gave_up_within = sum(between(told.queued, told.abandoned) <= self.target for told in abandoned)
        short = sum(between(told.queued, told.abandoned) < self.short for told in abandoned)
        return {
            ServiceLevelVariant.OFFERED: (Fraction(within), len(judged)),
            ServiceLevelVariant.ANSWERED: (Fraction(within), len(answered)),
            ServiceLevelVariant.LESS_SHORT_ABANDONS: (Fraction(within), len(judged) - short),
            ServiceLevelVariant.LESS_ABANDONS: (Fraction(within), len(judged) - len(abandoned)),
            ServiceLevelVariant.POSITIVE: (Fraction(within + gave_up_within), len(judged)),
        }[self.variant]

    def _undecided(self, told: Told, *, past: bool) -> bool:
        waits = told.answered is None and told.gone is None and not self._over(told.queued)
        return waits and (past or between(told.queued, self.edge) <= self.target)

    def _over(self, since: int | None) -> bool:
        return since is not None and self.now - since >= self.expires


def covered(observations: Sequence[Observation], above: str, below: str, window: float) -> tuple[float, float, float]:
    """Return the sums of two fields and the seconds they cover, by disjoint spans backwards from the newest one."""
    spans = sorted(
        (
            (micros(o.observed_at), round(o.window_seconds * SECOND), getattr(o, above), getattr(o, below))
            for o in observations
            if o.window_seconds is not None and getattr(o, above) is not None and getattr(o, below) is not None
        ),
        reverse=True,
    )
    numerator, denominator, length, limit, begin = 0, 0, 0, None, None
    for end, width, top, bottom in spans:
        if begin is not None and end > begin:
            continue
        if limit is not None and end - width < limit:
            break
        limit = end - round(window * SECOND) if limit is None else limit
        begin = end - width
        numerator, denominator, length = numerator + top, denominator + bottom, length + width
    return numerator, denominator, length / SECOND
