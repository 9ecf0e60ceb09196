"""The averages and ratios of a queue as fractions of sums: from contacts' Counts, and from counts a source reported.

Every one is (sum of some sums) / (sum of some sums, less some others), so that fractions over different spans combine
by adding both sides; averages are never averaged. Variants of the service level: see ServiceLevelVariant.
Source of the definitions: docs/reference/formulas.md.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from app.core.floor.counts import Counts, Field, amount
from app.core.floor.instants import SECOND
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from app.core.floor.targets import ServiceLevelVariant


class Fraction(NamedTuple):
    """Two exact sums. Durations are in microseconds on top."""

    numerator: int
    denominator: int


class ContactFormula(NamedTuple):
    """A fraction of sums over contacts. unit: how many of the numerator's counts make one of the metric's unit."""

    numerator: tuple[Field, ...]
    denominator: tuple[Field, ...]
    less: tuple[Field, ...] = ()
    unit: int = 1

    def of(self, total: Counts) -> Fraction:
        """Return the fraction of a total in which no field is negative."""
        numerator = denominator = 0
        for field in self.numerator:
            numerator += amount(total, field)
        for field in self.denominator:
            denominator += amount(total, field)
        for field in self.less:
            denominator -= amount(total, field)
        return Fraction(numerator, denominator)

    def gained(self, fields: Mapping[Field, int]) -> Fraction:
        """Return what signed fields add to both sides."""
        below = sum(fields[field] for field in self.denominator) - sum(fields[field] for field in self.less)
        return Fraction(sum(fields[field] for field in self.numerator), below)


class CountFormula:
    """A fraction of the counts and sums that observations report."""

    __slots__ = ("_added", "_pick", "places", "unit")

    def __init__(self, numerator: str, *denominator: str, less: str | None = None, unit: int = 1) -> None:
        names = (numerator, *denominator, *((less,) if less else ()))
        self.places = frozenset(map(Observation._fields.index, names))  # of its parts in an observation
        self._pick = itemgetter(*map(Observation._fields.index, names))
        self._added = len(denominator)
        self.unit = unit

    def of(self, observation: Observation) -> Fraction | None:
        """Return the fraction of one observation, None when it lacks a part of it."""
        parts = self._pick(observation)
        return None if None in parts else self._sum([parts])

    def over(self, observations: Sequence[Observation]) -> tuple[Fraction, Sequence[Observation]]:
        """Return the summed fraction of all observations that have every part of it, and the other observations."""
        parts = list(map(self._pick, observations))
        whole = [part for part in parts if None not in part]
        if len(whole) == len(parts):
            return self._sum(whole), ()
        lacking = [observation for observation, part in zip(observations, parts, strict=True) if None in part]
        return self._sum(whole), lacking

    def _sum(self, parts: Sequence[tuple[float, ...]]) -> Fraction:
        """Add up each column exactly, then take the fraction of the sums."""
        if not parts:
            return Fraction(0, 0)
        top, *below = zip(*parts, strict=True)
        numerator = sum(top) if self.unit == 1 else sum([round(value * self.unit) for value in top])
        sums = [sum(column) for column in below]
        return Fraction(numerator, sum(sums[: self._added]) - sum(sums[self._added :]))


_WITHIN = (Field.COHORT_ANSWERED_IN_TARGET,)
_OFFERED = (Field.OFFERED,)
_WAITING = (Field.COHORT_WAITING,)
_LEVEL_OF_CONTACTS = {
    ServiceLevelVariant.OFFERED: ContactFormula(_WITHIN, _OFFERED, _WAITING),
    ServiceLevelVariant.ANSWERED: ContactFormula(_WITHIN, (Field.COHORT_ANSWERED,)),
    ServiceLevelVariant.LESS_SHORT_ABANDONS: ContactFormula(
        _WITHIN, _OFFERED, (*_WAITING, Field.COHORT_ABANDONED_SHORT)
    ),
    ServiceLevelVariant.LESS_ABANDONS: ContactFormula(_WITHIN, _OFFERED, (*_WAITING, Field.COHORT_ABANDONED)),
    ServiceLevelVariant.POSITIVE: ContactFormula((*_WITHIN, Field.COHORT_ABANDONED_IN_TARGET), _OFFERED, _WAITING),
}
_OF_CONTACTS = {
    Metric.ABANDONMENT_RATIO: ContactFormula((Field.ABANDONS,), (Field.ANSWERS, Field.ABANDONS)),
    Metric.SPEED_TO_ANSWER_SECONDS: ContactFormula((Field.WAIT_MICROSECONDS,), (Field.ANSWERS,), unit=SECOND),
    Metric.HANDLE_TIME_SECONDS: ContactFormula((Field.HANDLE_MICROSECONDS,), (Field.HANDLED,), unit=SECOND),
}
_LEVEL_OF_COUNTS = {
    ServiceLevelVariant.OFFERED: CountFormula("answered_within_target", "offered"),
    ServiceLevelVariant.ANSWERED: CountFormula("answered_within_target", "answered"),
    ServiceLevelVariant.LESS_ABANDONS: CountFormula("answered_within_target", "offered", less="abandoned"),
}
_OF_COUNTS = {
    Metric.ABANDONMENT_RATIO: CountFormula("abandoned", "answered", "abandoned"),
    Metric.SPEED_TO_ANSWER_SECONDS: CountFormula("wait_seconds_sum", "answered", unit=SECOND),
    Metric.HANDLE_TIME_SECONDS: CountFormula("handle_seconds_sum", "answered", unit=SECOND),
}
AVERAGES = (*_OF_CONTACTS, Metric.SERVICE_LEVEL_RATIO)


def contact_formula(metric: Metric, variant: ServiceLevelVariant) -> ContactFormula:
    """Return how a windowed metric comes from contacts. Raises KeyError for a gauge."""
    return _LEVEL_OF_CONTACTS[variant] if metric is Metric.SERVICE_LEVEL_RATIO else _OF_CONTACTS[metric]


def count_formula(metric: Metric, variant: ServiceLevelVariant) -> CountFormula:
    """Return how a windowed metric comes from reported counts. Raises KeyError for a gauge."""
    return _LEVEL_OF_COUNTS[reported_variant(variant)] if metric is Metric.SERVICE_LEVEL_RATIO else _OF_COUNTS[metric]


def reported_variant(variant: ServiceLevelVariant) -> ServiceLevelVariant:
    """Return the service level that counts can give.

    They tell neither which abandons were short nor which came within the target; `offered` stands in for both variants
    that ask for it, and can only be lower.
    """
    return variant if variant in _LEVEL_OF_COUNTS else ServiceLevelVariant.OFFERED
