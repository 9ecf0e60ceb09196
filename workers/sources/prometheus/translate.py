"""What the answers of PromQL instant queries say of the queues. Pure.

The instant beside a value in such an answer is that of the evaluation, whatever the age of the data: Prometheus looks
back five minutes. So the data's own instant comes from a query of its own, made with timestamp().
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from math import isfinite
from typing import Any, NamedTuple

from app.core.floor.observation import Observation
from app.services.trials import Rejected
from workers.sources.lot import Lot
from workers.sources.mapping.rowmap import BadField, queue_name
from workers.sources.mapping.units import BadValue, instant_in, value_in
from workers.systems.faults import TranslateError

OBSERVED_AT = "observed_at"
MOST_SERIES = 10_000


class Asked(NamedTuple):
    """One query: the field it is for, and the unit of what it gives."""

    field: str
    query: str
    unit: str


@dataclass(frozen=True, slots=True)
class Queries:
    """What is asked. Of queue and queue_label one is given. queues: patterns of those wanted.

    observed_at: the query for the data's own instants, in seconds since 1970. warnings_accepted: an answer that may be
    partial is taken for whole.
    """

    source: str
    observed_at: str
    metrics: Sequence[Asked]
    queue_label: str | None
    queue: str | None = None
    queues: Collection[str] = ("*",)
    channel: str | None = None
    window_seconds: float | None = None
    warnings_accepted: bool = False


class Series(NamedTuple):
    """The values of one query by queue, and when it was evaluated; None for a queue: several series are of it."""

    values: Mapping[str, float | None]
    evaluated_at: float | None


def series(document: Any, queries: Queries, what: str) -> Series:
    """Return what one answer says. what: how faults call it. Raises TranslateError.

    Values that are no number (NaN, Inf) are left out: they are not said.
    """
    data = _data(document, queries, what)
    kind, result = data.get("resultType"), data.get("result")
    if kind == "scalar":
        result = [{"metric": {}, "value": result}]
    elif kind != "vector" or not isinstance(result, list):
        raise TranslateError(f"{what}: the query gives no instant vector")
    if len(result) > MOST_SERIES:
        raise TranslateError(f"{what}: the query gives {len(result):,} series; {MOST_SERIES:,} are read")
    values: dict[str, float | None] = {}
    evaluated_at = None
    for sample in result:
        evaluated_at, value = _sample(sample, what)
        name = _queue(sample, queries, what)
        values[name] = None if name in values else value
    return Series({name: value for name, value in values.items() if value is None or isfinite(value)}, evaluated_at)


def translate(answers: Mapping[str, Any], queries: Queries) -> Lot:
    """Return what the answers say, by field, that to observed_at among them. Raises TranslateError."""
    told = {name: series(answers.get(name), queries, name).values for name in _names(queries)}
    queues = dict.fromkeys(name for name in _names(queries) for name in told[name])
    wanted = [queue for queue in queues if any(fnmatchcase(queue, pattern) for pattern in queries.queues)]
    seen: list[Observation] = []
    rejected: list[Rejected] = []
    for number, queue in enumerate(wanted, start=1):
        try:
            seen.append(_observation(queue, told, queries))
        except BadField as fault:
            rejected.append(Rejected(number, fault.field, str(fault), fault.value))
    return Lot(seen, rejected)


def _observation(queue: str, told: Mapping[str, Mapping[str, float | None]], queries: Queries) -> Observation:
    queue_name(queue)
    at = _instant(queue, told)
    said: dict[str, Any] = {}
    for asked in queries.metrics:
        if queue in told[asked.field]:
            said[asked.field] = _value(asked, _one(queue, told, asked.field), at)
    said = {name: value for name, value in said.items() if value is not None}
    if not said:
        raise BadField("", "none of the queries gives a number for this queue")
    if said.get("backlog") == 0 and any(asked.field == "oldest_wait_seconds" for asked in queries.metrics):
        said.setdefault("oldest_wait_seconds", 0.0)  # what that metric is when nobody waits
    if queries.window_seconds is not None:
        said["window_seconds"] = queries.window_seconds
    return Observation(queue, at, queries.source, queries.channel, **said)


def _instant(queue: str, told: Mapping[str, Mapping[str, float | None]]) -> datetime:
    try:
        at = instant_in("epoch-seconds", _one(queue, told, OBSERVED_AT), None) if queue in told[OBSERVED_AT] else None
    except BadValue as fault:
        raise BadField(OBSERVED_AT, f"what observed_at_query gives {fault}") from None
    if at is None:
        raise BadField(OBSERVED_AT, "observed_at_query gives nothing for this queue")
    return at


def _one(queue: str, told: Mapping[str, Mapping[str, float | None]], field: str) -> float:
    value = told[field][queue]
    if value is None:
        raise BadField(field, f"{field}: several series are of one queue; aggregate them, as sum by (queue) (...)")
    return value


def _value(asked: Asked, value: float, at: datetime) -> float | None:
    try:
        return value_in(asked.unit, value, at, None)
    except BadValue as fault:
        raise BadField(asked.field, f"{asked.field}: what the query gives {fault}", value) from None


def _names(queries: Queries) -> Iterator[str]:
    yield OBSERVED_AT
    yield from (asked.field for asked in queries.metrics)


def _data(document: Any, queries: Queries, what: str) -> Mapping[str, Any]:
    if not isinstance(document, dict) or document.get("status") != "success":
        raise TranslateError(f"{what}: the answer is not that of a successful query")
    if document.get("warnings") and not queries.warnings_accepted:
        raise TranslateError(
            f"{what}: the answer has warnings and may be partial; accept_warnings = true would take it"
        )
    data = document.get("data")
    return data if isinstance(data, dict) else {}


def _sample(sample: Any, what: str) -> tuple[float, float]:
    """Return a sample's evaluation instant and value."""
    pair = sample.get("value") if isinstance(sample, dict) else None
    match pair:
        case [int() | float() as at, str() as text] if not isinstance(at, bool):
            try:
                return float(at), float(text)
            except (ValueError, OverflowError):
                pass  # a text that is no number is no plain value either
    raise TranslateError(f"{what}: a series of the answer has no plain value")


def _queue(sample: Any, queries: Queries, what: str) -> str:
    if queries.queue_label is None:
        return queries.queue or ""
    labels = sample.get("metric")
    name = labels.get(queries.queue_label) if isinstance(labels, dict) else None
    if not isinstance(name, str) or not name:
        raise TranslateError(f"{what}: a series has no label {queries.queue_label!r}; keep it, as by (queue)")
    return name
