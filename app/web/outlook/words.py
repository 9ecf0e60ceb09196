"""The words of outlooks and plans: chances, spans of time, limits and what may break them. Pure.

Instants are rounded up to whole minutes, as the gate's own sentences do, so that nothing is promised early.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.floor.metric import DEFINITIONS, Metric
from app.core.forecast.limits import OutlookLimits
from app.core.gate import wording
from app.core.gate.foresight import Predicted
from app.web.format import NO_BREAK, NONE, THIN, duration, measure, number, percent

DASH = "–\u2060"  # noqa: RUF001 -- an en dash as between two times, and a joiner: no line ends between them
FEW_CONTACTS = 10
LEAST_CHANCE, LARGEST_CHANCE = 0.005, 0.995
ALMOST_A_MINUTE = timedelta(seconds=59, microseconds=999_999)


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom words are made: now, the zone of their gate, and what they call the queues."""

    now: datetime
    zone: ZoneInfo
    titles: Mapping[str, str]

    def title(self, queue: str) -> str:
        """Return what a queue is called."""
        return self.titles.get(queue, queue)

    def minute(self, at: datetime) -> str:
        """Return an instant as `15:20`, on another day than today as `Mon 08:00`."""
        local = (at + ALMOST_A_MINUTE).astimezone(self.zone)
        day = "" if local.date() == self.now.astimezone(self.zone).date() else f"{local:%a}{NO_BREAK}"
        return f"{day}{local:%H:%M}"

    def span(self, starts_at: datetime, ends_at: datetime) -> str:
        """Return two instants as `15:20–15:35`, the day said once."""  # noqa: RUF002 -- an en dash
        ends = (ends_at + ALMOST_A_MINUTE).astimezone(self.zone)
        return f"{self.minute(starts_at)}{DASH}{ends:%H:%M}"


def chance(probability: float, accepted: float | None = None) -> str:
    """Return a probability as far as it can be relied on: `12 %`, never 0 % and never 100 %.

    accepted: a limit on it; where it is passed by less than whole per cents show, a decimal is said, too.
    """
    if not 0 <= probability <= 1:
        return "an unknown chance"
    if probability < LEAST_CHANCE:
        return f"less than 1{THIN}%"
    if probability > LARGEST_CHANCE:
        return f"more than 99{THIN}%"
    rounded = round(probability, 2)
    if accepted is not None and (rounded <= accepted) != (probability <= accepted):
        rounded = round(probability, 3)
    return percent(rounded)


def expected(value: float | None, unit: str) -> str:
    """Return a predicted value as closely as it can be known: whole per cents, whole contacts from ten on."""
    if value is None:
        return NONE
    if unit == "ratio":
        return percent(round(value, 2))
    return measure(value if unit == "seconds" or value < FEW_CONTACTS else round(value), unit)


def against(value: float, limit: float, unit: str) -> tuple[str, str]:
    """Return a predicted value and its limit as text that tells them apart: never `80 %`, limit `80 %`."""
    said, bound = expected(value, unit), measure(limit, unit)
    return (said, bound) if said != bound or value == limit else wording.pair(value, limit, unit)


def broken(predicted: Predicted, reader: Reader) -> str:
    """Return a limit that may break: `service level of Orders, 78 % at 15:20–15:35, limit 80 %`."""  # noqa: RUF002
    queue, when = reader.title(predicted.queue), reader.span(predicted.starts_at, predicted.ends_at)
    if predicted.metric is Metric.BACKLOG:
        return f"backlog of {queue}, more than {number(predicted.limit)} waiting at {when}"
    definition = DEFINITIONS[predicted.metric]
    if predicted.expected is None:
        return f"{definition.title.lower()} of {queue}, nobody answers at {when}"
    value, limit = against(predicted.expected, predicted.limit, definition.unit)
    return f"{definition.title.lower()} of {queue}, {value} at {when}, limit {limit}"


def limit_of(limits: OutlookLimits, metric: Metric) -> float | None:
    """Return the limit that predictions of a metric are held to, None where there is none."""
    match metric:
        case Metric.SERVICE_LEVEL_RATIO:
            return limits.service_level_ratio
        case Metric.SPEED_TO_ANSWER_SECONDS:
            return limits.speed_to_answer_seconds
        case Metric.ABANDONMENT_RATIO:
            return limits.abandonment_ratio
        case Metric.BACKLOG:
            return limits.backlog
        case _:
            return None


def limits_in_words(limits: OutlookLimits) -> tuple[str, ...]:
    """Return what must be kept, a sentence each, and last for how long and how surely."""
    window = f"in every {duration(limits.window_seconds)}"
    kept = []
    if limits.service_level_ratio is not None:
        level = f"{percent(limits.service_level_ratio)} answered within {duration(limits.service_level_seconds)}"
        kept.append(f"Service level: at least {level}, {window}.")
    if limits.speed_to_answer_seconds is not None:
        kept.append(f"Speed to answer: at most {duration(limits.speed_to_answer_seconds)} on average, {window}.")
    if limits.abandonment_ratio is not None:
        kept.append(f"Abandonment: at most {percent(limits.abandonment_ratio)}, {window}.")
    if limits.backlog is not None:
        kept.append(f"Backlog: at most {number(limits.backlog)} waiting at any time.")
    accepted = f"the chance that any of it breaks may be {percent(limits.max_breach_probability)}"
    return (*kept, f"Of every queue, for the next {duration(limits.horizon_minutes * 60)}; {accepted}.")
