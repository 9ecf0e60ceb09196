"""The sentences of the gate: how values, spans and instants read in a reason's message or a check's detail."""

from datetime import datetime, timedelta
from math import inf

from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.view import Reading
from app.core.gate.rule import Rule
from app.core.gate.windows import zone

MAX_DECIMALS = 4
SAME = 1e-9
MINUTE = 60

_SIGNS = {"ratio": " %", "seconds": " s"}

# How a value of the metric is said; the others are said as title and value, "occupancy 95 %".
_PHRASES = {
    Metric.BACKLOG: "{} waiting",
    Metric.OLDEST_WAIT_SECONDS: "oldest wait {}",
    Metric.ABANDONMENT_RATIO: "{} abandoned",
    Metric.CONTACTS_IN_PROGRESS: "{} in progress",
    Metric.AGENTS_STAFFED: "{} agents staffed",
    Metric.AGENTS_AVAILABLE: "{} agents available",
    Metric.AGENTS_BUSY: "{} agents busy",
}


def quantity(value: float, unit: str, decimals: int = 0) -> str:
    """Return a value with its unit, to at most that many decimals: "14", "71 s", "82.5 %"."""
    text = f"{_scaled(value, unit):,.{decimals}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}{_SIGNS.get(unit, '')}"


def pair(value: float, limit: float, unit: str) -> tuple[str, str]:
    """Return a value and its limit with as many decimals as it takes to tell them apart: never "75 %, limit 75 %"."""
    for decimals in range(MAX_DECIMALS):
        said, bound = quantity(value, unit, decimals), quantity(limit, unit, decimals)
        exact = abs(round(_scaled(limit, unit), decimals) - _scaled(limit, unit)) < SAME
        if exact and (said != bound or value == limit):
            return said, bound
    return quantity(value, unit, MAX_DECIMALS), quantity(limit, unit, MAX_DECIMALS)


def _scaled(value: float, unit: str) -> float:
    return value * 100 if unit == "ratio" else value


def span(seconds: float) -> str:
    """Return a span of time: "5 min", "90 s"."""
    return f"{seconds / MINUTE:g} min" if seconds >= MINUTE and seconds % MINUTE == 0 else f"{seconds:g} s"


def age_said(seconds: float) -> str:
    """Return an age in its two largest units: "45 s", "5 min", "8 min 51 s", "3 d 4 h"."""
    units = ((86_400, "d"), (3_600, "h"), (MINUTE, "min"), (1, "s"))
    left = round(seconds)
    parts: list[str] = []
    for size, name in units:
        count, left = divmod(left, size)
        if parts or count:
            parts.append(f"{count} {name}" if count else "")
    return " ".join(part for part in parts[:2] if part) or "0 s"


def phrase(metric: Metric, said: str, window_seconds: float | None) -> str:
    """Return a value in its metric's words, with the window it is over: "speed to answer 71 s over 5 min"."""
    text = _PHRASES.get(metric, f"{DEFINITIONS[metric].title.lower()} {{}}").format(said)
    return text if window_seconds is None else f"{text} over {span(window_seconds)}"


def name_of(rule: Rule) -> str:
    """Return what a rule is about: "service level"."""
    return DEFINITIONS[rule.metric].title.lower()


def clock_time(at: datetime, now: datetime, time_zone: str) -> str:
    """Return an instant as the policy's people read it: "14:32", with day and date where it is not today.

    Rounded up to a whole minute, so that nothing is promised early.
    """
    local = (at + timedelta(seconds=MINUTE - 1, microseconds=999_999)).astimezone(zone(time_zone))
    if local.date() == now.astimezone(zone(time_zone)).date():
        return f"{local:%H:%M}"
    return f"{local:%a %Y-%m-%d %H:%M}"


def moment(at: datetime, now: datetime, time_zone: str) -> str:
    """Return an instant with its zone, for a sentence that may be read anywhere: "14:32 (America/Chicago)"."""
    return f"{clock_time(at, now, time_zone)} ({time_zone})"


def missing(rule: Rule, reading: Reading | None, now: datetime, *, known_before: bool) -> str:
    """Return why a reading counts as missing."""
    if reading is None:
        return f"{name_of(rule)} is not reported any more" if known_before else f"{name_of(rule)} was never reported"
    if reading.observed_at > now and reading.value is not None and -inf < reading.value < inf:
        ahead = (reading.observed_at - now).total_seconds()
        return f"{name_of(rule)} from {reading.source} is dated {ahead:.0f} s in the future"
    return f"{name_of(rule)} from {reading.source} has no value that can be used"


def stale(rule: Rule, reading: Reading, now: datetime, limit_seconds: float) -> str:
    """Return how old a reading is, and how old it may be."""
    age = reading.age_seconds(now)
    return f"{name_of(rule)} from {reading.source} is {age_said(age)} old, limit {span(limit_seconds)}"


def too_few(rule: Rule, reading: Reading) -> str:
    """Return that a window has not contacts enough to be judged."""
    samples = reading.samples or 0
    return f"{name_of(rule)} over {samples} contacts is not judged, it takes {max(rule.min_samples, 1)}"
