"""What was predicted of one queue, and what happened: figures to compare, and per five minutes. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.debrief.debrief import Course, Debrief
from app.core.debrief.question import Limit, Prediction, QueuePrediction, Spread, Values
from app.core.floor.metric import DEFINITIONS, Metric, MetricDefinition, Worse
from app.web.briefing.view import Instant
from app.web.format import NO_BREAK, NONE, count, duration, iso, measure, number, percent
from app.web.instants import minute, moment

METRICS = (Metric.SPEED_TO_ANSWER_SECONDS, Metric.SERVICE_LEVEL_RATIO, Metric.BACKLOG)
LEAST_CHANCE = 0.001


@dataclass(frozen=True, slots=True)
class Outcome:
    """One metric of one queue: as it was predicted per interval, and as it was measured per step."""

    prediction: Prediction
    predicted: QueuePrediction
    happened: Course
    window_start: datetime
    window_step: timedelta
    metric: Metric
    limit: Limit | None
    waves: tuple[datetime, ...]
    zone: ZoneInfo
    title: str

    @property
    def definition(self) -> MetricDefinition:
        """What the metric means."""
        return DEFINITIONS[self.metric]

    @property
    def spread(self) -> Spread:
        """What was predicted of the metric."""
        found: Spread = getattr(self.predicted, self.metric.value)
        return found

    @property
    def measured(self) -> Values:
        """What was measured of the metric, per step of the window."""
        found: Values = getattr(self.happened, self.metric.value)
        return found

    @property
    def step(self) -> timedelta:
        """How long an interval of the prediction is."""
        return timedelta(seconds=self.prediction.step_seconds)

    def starts(self, interval: int) -> datetime:
        """Return when an interval of the prediction begins."""
        return self.prediction.made_at + interval * self.step

    def at(self, place: int) -> datetime:
        """Return when a step of what was measured begins."""
        return self.window_start + place * self.window_step

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From when the prediction was made until it, or the window, ends."""
        until = max(self.starts(len(self.spread.mean)), self.at(len(self.measured)))
        return min(self.prediction.made_at, self.window_start), until

    def during(self, values: Values, interval: int) -> float | None:
        """Return the measured value of the step in which an interval's middle lies, None where there is none."""
        place = (self.starts(interval) + self.step / 2 - self.window_start) // self.window_step
        return values[place] if 0 <= place < len(values) else None


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure, as it was predicted and as it happened."""

    what: str
    predicted: str
    happened: str


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One interval of the prediction."""

    at: Instant
    predicted: str
    between: str
    happened: str


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a prediction rests on: when it was made, for how many messages, at what rate; and the chance it gave."""

    at: Instant
    messages: str
    per_1000: str
    breach: str


def predicted_of(found: Debrief, zone: ZoneInfo) -> Predicted | None:
    """Return what a debrief's prediction rests on, None without one."""
    made = found.predicted
    if made is None:
        return None
    chance = f"{percent(made.breach_probability)} chance that a limit of the outlook would break"
    return Predicted(
        Instant(iso(made.made_at), moment(made.made_at, zone)),
        number(made.messages),
        f"{made.per_1000:.3g}",
        f"It saw a {chance}." if made.breach_probability >= LEAST_CHANCE else "It saw no limit break.",
    )


def outcome_of(found: Debrief, queue: str, metric: str, zone: ZoneInfo, titles: dict[str, str]) -> Outcome | None:
    """Return what was predicted of a queue and what happened; None where nothing was predicted, or measured.

    A queue or metric that is not there is the first one, of a metric that the policy limits where there is one.
    """
    if found.predicted is None:
        return None
    courses = {each.queue: course for each in found.queues if (course := each.course) is not None}
    brought = {each.queue: each.estimate.contacts if each.estimate else 0.0 for each in found.queues}
    there = {each.queue: each for each in found.predicted.queues if each.queue in courses}
    if not there:
        return None
    chosen = queue if queue in there else max(there, key=lambda name: (brought[name], name))
    limits = {limit.metric: limit for limit in (found.slam.limits if found.slam else ())}
    usual = next((each for each in METRICS if each in limits), METRICS[0])
    own = Metric(metric) if metric in METRICS else usual
    return Outcome(
        prediction=found.predicted,
        predicted=there[chosen],
        happened=courses[chosen],
        window_start=found.window.start,
        window_step=timedelta(seconds=found.window.step_seconds),
        metric=own,
        limit=limits.get(own),
        waves=tuple(wave.opened_at for wave in found.release.waves) or (found.sent.first_at,),
        zone=zone,
        title=titles.get(chosen) or chosen,
    )


def predicted_queues(found: Debrief) -> list[str]:
    """Return the queues that can be looked at."""
    there = {each.queue for each in found.queues if each.course is not None}
    return [each.queue for each in (found.predicted.queues if found.predicted else ()) if each.queue in there]


def compared(shown: Outcome) -> Iterator[Compared]:
    """Yield the queue's figures over the time that was predicted and is measured by now."""
    places = [
        place
        for place, offered in enumerate(shown.predicted.offered)
        if offered is not None and shown.during(shown.happened.offered, place) is not None
    ]
    came = _known(shown.during(shown.happened.offered, place) for place in places)
    expected = _known(shown.predicted.offered[place] for place in places)
    yield Compared("Contacts", number(round(sum(expected))), number(round(sum(came))))
    for metric in METRICS:
        spread: Spread = getattr(shown.predicted, metric.value)
        measured: Values = getattr(shown.happened, metric.value)
        happened = [shown.during(measured, place) for place in places]
        predicted = [spread.mean[place] for place in places]
        unit, title = DEFINITIONS[metric].unit, DEFINITIONS[metric].title
        if metric is Metric.BACKLOG:
            values = (max(_known(each), default=None) for each in (predicted, happened))
            title = f"{title}, highest"
        else:
            weights = (expected, came)
            values = (_mean(each, by) for each, by in zip((predicted, happened), weights, strict=True))
        yield Compared(title, *(measure(value if unit != "contacts" else _whole(value), unit) for value in values))


def _known(values: Iterator[float | None] | Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float | None], weights: Sequence[float]) -> float | None:
    pairs = [(value, weight) for value, weight in zip(values, weights, strict=True) if value is not None]
    whole = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / whole if whole else None


def _whole(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def rows(shown: Outcome) -> list[IntervalRow]:
    """Return the metric per interval of the prediction."""
    unit, spread = shown.definition.unit, shown.spread
    return [
        IntervalRow(
            Instant(iso(shown.starts(place)), minute(shown.starts(place), shown.zone)),
            measure(mean, unit),
            between(spread.low[place], spread.high[place], unit),
            measure(shown.during(shown.measured, place), unit),
        )
        for place, mean in enumerate(spread.mean)
    ]


def between(low: float | None, high: float | None, unit: str) -> str:
    """Return an interval, a dash for one that is not known."""
    if low is None or high is None:
        return NONE
    return f"{measure(low, unit)} to {measure(high, unit)}".replace(" ", NO_BREAK)


def caption(shown: Outcome) -> str:
    """Return the chart in words: the worst that was predicted, the worst that happened, and the limit."""
    definition, unit = shown.definition, shown.definition.unit
    is_least = definition.worse is Worse.LOWER
    worst = min if is_least else max
    predicted, happened = (_known(each) for each in (shown.spread.mean, shown.measured))
    expected = measure(worst(predicted), unit) if predicted else "not known"
    was = measure(worst(happened), unit) if happened else "not known"
    limit = ""
    if shown.limit is not None:
        limit = f"; the limit is {'at least' if is_least else 'at most'} {measure(shown.limit.value, unit)}"
    seconds = len(shown.spread.mean) * shown.prediction.step_seconds
    numbered = "; numbered lines are the waves" if len(shown.waves) > 1 else ""
    return (
        f"{definition.title} of {shown.title}: for {duration(seconds)} predicted, {expected} at worst; "
        f"measured, {was} at worst in {count(shown.window_step // timedelta(minutes=1), 'minute')}{limit}. "
        f"The shade has 8 of 10 cases of what was expected{numbered}."
    )
