"""What Genesys Cloud's answers and messages say: facts about queues. Pure: anything in, facts out, or TranslateError.

Messages carry only what has changed; workers.sources.genesys_cloud.held puts facts together.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from math import isfinite
from typing import Any, NamedTuple

from workers.systems.faults import TranslateError
from workers.systems.web import json_of

METRICS = ("oWaiting", "oLongestWaiting", "oInteracting", "oUserRoutingStatuses")
CLOSING_TOPIC = "v2.system.socket_closing"
_STATS = ("count", "sum", "ratio", "numerator", "denominator", "calculatedMetricValue")


class Fact(NamedTuple):
    """One metric of one queue in one medium ("" where it is of the queue's users), by qualifier.

    since: the begin of the half hour that it counts in, None for how it is now. stats: numbers as they came: t* in
    milliseconds, oLongestWaiting's as milliseconds since 1970.
    """

    queue: str
    media: str
    metric: str
    qualifier: str
    since: datetime | None
    stats: Mapping[str, float]


class Kind(Enum):
    """What a message on a channel is."""

    FACTS = "facts"
    ALIVE = "alive"
    CLOSING = "closing"


class Message(NamedTuple):
    """One message of a channel."""

    kind: Kind
    facts: tuple[Fact, ...] = ()


def of_query(answer: object) -> tuple[Fact, ...]:
    """Return what the observations query answers. Raises TranslateError."""
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list):
        raise TranslateError("the answer has no results")
    facts: list[Fact] = []
    for result in results:
        group, data = _parts(result)
        facts.extend(_facts(group, None, data))
    return tuple(facts)


def of_message(text: bytes | str) -> Message:
    """Return what a message on a channel says; topics nobody asked for are signs of life. Raises TranslateError."""
    message = json_of(text, "a message")
    topic = message.get("topicName") if isinstance(message, dict) else None
    if not isinstance(topic, str):
        raise TranslateError("a message has no topicName")
    if topic == CLOSING_TOPIC:
        return Message(Kind.CLOSING)
    if not (topic.startswith("v2.analytics.queues.") and topic.endswith(".observations")):
        return Message(Kind.ALIVE)
    group, data = _parts(message.get("eventBody"))
    facts: list[Fact] = []
    for each in data:
        metrics = each.get("metrics") if isinstance(each, dict) else None
        if not isinstance(metrics, list):
            raise TranslateError("a message has data without metrics")
        facts.extend(_facts(group, _since(each.get("interval")), metrics))
    return Message(Kind.FACTS, tuple(facts))


def _parts(said: object) -> tuple[Mapping[str, Any], list[Any]]:
    group, data = (said.get("group"), said.get("data", [])) if isinstance(said, dict) else (None, None)
    if not isinstance(group, dict) or not isinstance(group.get("queueId"), str) or not isinstance(data, list):
        raise TranslateError("a result has no group with a queueId, or no data")
    return group, data


def _facts(group: Mapping[str, Any], since: datetime | None, metrics: list[Any]) -> Iterator[Fact]:
    media = group.get("mediaType")
    for each in metrics:
        name, stats = (each.get("metric"), each.get("stats")) if isinstance(each, dict) else (None, None)
        if not isinstance(name, str):
            raise TranslateError("a metric has no name")
        qualifier = each.get("qualifier")
        yield Fact(
            group["queueId"].lower(),
            media.lower() if isinstance(media, str) else "",
            name,
            qualifier if isinstance(qualifier, str) else "",
            since,
            _stats(stats if isinstance(stats, dict) else {}),
        )


def _stats(said: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the numbers; null, absent, negative and endless ones are not said."""
    stats: dict[str, float] = {}
    for name in _STATS:
        value = said.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TranslateError(f"a metric's {name} is no number")
        if isfinite(value) and value >= 0:
            stats[name] = value
    return stats


def _since(interval: object) -> datetime | None:
    """Return the begin of an interval, None for one of no length, which is an instant."""
    begin, _, end = interval.partition("/") if isinstance(interval, str) else ("", "", "")
    try:
        since, until = datetime.fromisoformat(begin), datetime.fromisoformat(end)
        if since.tzinfo is not None and until.tzinfo is not None:
            return since.astimezone(UTC) if since != until else None
    except (ValueError, OverflowError):
        pass
    raise TranslateError("a message's interval is not two instants")
