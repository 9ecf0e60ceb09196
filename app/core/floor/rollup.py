"""What history gains from each record: additive minute buckets, so that late and repeated data cannot bend it.

Totals are summed as whole millionths and turned into numbers only when drained: exact, whatever the order. An observed
gauge or ready-made average is one reading of weight 1. Counts and contacts bring numerator and denominator; what a
contact brought is taken back by a negative gain when more becomes known of it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple, cast

from app.core.floor.counts import NOTHING, Counts, signed
from app.core.floor.flow import FlowDelta, Flows
from app.core.floor.formulas import AVERAGES, Fraction, contact_formula, count_formula
from app.core.floor.instants import MINUTE, instant, micros
from app.core.floor.metric import Metric
from app.core.floor.observation import Observation
from app.core.floor.reported import READY_MADE, occupancy, share_busy
from app.core.floor.targets import ServiceLevelVariant

_MILLION = 1_000_000
_ENOUGH = 512
_GAUGES = tuple(metric for metric in Metric if metric not in AVERAGES)
_WHOLE = {int}
# Where an observation holds what a metric's readings are made from; occupancy may come from busy agents instead.
_PLACE = {metric: Observation._fields.index(metric) for metric in Metric}
_PLACES = {metric: frozenset({place}) for metric, place in _PLACE.items()}
_WINDOW = Observation._fields.index("window_seconds")
_PLACES[Metric.OCCUPANCY_RATIO] |= _PLACES[Metric.AGENTS_BUSY]
_WHEN = itemgetter(Observation._fields.index("observed_at"))
_WHOSE = itemgetter(Observation._fields.index("source"))


class RollupDelta(NamedTuple):
    """What one minute (bucket_at) of one metric of one queue gains.

    value of a bucket = total / weight: for gauges weight counts readings, for ratios and averages it is the
    denominator. minimum, maximum and last are None where they make no sense (counts that may be corrected).
    """

    queue: str
    metric: Metric
    bucket_at: datetime
    weight: float
    total: float
    minimum: float | None
    maximum: float | None
    last: float | None
    last_at: datetime | None


class _Gain:
    """What one minute of one metric gains. total is in millionths; last is (when, whose, how much)."""

    __slots__ = ("last", "maximum", "minimum", "total", "weight")

    def __init__(self) -> None:
        self.weight = self.total = 0
        self.minimum: float | None = None
        self.maximum: float | None = None
        self.last: tuple[datetime, str, float] | None = None

    def count(self, weight: int, total: int) -> None:
        """Take in a denominator and a numerator in millionths; both may be negative."""
        self.weight += weight
        self.total += total

    def read(self, values: Sequence[float], last: tuple[datetime, str, float]) -> None:
        """Take in readings, each of weight 1; last is the newest of them."""
        self.count(len(values), _millionths(values))
        least, most = min(values), max(values)
        self.minimum = least if self.minimum is None else min(least, self.minimum)
        self.maximum = most if self.maximum is None else max(most, self.maximum)
        self.last = last if self.last is None else max(last, self.last)


def _millionths(values: Sequence[float]) -> int:
    """Return the exact sum of values, each rounded to a millionth; whole numbers need no rounding."""
    if set(map(type, values)) == _WHOLE:
        return int(sum(values)) * _MILLION
    return sum([round(value * _MILLION) for value in values])


class Rollups:
    """What one queue's history gains between two drains."""

    __slots__ = ("_counted", "_gains", "_observed", "_queue", "_variant", "flows")

    def __init__(self, queue: str, variant: ServiceLevelVariant) -> None:
        self._queue = queue
        self._variant = variant
        self._observed: dict[int, list[Observation]] = {}
        self._counted: dict[int, Counts] = {}
        self._gains: dict[tuple[Metric, int], _Gain] = {}
        self.flows = Flows(queue)

    def observe(self, observation: Observation, at_us: int) -> None:
        """Take in an observation; it is looked into when enough of them are there, or when drained."""
        minute = at_us // MINUTE
        observations = self._observed.get(minute)
        if observations is None:
            observations = self._observed[minute] = []
        observations.append(observation)
        if len(observations) >= _ENOUGH:
            self._read(minute, self._observed.pop(minute))

    def observe_all(self, observations: Sequence[Observation], instants: Sequence[int]) -> None:
        """Take in observations whose instants are in order; they nearly always lie in one minute."""
        minute = instants[0] // MINUTE
        if minute != instants[-1] // MINUTE:
            for observation, at_us in zip(observations, instants, strict=True):
                self.observe(observation, at_us)
            return
        together = self._observed.setdefault(minute, [])
        together += observations
        if len(together) >= _ENOUGH:
            self._read(minute, self._observed.pop(minute))

    def count(self, at_us: int, counts: Counts) -> None:
        """Take in what a contact adds to, or takes back from, the sums at an instant."""
        minute = at_us // MINUTE
        self._counted[minute] = self._counted.get(minute, NOTHING) + counts

    def gauge(self, metric: Metric, at: datetime, value: float) -> None:
        """Take in one reading of a gauge derived from contacts."""
        self._gain(metric, micros(at) // MINUTE).read((value,), (at, "", value))

    def retarget(self, variant: ServiceLevelVariant) -> None:
        """Judge by another service level from now on; what came before is judged by the one before."""
        self._settle()
        self._variant = variant

    def drain(self) -> Iterator[RollupDelta]:
        """Yield everything gained since the last drain, and clear it."""
        self._settle()
        gains, self._gains = self._gains, {}
        for (metric, minute), gain in gains.items():
            if gain.weight or gain.total or gain.last:
                yield self._delta(metric, minute, gain)

    def drain_flows(self) -> Iterator[FlowDelta]:
        """Yield what came in and went out since the last such drain, and clear it."""
        self._settle()
        return self.flows.drain()

    def forget(self) -> None:
        """Clear what was gained since the last drains, as if both were drained now, without reckoning what it was."""
        for _, observations in sorted(self._observed.items(), key=itemgetter(0)):  # as when it settles
            _put_in_order(observations)
            if any(observation.window_seconds is not None for observation in observations):
                self.flows.observe(observations)
        self._observed, self._counted, self._gains = {}, {}, {}
        self.flows.forget()

    def _delta(self, metric: Metric, minute: int, gain: _Gain) -> RollupDelta:
        at, _, last = gain.last or (None, "", None)
        return RollupDelta(
            self._queue,
            metric,
            instant(minute * MINUTE),
            gain.weight,
            gain.total / _MILLION,
            gain.minimum,
            gain.maximum,
            last,
            at,
        )

    def _gain(self, metric: Metric, minute: int) -> _Gain:
        gain = self._gains.get((metric, minute))
        if gain is None:
            gain = self._gains[metric, minute] = _Gain()
        return gain

    def _settle(self) -> None:
        for minute, observations in sorted(
            self._observed.items(), key=itemgetter(0)
        ):  # flows give to the earlier first
            self._read(minute, observations)
        for minute, counts in self._counted.items():
            self._add_contacts(minute, counts)
            self.flows.count(minute, counts)
        self._observed, self._counted = {}, {}

    def _add_contacts(self, minute: int, counts: Counts) -> None:
        fields = signed(counts)
        for metric in AVERAGES:
            formula = contact_formula(metric, self._variant)
            self._add(metric, minute, formula.gained(fields), formula.unit)

    def _add(self, metric: Metric, minute: int, gained: Fraction, unit: int) -> None:
        if any(gained):
            self._gain(metric, minute).count(gained.denominator, gained.numerator * (_MILLION // unit))

    def _read(self, minute: int, observations: list[Observation]) -> None:
        _put_in_order(observations)
        columns = list(zip(*observations, strict=True))
        empty = _empty_places(columns)
        if _WINDOW not in empty:
            self.flows.observe(observations)
        for metric in _GAUGES:
            if not _PLACES[metric] <= empty:
                self._read_values(metric, minute, _gauge_values(metric, observations, columns, empty), observations)
        for metric in AVERAGES:
            formula = count_formula(metric, self._variant)
            if _PLACES[metric] <= empty and formula.places & empty:
                continue
            gained, lacking = formula.over(observations)
            self._add(metric, minute, gained, formula.unit)
            self._read_values(metric, minute, list(map(READY_MADE[metric], lacking)), lacking)

    def _read_values(
        self, metric: Metric, minute: int, column: Sequence[float | None], observations: Sequence[Observation]
    ) -> None:
        """Take in the values that a metric has in observations, which are in order."""
        gaps = column.count(None)
        if gaps < len(column):
            values = [value for value in column if value is not None] if gaps else cast("Sequence[float]", column)
            newest = next(at for at in reversed(range(len(column))) if column[at] is not None)
            last = (observations[newest].observed_at, observations[newest].source, values[-1])
            self._gain(metric, minute).read(values, last)


def _put_in_order(observations: list[Observation]) -> None:
    """Sort observations by their instants, those of one instant by their source."""
    if len(set(map(_WHOSE, observations))) > 1:
        observations.sort(key=_WHOSE)
    observations.sort(key=_WHEN)


def _empty_places(columns: Sequence[Sequence[object]]) -> set[int]:
    """Return the places at which no observation holds anything: nearly all sources report few of the fields."""
    return {place for place, column in enumerate(columns) if column.count(None) == len(column)}


def _gauge_values(
    metric: Metric, observations: Sequence[Observation], columns: Sequence[Sequence[Any]], empty: set[int]
) -> Sequence[float | None]:
    """Return what observations give for a gauge, each by itself; columns: of theirs, empty: those without a value."""
    if metric is not Metric.OCCUPANCY_RATIO:
        return columns[_PLACE[metric]]
    if _PLACE[metric] in empty:
        return list(map(share_busy, columns[_PLACE[Metric.AGENTS_BUSY]], columns[_PLACE[Metric.AGENTS_AVAILABLE]]))
    return list(map(occupancy, observations))
