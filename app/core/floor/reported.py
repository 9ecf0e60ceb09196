"""What one source reported of one queue: per metric the newest value, and the counts that windows are made of.

A late observation, older than what is shown, replaces no value; its counts join the windows they lie in.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from operator import attrgetter, lt

from app.core.floor.formulas import AVERAGES, count_formula, reported_variant
from app.core.floor.instants import LONG_AGO, MINUTE, SECOND
from app.core.floor.intervals import Cover, Intervals
from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.observation import Observation
from app.core.floor.targets import ServiceLevelVariant
from app.core.floor.view import Reading

_FIRST, _AFTER = Observation._fields.index("backlog"), Observation._fields.index("window_seconds")
_PLACE = {Metric(name): place for place, name in enumerate(Observation._fields[_FIRST:_AFTER])}
_COUNTED_BY = {
    Metric.ABANDONMENT_RATIO: attrgetter("offered"),
    Metric.SPEED_TO_ANSWER_SECONDS: attrgetter("answered"),
    Metric.SERVICE_LEVEL_RATIO: attrgetter("offered"),
    Metric.HANDLE_TIME_SECONDS: attrgetter("answered"),
}
_AS_REPORTED = "as the source reports it"
_LEVEL_OF_COUNTS = {
    ServiceLevelVariant.OFFERED: "offered: answered within the source's target / offered, as counted by the source",
    ServiceLevelVariant.ANSWERED: "answered: answered within the source's target / answered, as counted by the source",
    ServiceLevelVariant.LESS_ABANDONS: (
        "less_abandons: answered within the source's target / (offered - abandoned), as counted by the source"
    ),
}
_OF_COUNTS = {
    Metric.ABANDONMENT_RATIO: "abandoned / (answered + abandoned), as counted by the source",
    Metric.SPEED_TO_ANSWER_SECONDS: "summed wait / answered contacts, as counted by the source",
    Metric.HANDLE_TIME_SECONDS: "summed handle time / answered contacts, as counted by the source",
}


def occupancy(observation: Observation) -> float | None:
    """Return the ready-made occupancy, else busy / (busy + available) agents; None when neither is to be had."""
    if observation.occupancy_ratio is not None:
        return observation.occupancy_ratio
    return share_busy(observation.agents_busy, observation.agents_available)


def share_busy(busy: int | None, available: int | None) -> float | None:
    """Return which share of busy and available agents is busy; None when there are none, or one number is missing."""
    return busy / (busy + available) if busy is not None and available is not None and busy + available else None


READY_MADE: dict[Metric, Callable[[Observation], float | None]] = {
    **{metric: attrgetter(metric.value) for metric in Metric},
    Metric.OCCUPANCY_RATIO: occupancy,
}


class Reported:
    """What one source reported of one queue."""

    __slots__ = ("_intervals", "_latest", "_newest_us", "_seen")

    def __init__(self, keep_us: int) -> None:
        self._intervals = Intervals(keep_us)
        self._newest_us = LONG_AGO
        self._latest: list[Observation | None] = [None] * len(_PLACE)
        self._seen: dict[int, set[int]] = {}

    def apply(self, observation: Observation, at_us: int) -> bool:
        """Take in an observation; return False when one of the same instant was there already, which then stands."""
        if not self._first(at_us):
            return False
        given = observation[_FIRST:_AFTER]
        if at_us > self._newest_us:
            self._newest_us = at_us
            latest = zip(given, self._latest, strict=True)
            self._latest = [before if value is None else observation for value, before in latest]
        else:
            self._apply_late(observation)
        self._count(observation, at_us)
        return True

    def apply_newer(self, observations: Sequence[Observation], instants: Sequence[int]) -> bool:
        """Take in observations in order, each newer than all before; return False, and take none, when they are not so.

        It is the usual case, in which nothing is late or a duplicate and only the newest value of each field counts.
        """
        if instants[0] <= self._newest_us or not all(map(lt, instants, islice(instants, 1, None))):
            return False
        self._remember(instants)
        columns = list(zip(*observations, strict=True))
        given = zip(columns[_FIRST:_AFTER], self._latest, strict=True)
        self._latest = [_newest_given(column, observations, before) for column, before in given]
        if columns[_AFTER].count(None) < len(observations):
            for observation, at_us in zip(observations, instants, strict=True):
                self._count(observation, at_us)
        return True

    def reading(self, metric: Metric, window_us: int, variant: ServiceLevelVariant) -> Reading | None:
        """Return the newest value of a metric, None when it was never reported."""
        if metric is Metric.OCCUPANCY_RATIO:
            return self._occupancy()
        ready_made = self._latest[_PLACE[metric]]
        if metric not in AVERAGES:
            return None if ready_made is None else _ready_made(metric, ready_made)
        cover = self._intervals.cover(count_formula(metric, variant), window_us)
        if cover is not None and (ready_made is None or cover.newest.observed_at >= ready_made.observed_at):
            return _counted(metric, cover, variant)
        return None if ready_made is None else _ready_made(metric, ready_made)

    def _first(self, at_us: int) -> bool:
        """Return whether nothing of this instant was seen; instants are remembered as long as intervals are."""
        minute = at_us // MINUTE
        seen = self._seen.get(minute)
        if seen is None:
            earliest = (self._newest_us - self._intervals.keep_us) // MINUTE
            self._seen = {at: instants for at, instants in self._seen.items() if at >= earliest}
            seen = self._seen[minute] = set()
        if at_us in seen:
            return False
        seen.add(at_us)
        return True

    def _remember(self, instants: Sequence[int]) -> None:
        """Note instants in order, all newer than any before; they nearly always lie in one minute."""
        minute = instants[-1] // MINUTE
        if minute in self._seen and instants[0] // MINUTE == minute:
            self._seen[minute].update(instants)
            self._newest_us = instants[-1]
            return
        for at_us in instants:
            self._first(at_us)
            self._newest_us = at_us

    def _count(self, observation: Observation, at_us: int) -> None:
        """Let windows be made of an observation's counts, where it has some."""
        if observation.window_seconds is not None and (
            observation.offered is not None or observation.answered is not None
        ):
            self._intervals.add(observation, at_us)

    def _apply_late(self, observation: Observation) -> None:
        for place, value in enumerate(observation[_FIRST:_AFTER]):
            newest = self._latest[place]
            if value is not None and (newest is None or newest.observed_at < observation.observed_at):
                self._latest[place] = observation

    def _occupancy(self) -> Reading | None:
        """Return the newest of: the ready-made one, and the one that busy and available agents of one instant give."""
        metric = Metric.OCCUPANCY_RATIO
        ready_made, busy = self._latest[_PLACE[metric]], self._latest[_PLACE[Metric.AGENTS_BUSY]]
        if busy is None or busy.agents_available is None or busy.occupancy_ratio is not None:
            return None if ready_made is None else _ready_made(metric, ready_made)
        if ready_made is not None and ready_made.observed_at > busy.observed_at:
            return _ready_made(metric, ready_made)
        return _reading(metric, busy, occupancy(busy), "busy / (busy + available) agents")


def _newest_given(
    column: Sequence[object], observations: Sequence[Observation], before: Observation | None
) -> Observation | None:
    """Return the last of the observations that has a value in a column of theirs, `before` when none has."""
    if column[-1] is not None:
        return observations[-1]
    if column.count(None) == len(column):
        return before
    newest = max(place for place, value in enumerate(column) if value is not None)
    return observations[newest]


def _ready_made(metric: Metric, observation: Observation) -> Reading:
    value = READY_MADE[metric](observation)
    if metric not in AVERAGES:
        return _reading(metric, observation, value, _AS_REPORTED)
    samples = _COUNTED_BY[metric](observation)
    return _reading(metric, observation, value, _AS_REPORTED, window=observation.window_seconds, samples=samples)


def _counted(metric: Metric, cover: Cover, variant: ServiceLevelVariant) -> Reading:
    formula = count_formula(metric, variant)
    value = cover.numerator / (cover.denominator * formula.unit) if cover.denominator > 0 else None
    if metric is Metric.SERVICE_LEVEL_RATIO:
        # Answered now, offered in an earlier span: a short span can count more answers than offers.
        value = None if value is None else min(value, 1.0)
        definition = _LEVEL_OF_COUNTS[reported_variant(variant)]
    else:
        definition = _OF_COUNTS[metric]
    samples = max(0, cover.denominator)
    return _reading(metric, cover.newest, value, definition, window=cover.covered_us / SECOND, samples=samples)


def _reading(
    metric: Metric,
    observation: Observation,
    value: float | None,
    definition: str,
    *,
    window: float | None = None,
    samples: int | None = None,
) -> Reading:
    unit, source, observed_at = DEFINITIONS[metric].unit, observation.source, observation.observed_at
    return Reading(metric, value, unit, window, source, observed_at, samples, definition)
